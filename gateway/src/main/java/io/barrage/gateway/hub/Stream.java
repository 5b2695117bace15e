package io.barrage.gateway.hub;

import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.WebSocketFrames;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all subscriptions of a topic with one encoding and one level of attention get on one event loop: a log, encoded once, and
 * its readers. Everything in a stream goes to all its readers; what is for one alone is not in it.
 *
 * <p>Confined to its event loop.
 */
final class Stream {
    /** From this many subscriptions on, a stream keeps its last segment for the next messages. */
    static final int BUSY = 16;

    /** A {@code messages} frame is closed at this size, so that a reader can begin before all has come. */
    static final int MAX_BATCH_BYTES = 16 * 1024;

    final Topic topic;
    final Encoding encoding;
    final AttentionLevel level;
    final TopicLog log;
    final SubscriptionList subscriptions = new SubscriptionList();

    private final FrameEncoder encoder;
    /** Messages that become one frame when they must; null where each is one. */
    private final @Nullable List<Message> batch;

    private int batchBytes;
    /** The last of the topic's messages that came to it: later than the topic's where another stream had no memory for it. */
    private long seenOffset;
    /** Hidden messages whose number stood on messages that aren't in this stream. */
    private long hiddenToTell;

    /** Whether it waits in the shard's ring to be walked, or to be walked on. */
    boolean inRing;
    /** Made with the first, which most users' topics never have. */
    Walks.@Nullable Walk walk;
    /** Its place among those whose next walk waits; null if it doesn't. */
    Coalescing.@Nullable Wait wait;
    /** The window that its next walk has to keep; 0 before the first, and without coalescing. */
    long windowNanos;
    /** When its next walk may begin. */
    long mayWalkNanos;
    /** Whether it is among those that may have something which somebody hasn't read. */
    boolean unread;
    /** Whether it waits for its log to be settled. */
    boolean settling;
    /** Whether its last reader has left: where it waits for something, it is passed over. */
    boolean closed;

    Stream(Topic topic, Encoding encoding, AttentionLevel level, SegmentStore store, FrameEncoder encoder) {
        this.topic = topic;
        this.encoding = encoding;
        this.level = level;
        this.encoder = encoder;
        this.batch = encoding.batch() ? new ArrayList<>() : null;
        this.log = new TopicLog(store, topic.rules, topic.lastOffset);
        this.seenOffset = topic.lastOffset;
    }

    /** The last of the topic's messages that came to it; who joins gets what comes behind. */
    long seenOffset() {
        return seenOffset;
    }

    /** Whether its readers get messages of this priority. */
    boolean gives(Priority priority) {
        return switch (level) {
            case FULL -> true;
            case DIGEST -> priority.compareTo(Priority.HIGH) >= 0;
            case COUNTS -> false;
        };
    }

    /**
     * Appends the topic's next message, or what its readers get instead; false if that is nothing, or if it came before: then
     * another stream of the topic had no memory for it.
     */
    boolean append(Message message, long nowNanos) {
        if (message.offset() <= seenOffset) {
            return false;
        }
        int priority = message.priority().ordinal();
        boolean given = gives(message.priority());
        if (given) {
            give(message, nowNanos);
        } else {
            hiddenToTell += message.hidden();
            leaveOut(priority, ShedReason.ATTENTION);
        }
        seenOffset = message.offset();
        return given;
    }

    private void give(Message message, long nowNanos) {
        coverUpTo(message.offset() - 1);
        if (message.isExpired(nowNanos)) {
            appendGap(message.offset(), message.offset(), ShedReason.EXPIRED);
            hiddenToTell += message.hidden();
            leaveOut(message.priority().ordinal(), ShedReason.EXPIRED);
        } else if (batch == null) {
            encoder.encode(message);
            append(encoder.content().add(message));
            topic.counters.owed[message.priority().ordinal()] += subscriptions.size();
        } else {
            // Before, so that there is nothing to undo where there is no memory for the frame.
            if (batchBytes >= MAX_BATCH_BYTES) {
                seal();
            }
            batch.add(message);
            batchBytes += message.weight();
        }
    }

