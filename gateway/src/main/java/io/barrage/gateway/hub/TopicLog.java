package io.barrage.gateway.hub;

import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One stream's recent frames, encoded, on one event loop: a chain of {@link Segment}s and an index of their frames.
 * Subscriptions read it by cursor, which is a frame's ordinal since the log's birth.
 *
 * <p>A frame <i>covers</i> the offsets that it tells of: of its messages, which are dense, or of a gap. Frames that tell of no
 * offset travel in the same order.
 *
 * <p>Confined to its event loop. The log holds what some subscription may still have to read, within the topic's bounds, and
 * drops the rest. What those that keep up haven't read it never drops: who appends must stop when it {@link #isHalfUnread}.
 */
final class TopicLog {
    /** In place of an offset: the frame covers none. */
    static final long NO_OFFSET = 0;

    private static final long[] NOTHING = {};
    private static final int[] NO_COUNTS = {};
    private static final int PRIORITIES = Priority.values().length;
    private static final long[] NO_MESSAGES = new long[PRIORITIES];
    private static final int FIRST_INDEX_SIZE = 8;

    /** A frame's messages by priority are packed into one number, so many bits each. */
    private static final int COUNT_BITS = 16;

    private static final int COUNT_MASK = (1 << COUNT_BITS) - 1;

    private final SegmentStore store;
    private int maxFrames;
    private int maxBytes;

    private @Nullable Segment first;
    private @Nullable Segment last;
    private long firstFrame;
    private long firstPosition;
    private long headFrame;
    private long headPosition;
    private long coveredOffset;
    private long hiddenTold;
    private long readTo;
    private long readToPosition;
    /** Messages by priority; a quiet topic's are everybody's. */
    private long[] appended = NO_MESSAGES;

    // The index, a ring by ordinal: the frame's end since the log's birth, and what it carries.
    private long[] ends = NOTHING;
    private long[] firstOffsets = NOTHING;
    private long[] lastOffsets = NOTHING;
    private long[] counts = NOTHING;
    private int[] hiddens = NO_COUNTS;
    private long[] acceptedNanos = NOTHING;
    /** When the frame's first message to do so becomes stale, {@link #NEVER} if none does; empty until one can. */
    private long[] expires = NOTHING;

    /** Not a moment of the clock that a message could become stale at, but for one nanosecond in 584 years. */
    private static final long NEVER = 0;

    /** The run that was looked for last; null until somebody reads, since many topics are quiet. */
    private @Nullable Run run;

    /** @param coveredOffset the offset behind which its frames begin */
    TopicLog(SegmentStore store, TopicRules rules, long coveredOffset) {
        this.store = store;
        this.maxFrames = rules.maxFrames();
        this.maxBytes = rules.maxLogBytes();
        this.coveredOffset = coveredOffset;
    }

    /** Other bounds from the next frame on. */
    void bounds(TopicRules rules) {
        maxFrames = rules.maxFrames();
        maxBytes = rules.maxLogBytes();
    }

    /**
     * What a subscription reads in one write: whole frames that lie in one segment. Valid until the log is next asked or
     * appended to.
     */
    final class Run {
        private long fromFrame = -1;
        private long toFrame;
        private long end = -1;
        private @Nullable Segment segment;
        private int index;
        private int length;
        private long toOffset;
        private final int[] messages = new int[PRIORITIES];
        private int messageCount;
        private long hidden;

        /** The cursor behind it. */
        long toFrame() {
            return toFrame;
        }

        /** The last offset that it covers, or {@link #NO_OFFSET} if it covers none. */
        long toOffset() {
            return toOffset;
        }

        int length() {
            return length;
        }

        int messageCount() {
            return messageCount;
        }

        /** How many hidden messages it tells of. */
        long hidden() {
            return hidden;
        }

        /** How many messages of each priority; not to be changed. */
        int[] messages() {
            return messages;
        }

        Segment segment() {
            return java.util.Objects.requireNonNull(segment);
        }

        /** As {@link Connection#writeNow}, of its bytes. */
        int writeNowTo(Connection connection) {
            return connection.writeNow(segment().buffer, index, length);
        }

        /** Its bytes from the one at {@code start} on; gives the buffer. */
        ByteBuf slice(int start) {
            return segment().buffer.retainedSlice(index + start, length - start);
        }

