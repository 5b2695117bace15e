package io.barrage.loadtest.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * One receive buffer for all sockets of an event loop. Confined to its event loop.
 *
 * <p>Subscribers look at what they read and keep none of it, so the same memory can serve the next read: ten thousand sockets
 * cost no buffers, and it is large, so that one read takes all that the kernel holds.
 */
final class SharedReceiveBuffer extends DefaultMaxMessagesRecvByteBufAllocator {
    static final int BYTES = 256 * 1024;

    private final ByteBuf buffer = new UnpooledByteBufAllocator(true, true).directBuffer(BYTES, BYTES);

    /** Gives the memory back; after the loop has ended. */
    void release() {
        buffer.release();
    }

    @Override
    @SuppressWarnings("deprecation") // Netty's own handles extend it too
    public Handle newHandle() {
        return new MaxMessageHandle() {
            @Override
            public ByteBuf allocate(ByteBufAllocator allocator) {
                // Somebody still reads the last bytes (an HTTP decoder that cumulates): they stay theirs.
                return buffer.refCnt() == 1 ? buffer.clear().retain() : allocator.ioBuffer(BYTES);
            }

            @Override
            public int guess() {
                return BYTES;
            }
        };
    }
}
