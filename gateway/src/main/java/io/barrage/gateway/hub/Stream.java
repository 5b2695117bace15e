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
    /** The last of the topic's messages that came to it. */
    private long seenOffset;
    /** Hidden messages whose number stood on messages that aren't in this stream. */
    private long hiddenToTell;

    /** Whether it waits in the shard's ring to be walked, or to be walked on. */
    boolean inRing;
    /** While a walk is under way: the index that it visits next is below; -1 otherwise. */
    int walkAt = -1;
    /** The head when the walk began. */
    long walkTarget;

    long walkTargetPosition;
    long walkStartNanos;
    /** Whether some of what this walk brings was stale when it began. */
    boolean walkIsStale;
    /** Its place among those whose next walk waits; null if it doesn't. */
    Coalescing.@Nullable Wait wait;
    /** The window that its next walk has to keep; 0 before the first, and without coalescing. */
    long windowNanos;
    /** When its next walk may begin. */
    long mayWalkNanos;
    /** Whether it waits for its log to be settled. */
    boolean settling;

    Stream(Topic topic, Encoding encoding, AttentionLevel level, SegmentStore store, FrameEncoder encoder) {
        this.topic = topic;
        this.encoding = encoding;
        this.level = level;
        this.encoder = encoder;
        this.batch = encoding.batch() ? new ArrayList<>() : null;
        this.log = new TopicLog(store, topic.rules, topic.lastOffset);
        this.seenOffset = topic.lastOffset;
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
            hiddenToTell += message.hidden();
            leaveOut(message.priority().ordinal(), ShedReason.EXPIRED);
            appendGap(message.offset(), message.offset(), ShedReason.EXPIRED);
        } else if (batch == null) {
            encoder.encode(message);
            append(encoder.content().add(message));
            topic.counters.owed[message.priority().ordinal()] += subscriptions.size();
        } else {
            batch.add(message);
            batchBytes += message.weight();
            if (batchBytes >= MAX_BATCH_BYTES) {
                seal();
            }
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

    /** Appends a frame that tells of hidden messages. */
    void appendHidden(long count) {
        seal();
        byte[] frame = WebSocketFrames.text(new ServerFrame.Hidden(topic.name, count));
        log.append(frame, 0, frame.length, encoder.content().hidden(count));
    }

    /** Tells of the hidden messages that no message of this stream has told of; false if there were none. */
    boolean appendHiddenToTell() {
        if (hiddenToTell == 0) {
            return false;
        }
        appendHidden(hiddenToTell);
        hiddenToTell = 0;
        return true;
    }

    /** Whether messages wait to become a frame. */
    boolean hasBatch() {
        return batch != null && !batch.isEmpty();
    }

    /** Makes a frame of the messages that wait to become one: before they are written, and before the readers change. */
    void seal() {
        if (batch == null || batch.isEmpty()) {
            return;
        }
        encoder.encode(topic.name, batch);
        TopicLog.Content content = encoder.content();
        for (int i = 0; i < batch.size(); i++) {
            Message message = batch.get(i);
            content.add(message);
            topic.counters.owed[message.priority().ordinal()] += subscriptions.size();
        }
        append(content);
        batch.clear();
        batchBytes = 0;
    }
}
