package io.barrage.gateway.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How much is read from a connection at a time: little at first, since most say little, and more after each buffer that came
 * full. Each turn of its loop begins anew, so that nothing has to be remembered of a connection; Netty's own remember 144 bytes.
 * Not for transports whose reads complete later (io_uring): there another connection's read would come in between.
 *
 * <p>Thread-safe.
 */
public final class ReceiveBuffers implements RecvByteBufAllocator {
    /** Enough for an upgrade and for nearly all frames. */
    static final int FIRST_BYTES = 2 * 1024;

    static final int MOST_BYTES = 64 * 1024;

    private static final int GROWTH = 4;

    /** Then others have their turn. */
    static final int MOST_READS = 16;

    /** One for all connections of a loop, which reads from one of them at a time. */
    private final FastThreadLocal<Turn> turns = new FastThreadLocal<>() {
        @Override
        protected Turn initialValue() {
            return new Turn();
        }
    };

    @Override
    public ExtendedHandle newHandle() {
        return turns.get();
    }

    /** The reads from one connection, one after the other. Confined to its event loop. */
    private static final class Turn implements ExtendedHandle {
        private final UncheckedBooleanSupplier wasFull = this::wasFull;
        private @Nullable ChannelConfig config;
        private int reads;
        private int bytes;
        private int attemptedBytes;
        private int lastBytes;

        private boolean wasFull() {
            return lastBytes == attemptedBytes;
        }

        @Override
        public void reset(ChannelConfig read) {
            config = read;
            reads = 0;
            bytes = FIRST_BYTES;
        }

        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            return allocator.ioBuffer(bytes);
        }

        @Override
        public int guess() {
            return bytes;
        }

        @Override
        public void attemptedBytesRead(int attempted) {
            attemptedBytes = attempted;
        }

        @Override
        public int attemptedBytesRead() {
            return attemptedBytes;
        }

        @Override
        public void lastBytesRead(int read) {
            lastBytes = read;
            if (wasFull()) {
                bytes = Math.min(bytes * GROWTH, MOST_BYTES);
            }
        }

        @Override
        public int lastBytesRead() {
            return lastBytes;
        }

        @Override
        public void incMessagesRead(int more) {
            reads += more;
        }

        @Override
        public boolean continueReading() {
            return continueReading(wasFull);
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier mayBeMore) {
            return Objects.requireNonNull(config).isAutoRead() && reads < MOST_READS && mayBeMore.get();
        }

        @Override
        public void readComplete() {
            // The next turn begins anew.
        }
    }
}
