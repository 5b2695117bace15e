package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.broker.Broker.PastBounds;
import io.barrage.protocol.Message;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes a piece of a {@link Replay} for one connection: messages that the node still has, and exact gaps for those that it
 * hasn't, in the order of their offsets.
 *
 * <p>Confined to its event loop; holds the piece that was read last.
 */
final class ReplayReader {
    /** Bytes of one piece, more only for one message: each stalled connection may hold one. */
    static final int MAX_BYTES = 16 * 1024;

    private final Loop loop;
    private final ByteBufAllocator allocator;
    private final FrameEncoder encoder;

    private final int[] messages = new int[NamespaceCounters.PRIORITIES];
    private final int[] expired = new int[NamespaceCounters.PRIORITIES];
    private final int[] retracted = new int[NamespaceCounters.PRIORITIES];
    private int messageCount;
    private long through;
    private long hidden;

    private final List<Message> batch = new ArrayList<>();
    private int batchBytes;
    private long gapFrom;
    private ShedReason gapReason = ShedReason.BEHIND;

    ReplayReader(Loop loop, ByteBufAllocator allocator, FrameEncoder encoder) {
        this.loop = loop;
        this.allocator = allocator;
        this.encoder = encoder;
    }

    /** What became of a request for the next piece. */
    enum Outcome {
        /** It has been read. */
        READ,
        /** Messages are gone that the subscription must not miss: it has to recover. */
        LOST
    }

    /** How many messages of each priority it gives; not to be changed. */
    int[] messages() {
        return messages;
    }

    int messageCount() {
        return messageCount;
    }

    /** How many messages of each priority were stale; not to be changed. */
    int[] expired() {
        return expired;
    }

    /** How many messages of each priority were retracted; not to be changed. */
    int[] retracted() {
        return retracted;
    }

    /** The last offset that it covers. */
    long through() {
        return through;
    }

    /** Hidden messages that its messages tell of. */
    long hidden() {
        return hidden;
    }

    /** Encodes the piece behind a subscription's offset, which is less than its replay's end, into {@code out}, which is borrowed. */
    Outcome read(Subscription subscription, Replay replay, ByteBuf out) {
        Stream stream = subscription.stream;
        Attachment attachment = stream.topic.attachment;
        Arrays.fill(messages, 0);
        Arrays.fill(expired, 0);
        Arrays.fill(retracted, 0);
        messageCount = 0;
        hidden = 0;
        gapFrom = 0;
        // If the last piece failed, its messages are still here, and they are another's.
        batch.clear();
        batchBytes = 0;
        through = subscription.offset;
        long end = replay.through;
        if (replay.everything) {
            Past past = attachment.past(through, end, MAX_BYTES);
            if (!past.messages().isEmpty()) {
                put(stream, past, replay, out);
                return Outcome.READ;
            }
            end = Math.min(end, attachment.pastBounds().oldest() - 1);
            // What is all past and may lose nothing was promised with `recovered:true`.
            boolean whole = stream.topic.rules.reliable() || replay.owed == null;
            if (whole && !replay.mayLoseUrgent) {
                return Outcome.LOST;
            }
        }
        PastBounds bounds = attachment.pastBounds();
        if (bounds.urgentGone() > through) {
            if (!replay.mayLoseUrgent) {
                return Outcome.LOST;
            }
            end = Math.min(end, bounds.urgentGone());
            put(stream, new Past(List.of(), end), replay, out);
        } else {
            put(stream, attachment.urgentPast(through, end, MAX_BYTES), replay, out);
        }
        return Outcome.READ;
    }

    private void put(Stream stream, Past past, Replay replay, ByteBuf out) {
        long now = loop.nanoTime();
        ShedReason reason = replay.reason;
        for (Message message : past.messages()) {
            if (message.offset() > through + 1) {
                gap(stream, through + 1, reason, out);
            }
            if (message.isRetracted()) {
                // As with stale ones, its hidden count comes at the replay's end, with what is left.
                retracted[message.priority().ordinal()]++;
                gap(stream, message.offset(), ShedReason.RETRACTED, out);
            } else if (message.isExpired(now)) {
                expired[message.priority().ordinal()]++;
                gap(stream, message.offset(), ShedReason.EXPIRED, out);
            } else {
                endGap(stream, message.offset() - 1, out);
                messages[message.priority().ordinal()]++;
                messageCount++;
                hidden += message.hidden();
                put(stream, replay.isAfterLessAttention() ? message.withoutHidden() : message, out);
            }
            through = message.offset();
        }
        if (past.through() > through) {
            gap(stream, through + 1, reason, out);
            through = past.through();
        }
        endGap(stream, through, out);
        endBatch(stream, out);
    }

    private void put(Stream stream, Message message, ByteBuf out) {
        if (!stream.encoding.batch()) {
            encoder.encode(message);
            write(out);
            return;
        }
        batch.add(message);
        batchBytes += message.weight();
        if (batchBytes >= Stream.MAX_BATCH_BYTES) {
            endBatch(stream, out);
        }
    }

    private void endBatch(Stream stream, ByteBuf out) {
        if (!batch.isEmpty()) {
            encoder.encode(stream.topic.name, batch);
            write(out);
            batch.clear();
            batchBytes = 0;
        }
    }

    /** Never compressed: that pays only for what many get. */
    private void write(ByteBuf out) {
        out.writeBytes(encoder.bytes(), encoder.start(), encoder.length());
    }

    /** A gap begins at {@code from}, or goes on there if it has the same reason. */
    private void gap(Stream stream, long from, ShedReason reason, ByteBuf out) {
        if (gapFrom != 0 && gapReason != reason) {
            endGap(stream, from - 1, out);
        }
        if (gapFrom == 0) {
            endBatch(stream, out);
            gapFrom = from;
            gapReason = reason;
        }
    }

    private void endGap(Stream stream, long to, ByteBuf out) {
        if (gapFrom != 0) {
            out.writeBytes(WebSocketFrames.text(new ServerFrame.Gap(stream.topic.name, gapFrom, to, gapReason.wire())));
            gapFrom = 0;
        }
    }

    /** Room for a piece; gives the buffer. */
    ByteBuf allocate() {
        return allocator.directBuffer(MAX_BYTES + MAX_BYTES / 2);
    }
}
