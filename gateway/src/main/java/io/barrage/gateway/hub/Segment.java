package io.barrage.gateway.hub;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a topic log: frames, one behind the other, in one direct buffer. Bytes below the write position never change and
 * the buffer is never re-allocated, so that slices of it can be in the sockets' hands while it grows.
 *
 * <p>Confined to its event loop; the buffer's reference count is the log's one plus one for each slice that a socket still
 * holds.
 */
final class Segment {
    final ByteBuf buffer;
    /** Position of its first byte since the log's birth. */
    final long startPosition;
    /** Ordinal of the frame behind its last. */
    long endFrame;

    @Nullable
    Segment next;

    /** Takes {@code buffer}. */
    Segment(ByteBuf buffer, long startPosition, long startFrame) {
        this.buffer = buffer;
        this.startPosition = startPosition;
        this.endFrame = startFrame;
    }

    long endPosition() {
        return startPosition + buffer.writerIndex();
    }
}
