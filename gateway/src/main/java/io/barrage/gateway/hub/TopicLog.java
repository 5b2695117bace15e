package io.barrage.gateway.hub;

import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A topic's recent frames, encoded, on one event loop: a chain of {@link Segment}s and an index of their frames. Subscriptions
 * read it by cursor, which is a frame's ordinal since the log's birth.
 *
 * <p>Confined to its event loop. The log holds what some subscription may still have to read, within the topic's bounds, and
 * drops the rest. What those that keep up haven't read it never drops: who appends must stop when it {@link #isHalfUnread}.
 */
final class TopicLog {
    /** Offset of a frame that is not a message. */
    static final long NO_OFFSET = 0;

    private static final int PRIORITIES = Priority.values().length;
    private static final int FIRST_INDEX_SIZE = 8;

    private final SegmentStore store;
    private final int maxFrames;
    private final int maxBytes;

    private @Nullable Segment first;
    private @Nullable Segment last;
    private long firstFrame;
    private long firstPosition;
    private long headFrame;
    private long headPosition;
    private long lastOffset;
    private long readTo;
    private long readToPosition;
    private final long[] appended = new long[PRIORITIES];

    // The index, a ring by ordinal: the frame's end since the log's birth, and what it carries.
    private long[] ends = {};
    private long[] offsets = {};
    private long[] acceptedNanos = {};
    private byte[] priorities = {};

    private final Run run = new Run();

    TopicLog(SegmentStore store, TopicRules rules, long lastOffset) {
        this.store = store;
        this.maxFrames = rules.maxFrames();
        this.maxBytes = rules.maxLogBytes();
        this.lastOffset = lastOffset;
    }

    /**
     * What a subscription reads in one write: whole frames that lie in one segment. Valid until the log is next asked or
     * appended to.
     */
    final class Run {
        private long fromFrame = -1;
        private long toFrame;
        private long atHead = -1;
        private @Nullable Segment segment;
        private int index;
        private int length;
        private long toOffset;
        private final int[] messages = new int[PRIORITIES];
        private int messageCount;

        /** The cursor behind it. */
        long toFrame() {
            return toFrame;
        }

        /** Its last message's offset, or {@link #NO_OFFSET} if it has no message. */
        long toOffset() {
            return toOffset;
        }

        int length() {
            return length;
        }

        int messageCount() {
            return messageCount;
        }

        /** How many messages of each priority; not to be changed. */
        int[] messages() {
            return messages;
        }

        Segment segment() {
            return java.util.Objects.requireNonNull(segment);
        }

        /** Its bytes; gives the buffer. */
        ByteBuf slice() {
            return segment().buffer.retainedSlice(index, length);
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

        private void look(long from) {
            fromFrame = from;
            atHead = headFrame;
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
            toFrame = Math.min(found.endFrame, headFrame);
            index = (int) (position - found.startPosition);
            length = (int) (startOf(toFrame) - position);
            Arrays.fill(messages, 0);
            messageCount = 0;
            toOffset = NO_OFFSET;
            for (long frame = from; frame < toFrame; frame++) {
                int slot = slot(frame);
                if (offsets[slot] != NO_OFFSET) {
                    messages[priorities[slot]]++;
                    messageCount++;
                    toOffset = offsets[slot];
                }
            }
        }
    }

    /** The run from {@code cursor} on, which is neither behind the head nor trimmed. */
    Run run(long cursor) {
        // Nearly all subscriptions of a walk stand at the same place: found once, read by all.
        if (run.fromFrame != cursor || run.atHead != headFrame) {
            run.look(cursor);
        }
        return run;
    }

    /** Appends a message as a text frame. */
    void append(Message message) {
        int length = WebSocketFrames.length(message);
        byte[] scratch = store.scratch(length);
        WebSocketFrames.put(scratch, 0, message);
        append(scratch, length, message.offset(), message.priority(), message.acceptedNanos());
        lastOffset = message.offset();
        appended[message.priority().ordinal()]++;
    }

    /** Appends a whole frame that isn't a message and that nobody misses. */
    void append(byte[] frame) {
        append(frame, frame.length, NO_OFFSET, Priority.NORMAL, 0);
    }

    private void append(byte[] frame, int length, long offset, Priority priority, long accepted) {
        makeRoomInIndex();
        Segment into = segmentFor(length);
        into.buffer.writeBytes(frame, 0, length);
        headPosition += length;
        int slot = slot(headFrame);
        ends[slot] = headPosition;
        offsets[slot] = offset;
        priorities[slot] = (byte) priority.ordinal();
        acceptedNanos[slot] = accepted;
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
        long[] newEnds = new long[size];
        long[] newOffsets = new long[size];
        long[] newAccepted = new long[size];
        byte[] newPriorities = new byte[size];
        for (long frame = firstFrame; frame < headFrame; frame++) {
            int from = slot(frame);
            int to = (int) (frame & (size - 1));
            newEnds[to] = ends[from];
            newOffsets[to] = offsets[from];
            newAccepted[to] = acceptedNanos[from];
            newPriorities[to] = priorities[from];
        }
        ends = newEnds;
        offsets = newOffsets;
        acceptedNanos = newAccepted;
        priorities = newPriorities;
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
        run.forget();
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
        if (!keepLast && ends.length > FIRST_INDEX_SIZE) {
            ends = new long[0];
            offsets = new long[0];
            acceptedNanos = new long[0];
            priorities = new byte[0];
        }
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

    /** The last appended message's offset. */
    long lastOffset() {
        return lastOffset;
    }

    /** The offset before the first message at or behind {@code frame}. */
    long offsetBefore(long frame) {
        for (long i = frame; i < headFrame; i++) {
            long offset = offsets[slot(i)];
            if (offset != NO_OFFSET) {
                return offset - 1;
            }
        }
        return lastOffset;
    }

    /** When the message of a retained frame was accepted, or 0 if it isn't one. */
    long acceptedNanos(long frame) {
        return acceptedNanos[slot(frame)];
    }

    /** Counts, by priority, the messages since the log's birth that stand before the cursor {@code frame}, which isn't trimmed. */
    void messagesBefore(long frame, long[] into) {
        System.arraycopy(appended, 0, into, 0, into.length);
        for (long i = frame; i < headFrame; i++) {
            int slot = slot(i);
            if (offsets[slot] != NO_OFFSET) {
                into[priorities[slot]]--;
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
