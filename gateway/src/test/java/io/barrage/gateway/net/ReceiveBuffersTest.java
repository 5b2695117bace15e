package io.barrage.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReceiveBuffersTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ReceiveBuffers buffers = new ReceiveBuffers();

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    /** Reads as a channel does what a socket has: the sizes of the buffers that it takes. */
    private List<Integer> read(int waiting) {
        List<Integer> sizes = new ArrayList<>();
        int left = waiting;
        ExtendedHandle handle = buffers.newHandle();
        handle.reset(channel.config());
        do {
            ByteBuf buffer = handle.allocate(UnpooledByteBufAllocator.DEFAULT);
            int room = buffer.writableBytes();
            buffer.release();
            int read = Math.min(left, room);
            left -= read;
            sizes.add(room);
            handle.attemptedBytesRead(room);
            handle.lastBytesRead(read);
            if (read == 0) {
                break;
            }
            handle.incMessagesRead(1);
        } while (handle.continueReading());
        handle.readComplete();
        return sizes;
    }

    @Test
    void whatIsShortIsReadOnce() {
        assertEquals(List.of(2048), read(700));
    }

    @Test
    void whatIsLongIsReadInLargerPartsAndTheNextTurnBeginsAnew() {
        assertEquals(List.of(2048, 8192, 32_768, 65_536), read(66_000));
        assertEquals(List.of(2048), read(10));
    }

    @Test
    void theOthersHaveTheirTurnAfterSixteenReads() {
        List<Integer> sizes = read(Integer.MAX_VALUE);
        assertEquals(ReceiveBuffers.MOST_READS, sizes.size());
        assertEquals(ReceiveBuffers.MOST_BYTES, sizes.get(15));
    }

    @Test
    void stopsWhereTheChannelIsNotToRead() {
        channel.config().setAutoRead(false);
        assertEquals(List.of(2048), read(66_000));
    }

    @Test
    void asksTheChannelWhetherThereMayBeMore() {
        ExtendedHandle handle = buffers.newHandle();
        handle.reset(channel.config());
        assertTrue(handle.continueReading(() -> true));
        assertFalse(handle.continueReading(() -> false));
    }

    @Test
    void aLoopsConnectionsShareIt() throws Exception {
        ExtendedHandle handle = buffers.newHandle();
        assertSame(handle, buffers.newHandle());
        ExtendedHandle[] other = new ExtendedHandle[1];
        Thread thread = new Thread(() -> other[0] = buffers.newHandle());
        thread.start();
        thread.join();
        assertNotSame(handle, other[0]);
    }
}