        /** Its bytes, copied to {@code into}, which is borrowed. */
        void copyTo(ByteBuf into) {
            // On JVMs where Netty has no Unsafe, a copy from buffer to buffer would allocate views of the source each
            // time.
            into.writeBytes(segment().buffer.internalNioBuffer(index, length));
        }

        private void forget() {
            fromFrame = -1;
            segment = null;
        }

        private void look(long from, long before) {
            fromFrame = from;
            end = before;
            long position = startOf(from);
            Segment found = first;
            while (found != null && found.endFrame <= from) {
                found = found.next;
            }
            if (found == null) {
                throw new IllegalStateException(
                        "no segment has frame " + from + " of [" + firstFrame + ", " + headFrame + ")");
            }
            segment = found;
            toFrame = Math.min(found.endFrame, before);
            index = (int) (position - found.startPosition);
            length = (int) (startOf(toFrame) - position);
            Arrays.fill(messages, 0);
            messageCount = 0;
            hidden = 0;
            toOffset = NO_OFFSET;
            for (long frame = from; frame < toFrame; frame++) {
                int slot = slot(frame);
                if (lastOffsets[slot] != NO_OFFSET) {
                    toOffset = lastOffsets[slot];
                    messageCount += addCounts(counts[slot], messages);
                }
                hidden += hiddens[slot];
            }
        }
    }

    private static int addCounts(long packed, int[] into) {
        int sum = 0;
        for (int p = 0; p < PRIORITIES; p++) {
            int count = (int) (packed >>> (p * COUNT_BITS)) & COUNT_MASK;
            into[p] += count;
            sum += count;
        }
        return sum;
    }

    /** The run from {@code cursor} on, which is neither behind the head nor trimmed. */
    Run run(long cursor) {
        return run(cursor, headFrame);
    }

    /** The run from {@code cursor} on, up to the frame {@code before} at most. */
    Run run(long cursor, long before) {
        Run found = run;
        if (found == null) {
            found = new Run();
            run = found;
        }
        // Nearly all subscriptions of a walk stand at the same place: found once, read by all.
        if (found.fromFrame != cursor || found.end != before) {
            found.look(cursor, before);
        }
        return found;
    }

    /** What a frame carries besides its bytes. Confined to its event loop; used again and again. */
    static final class Content {
        private long firstOffset;
        private long lastOffset;
        private long counts;
        private int hidden;
        private long acceptedNanos;
        private long expiresNanos;

        /** Forgets all. */
        Content clear() {
            firstOffset = NO_OFFSET;
            lastOffset = NO_OFFSET;
            counts = 0;
            hidden = 0;
            acceptedNanos = 0;
            expiresNanos = NEVER;
            return this;
        }

        /** Adds a message, whose offset is the one behind the last. */
        Content add(Message message) {
            if (firstOffset == NO_OFFSET) {
                firstOffset = message.offset();
                acceptedNanos = message.acceptedNanos();
            }
            lastOffset = message.offset();
            counts += 1L << (message.priority().ordinal() * COUNT_BITS);
            hidden += (int) message.hidden();
            if (message.canExpire() && (expiresNanos == NEVER || message.expiresNanos() - expiresNanos < 0)) {
                expiresNanos = message.expiresNanos();
            }
            return this;
        }

        /** The offsets that a gap covers. */
        Content gap(long from, long to) {
            firstOffset = from;
            lastOffset = to;
            return this;
        }

        /** Hidden messages that it tells of. */
        Content hidden(long count) {
            hidden = (int) count;
            return this;
        }
    }

    /** Most messages of one frame. */
    static final int MAX_MESSAGES = COUNT_MASK;

