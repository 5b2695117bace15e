package io.barrage.gateway.hub;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a topic log: frames, one behind the other, in one direct buffer. While a socket holds a slice of it, bytes below
 * the write position never change and the buffer stays the same; when nobody does, it may be exchanged for a larger one or
 * start over.
 *
 * <p>Confined to its event loop; the buffer's reference count is the log's one plus one for each slice that a socket still
 * holds.
 */
final class Segment {
    ByteBuf buffer;
    /** Position of its first byte since the log's birth. */
    long startPosition;
    /** Ordinal of the frame behind its last. */
    long endFrame;

    /** Whether its log has dropped it while a socket held a slice. */
    boolean pinned;

    @Nullable
    Segment next;

    /** Takes {@code buffer}. */
    Segment(ByteBuf buffer, long startPosition, long startFrame) {
        this.buffer = buffer;
        this.startPosition = startPosition;
        this.endFrame = startFrame;
    }

    /** Whether a socket holds a slice of it. */
    boolean isShared() {
        return buffer.refCnt() > 1;
    }

    /** Starts over at a position of the log, without what it had; nobody may hold a slice. */
    void restart(long position) {
        buffer.clear();
        startPosition = position;
    }
}