    /** Appends the frame that was encoded last. */
    private void append(TopicLog.Content content) {
        if (encoding.deflated()) {
            encoder.deflate();
        }
        log.append(encoder.bytes(), encoder.start(), encoder.length(), content);
    }

    private void leaveOut(int priority, ShedReason reason) {
        topic.counters.owed[priority] += subscriptions.size();
        topic.counters.shed[reason.ordinal()][priority] += subscriptions.size();
    }

    /** Tells of the offsets up to {@code offset} that no frame has told of. */
    void coverUpTo(long offset) {
        long covered = batch == null || batch.isEmpty()
                ? log.coveredOffset()
                : batch.get(batch.size() - 1).offset();
        if (level != AttentionLevel.COUNTS && offset > covered) {
            seal();
            appendGap(covered + 1, offset, ShedReason.ATTENTION);
        }
    }

    private void appendGap(long from, long to, ShedReason reason) {
        seal();
        byte[] frame = WebSocketFrames.text(new ServerFrame.Gap(topic.name, from, to, reason.wire()));
        log.append(frame, 0, frame.length, encoder.content().gap(from, to));
    }

    /** Appends a whole frame that covers no offset. */
    void append(byte[] frame) {
        seal();
        log.append(frame, 0, frame.length, encoder.content());
    }

    /** Hidden messages are to be told that no message tells of. */
    void addHiddenToTell(long count) {
        hiddenToTell += count;
    }

    /** Tells of the hidden messages that no message of this stream has told of; false if there were none. */
    boolean appendHiddenToTell() {
        if (hiddenToTell == 0) {
            return false;
        }
        seal();
        byte[] frame = WebSocketFrames.text(new ServerFrame.Hidden(topic.name, hiddenToTell));
        log.append(frame, 0, frame.length, encoder.content().hidden(hiddenToTell));
        hiddenToTell = 0;
        return true;
    }

    /** Whether messages wait to become a frame. */
    boolean hasBatch() {
        return batch != null && !batch.isEmpty();
    }

    /** Whether all its readers have read all. */
    boolean isRead() {
        return log.firstFrame() == log.headFrame() && subscriptions.caughtUp() == subscriptions.size() && !hasBatch();
    }

    /** Makes a frame of the messages that wait to become one: before they are written, and before the readers change. */
    void seal() {
        if (batch == null || batch.isEmpty()) {
            return;
        }
        try {
            append(batch);
        } catch (RuntimeException e) {
            // Tried again it would fail again, and hold up all the rest: the next frame tells of a gap in its place.
            forgetBatch(batch);
            throw e;
        }
        for (int i = 0; i < batch.size(); i++) {
            topic.counters.owed[batch.get(i).priority().ordinal()] += subscriptions.size();
        }
        forgetBatch(batch);
    }

    private void append(List<Message> messages) {
        encoder.encode(topic.name, messages);
        TopicLog.Content content = encoder.content();
        for (int i = 0; i < messages.size(); i++) {
            content.add(messages.get(i));
        }
        append(content);
    }

    private void forgetBatch(List<Message> messages) {
        messages.clear();
        batchBytes = 0;
    }

    /** Adds, by priority, what its readers are owed and no socket holds, counted anew from the cursors. */
    void addInFlight(long[] inFlight) {
        // In the middle of a walk most stand at one of two places: counting for each anew would hold up the loop.
        long[] counted = new long[inFlight.length];
        long countedFor = -1;
        for (int i = 0; i < subscriptions.size(); i++) {
            Subscription subscription = subscriptions.get(i);
            long[] read = subscription.messagesBefore;
            if (read == null) {
                if (subscription.cursor == log.headFrame()) {
                    continue;
                }
                if (subscription.cursor != countedFor) {
                    log.messagesBefore(subscription.cursor, counted);
                    countedFor = subscription.cursor;
                }
                read = counted;
            }
            long[] owed = subscription.replay == null ? null : subscription.replay.owed;
            for (int p = 0; p < read.length; p++) {
                inFlight[p] += log.messages(p) - read[p] + (owed == null ? 0 : owed[p]);
            }
        }
    }
}