    /** Appends a whole frame, of {@code length} bytes from {@code start} on. */
    void append(byte[] bytes, int start, int length, Content content) {
        makeRoomInIndex();
        if (content.expiresNanos != NEVER && expires.length == 0) {
            expires = new long[ends.length];
        }
        Segment into = segmentFor(length);
        into.buffer.writeBytes(bytes, start, length);
        headPosition += length;
        int slot = slot(headFrame);
        ends[slot] = headPosition;
        firstOffsets[slot] = content.firstOffset;
        lastOffsets[slot] = content.lastOffset;
        counts[slot] = content.counts;
        hiddens[slot] = content.hidden;
        acceptedNanos[slot] = content.acceptedNanos;
        if (expires.length > 0) {
            expires[slot] = content.expiresNanos;
        }
        if (appended == NO_MESSAGES) {
            appended = new long[PRIORITIES];
        }
        for (int p = 0; p < PRIORITIES; p++) {
            appended[p] += (content.counts >>> (p * COUNT_BITS)) & COUNT_MASK;
        }
        hiddenTold += content.hidden;
        if (content.lastOffset != NO_OFFSET) {
            coveredOffset = content.lastOffset;
        }
        headFrame++;
        into.endFrame = headFrame;
        trim();
    }

    /** The last segment, with room for {@code length} bytes. */
    private Segment segmentFor(int length) {
        Segment into = last;
        // Longer runs make fewer writes: a new segment is the end of one for everybody.
        if (into != null && (into.buffer.writableBytes() >= length || store.grow(into, length))) {
            return into;
        }
        into = store.allocate(length, last, headPosition, headFrame);
        if (last == null) {
            first = into;
        } else {
            last.next = into;
        }
        last = into;
        return into;
    }

    private void makeRoomInIndex() {
        long frames = headFrame - firstFrame;
        if (frames < ends.length) {
            return;
        }
        if (frames >= maxFrames && firstFrame < readTo) {
            trimTo(firstFrame + 1);
            return;
        }
        int size = Math.max(FIRST_INDEX_SIZE, ends.length * 2);
        ends = moved(ends, size);
        firstOffsets = moved(firstOffsets, size);
        lastOffsets = moved(lastOffsets, size);
        counts = moved(counts, size);
        acceptedNanos = moved(acceptedNanos, size);
        if (expires.length > 0) {
            expires = moved(expires, size);
        }
        int[] more = new int[size];
        for (long frame = firstFrame; frame < headFrame; frame++) {
            more[(int) (frame & (size - 1))] = hiddens[(int) (frame & (hiddens.length - 1))];
        }
        hiddens = more;
    }

    private long[] moved(long[] from, int size) {
        long[] to = new long[size];
        for (long frame = firstFrame; frame < headFrame; frame++) {
            to[(int) (frame & (size - 1))] = from[(int) (frame & (from.length - 1))];
        }
        return to;
    }

    private void trim() {
        while (firstFrame < readTo && (headFrame - firstFrame > maxFrames || headPosition - firstPosition > maxBytes)) {
            trimTo(firstFrame + 1);
        }
    }

    /** Says that all which keep up have read the frames before {@code frame}, which begins at {@code position}. */
    void readTo(long frame, long position) {
        readTo = frame;
        readToPosition = position;
    }

    /** Ordinal of the first frame that one which keeps up may not have read. */
    long readTo() {
        return readTo;
    }

    /** Whether those that keep up have still to read half of what the log may hold. */
    boolean isHalfUnread() {
        return headFrame - readTo >= maxFrames / 2 || headPosition - readToPosition >= maxBytes / 2;
    }

    /** Drops all frames before {@code frame}, whether or not one that is behind still has to read them. */
    private void trimTo(long frame) {
        firstPosition = startOf(frame);
        firstFrame = frame;
        while (first != null && first != last && first.endFrame <= frame) {
            Segment dropped = first;
            first = dropped.next;
            store.drop(dropped);
        }
    }

    private long startFrameOfLast() {
        Segment segment = first;
        long start = firstFrame;
        while (segment != null && segment != last) {
            start = segment.endFrame;
            segment = segment.next;
        }
        return start;
    }

    /**
     * Drops all frames: called when every subscription that keeps up stands at the head.
     *
     * @param keepLast whether the last segment stays for the next messages
     */
    void clear(boolean keepLast) {
        trimTo(headFrame);
        if (run != null) {
            run.forget();
        }
        if (!keepLast) {
            forgetIndex();
        }
        if (last == null) {
            return;
        }
        if (!keepLast || last.buffer.capacity() > SegmentStore.MAX_SEGMENT_BYTES) {
            store.drop(last);
            first = null;
            last = null;
        } else if (!last.isShared()) {
            // So the next run is whole and in warm memory, instead of crossing into another segment now and then.
            last.restart(headPosition);
        }
    }

