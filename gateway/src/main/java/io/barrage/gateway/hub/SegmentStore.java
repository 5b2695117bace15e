package io.barrage.gateway.hub;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Gives a shard's topic logs their segments and keeps account of the direct memory: of that in logs, and of that which logs
 * have dropped but stalled sockets still hold (<i>pinned</i>).
 *
 * <p>Confined to its event loop.
 */
final class SegmentStore {
    /** A busy topic's segments: one write takes no more. */
    static final int MAX_SEGMENT_BYTES = 64 * 1024;

    /** A quiet topic's first segment: there may be 100,000 of them. */
    static final int MIN_SEGMENT_BYTES = 2 * 1024;

    private final ByteBufAllocator allocator;
    private final ArrayDeque<Segment> pinned = new ArrayDeque<>();
    private long logBytes;
    private long pinnedBytes;

    SegmentStore(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** A segment behind {@code last}, with room for {@code length} bytes at least. */
    Segment allocate(int length, @Nullable Segment last, long position, long frame) {
        int grown = last == null ? MIN_SEGMENT_BYTES : Math.min(MAX_SEGMENT_BYTES, last.buffer.capacity() * 4);
        int capacity = Math.max(length, grown);
        Segment segment = new Segment(allocator.directBuffer(capacity, capacity), position, frame);
        segment.buffer.touch("hub: log");
        logBytes += capacity;
        return segment;
    }

    /**
     * Makes room for {@code length} more bytes in a segment, by a larger buffer with the same bytes; false if a socket holds
     * a slice, or if the segment would be larger than one write takes.
     */
    boolean grow(Segment segment, int length) {
        ByteBuf old = segment.buffer;
        int needed = old.writerIndex() + length;
        if (segment.isShared() || needed > MAX_SEGMENT_BYTES) {
            return false;
        }
        int capacity = Math.max(needed, Math.min(MAX_SEGMENT_BYTES, old.capacity() * 4));
        ByteBuf larger = allocator.directBuffer(capacity, capacity);
        larger.touch("hub: log");
        larger.writeBytes(old, 0, old.writerIndex());
        segment.buffer = larger;
        logBytes += capacity - old.capacity();
        old.release();
        return true;
    }

    /** Takes a segment that its log doesn't need any more. */
    void drop(Segment segment) {
        logBytes -= segment.buffer.capacity();
        if (segment.isShared()) {
            // A socket holds a slice. The last reference stays here, for the account.
            segment.pinned = true;
            pinned.add(segment);
            pinnedBytes += segment.buffer.capacity();
        } else {
            segment.buffer.release();
        }
    }

    /** Gives back pinned segments that no socket holds any more. */
    void sweepPinned() {
        if (pinned.isEmpty()) {
            return;
        }
        for (Iterator<Segment> all = pinned.iterator(); all.hasNext(); ) {
            Segment segment = all.next();
            if (!segment.isShared()) {
                pinnedBytes -= segment.buffer.capacity();
                segment.buffer.release();
                all.remove();
            }
        }
    }

    /** Direct memory of all logs. */
    long logBytes() {
        return logBytes;
    }

    /** Direct memory of segments that only stalled sockets hold. */
    long pinnedBytes() {
        return pinnedBytes;
    }

    /** Lets go of everything; slices that sockets hold live on until they are written. */
    void close() {
        for (Segment segment : pinned) {
            segment.buffer.release();
        }
        pinned.clear();
        pinnedBytes = 0;
    }
}