    /** A hundred thousand quiet topics keep nothing between their messages. */
    private void forgetIndex() {
        run = null;
        ends = NOTHING;
        firstOffsets = NOTHING;
        lastOffsets = NOTHING;
        counts = NOTHING;
        hiddens = NO_COUNTS;
        acceptedNanos = NOTHING;
        expires = NOTHING;
    }

    /** Whether it takes no memory but its index. */
    boolean isEmpty() {
        return last == null;
    }

    /** Drops everything; the log is not used again. */
    void close() {
        clear(false);
    }

    /** Where one that has fallen off the log goes on: the head less one run, at most. */
    long resumeFrame() {
        return Math.max(firstFrame, startFrameOfLast());
    }

    /** Ordinal of the oldest frame that is still there. */
    long firstFrame() {
        return firstFrame;
    }

    /** Ordinal that the next frame gets. */
    long headFrame() {
        return headFrame;
    }

    /** Bytes appended since the log's birth. */
    long headPosition() {
        return headPosition;
    }

    /** Bytes at and behind the cursor {@code frame}, as far as they are still there. */
    long bytesFrom(long frame) {
        return headPosition - startOf(Math.max(frame, firstFrame));
    }

    /** The last offset that a frame has covered. */
    long coveredOffset() {
        return coveredOffset;
    }

    /** The offset before the first one that a frame at or behind {@code frame} covers. */
    long offsetBefore(long frame) {
        for (long i = frame; i < headFrame; i++) {
            long offset = firstOffsets[slot(i)];
            if (offset != NO_OFFSET) {
                return offset - 1;
            }
        }
        return coveredOffset;
    }

    /** Whether it has, or had, frames that can become stale. */
    boolean canBeStale() {
        return expires.length > 0;
    }

    /** The first retained frame at or behind {@code frame} that is stale now; the head if none is. */
    long staleFrom(long frame, long nowNanos) {
        if (expires.length == 0) {
            return headFrame;
        }
        long found = frame;
        while (found < headFrame && !isStale(found, nowNanos)) {
            found++;
        }
        return found;
    }

    /** The first retained frame at or behind {@code frame} that isn't stale now; the head if none is. */
    long freshFrom(long frame, long nowNanos) {
        long found = frame;
        while (found < headFrame && isStale(found, nowNanos)) {
            found++;
        }
        return found;
    }

    private boolean isStale(long frame, long nowNanos) {
        long at = expires.length == 0 ? NEVER : expires[slot(frame)];
        return at != NEVER && nowNanos - at >= 0;
    }

    /** Hidden messages that frames since the log's birth have told of. */
    long hiddenTold() {
        return hiddenTold;
    }

    /** Hidden messages that frames before the cursor {@code frame}, which isn't trimmed, have told of. */
    long hiddenToldBefore(long frame) {
        long told = hiddenTold;
        for (long i = frame; i < headFrame; i++) {
            told -= hiddens[slot(i)];
        }
        return told;
    }

    /** When the first message of a retained frame was accepted, or 0 if it has none. */
    long acceptedNanos(long frame) {
        return acceptedNanos[slot(frame)];
    }

    /** Counts, by priority, the messages since the log's birth that stand before the cursor {@code frame}, which isn't trimmed. */
    void messagesBefore(long frame, long[] into) {
        System.arraycopy(appended, 0, into, 0, into.length);
        for (long i = frame; i < headFrame; i++) {
            long packed = counts[slot(i)];
            for (int p = 0; p < into.length && packed != 0; p++) {
                into[p] -= packed & COUNT_MASK;
                packed >>>= COUNT_BITS;
            }
        }
    }

    /** Messages of a priority since the log's birth. */
    long messages(int priority) {
        return appended[priority];
    }

    private long startOf(long frame) {
        return frame == firstFrame ? firstPosition : ends[slot(frame - 1)];
    }

    private int slot(long frame) {
        return (int) (frame & (ends.length - 1));
    }

    @Override
    public String toString() {
        return "TopicLog[frames " + firstFrame + " to " + headFrame + ", " + (headPosition - firstPosition) + " bytes]";
    }
}
