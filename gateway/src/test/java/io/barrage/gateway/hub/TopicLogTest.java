package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicLogTest {
    private static final TopicName TOPIC = TopicName.of("room:1");

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final SegmentStore store = new SegmentStore(allocator);
    /** All frames ever appended, by ordinal. */
    private final List<byte[]> frames = new ArrayList<>();

    private TopicLog log = log(1024, 1 << 20);
    private long offset;

    @AfterEach
    void nothingIsLeaked() {
        log.close();
        store.close();
        assertEquals(0, store.logBytes());
        assertEquals(0, allocator.metric().usedDirectMemory());
    }

    private TopicLog log(int maxFrames, int maxBytes) {
        return new TopicLog(store, new TopicRules("room", maxFrames, maxBytes, false, 0, 0, false), 0);
    }

    private void append(Priority priority, int length) {
        byte[] data = ShardRig.text(length).getBytes(StandardCharsets.UTF_8);
        Message message = new Message.Draft(TOPIC, data, priority, null, 1, 1).at(++offset);
        byte[] frame = new byte[WebSocketFrames.length(message)];
        WebSocketFrames.put(frame, 0, message);
        frames.add(frame);
        log.append(frame, 0, frame.length, new TopicLog.Content().clear().add(message));
    }

    private void append(int count) {
        for (int i = 0; i < count; i++) {
            append(Priority.NORMAL, 100);
        }
    }

    private void appendNotice() {
        byte[] frame = {(byte) 0x81, 2, '{', '}'};
        frames.add(frame);
        log.append(frame, 0, frame.length, new TopicLog.Content().clear());
    }

    private void allRead() {
        log.readTo(log.headFrame(), log.headPosition());
    }

    /** Reads from a cursor to the head and compares each byte; gives the number of runs. */
    private int readAll(long cursor) {
        int runs = 0;
        for (long at = cursor; at < log.headFrame(); runs++) {
            TopicLog.Run run = log.run(at);
            byte[][] expected = frames.subList((int) at, (int) run.toFrame()).toArray(byte[][]::new);
            ByteBuf slice = run.slice(0);
            assertArrayEquals(ByteBufUtil.getBytes(Unpooled.wrappedBuffer(expected)), ByteBufUtil.getBytes(slice));
            slice.release();
            ByteBuf copy = Unpooled.buffer();
            run.copyTo(copy);
            assertEquals(run.length(), copy.readableBytes());
            at = run.toFrame();
        }
        return runs;
    }

    @Test
    void givesAllThatWaitsAsOneRun() {
        append(50);
        TopicLog.Run run = log.run(0);
        assertEquals(50, run.toFrame());
        assertEquals(50, run.toOffset());
        assertEquals(50, run.messageCount());
        assertEquals(1, readAll(0));
        assertEquals(1, readAll(49));
    }

    @Test
    void cutsRunsAtTheSizeOfOneWrite() {
        for (int i = 0; i < 200; i++) {
            append(Priority.NORMAL, 1_000);
        }
        assertEquals(200_000 / SegmentStore.MAX_SEGMENT_BYTES + 1, readAll(0));
    }

    @Test
    void holdsFramesOfAnySize() {
        for (int length : new int[] {2, 2_000, 3_000, 65_000, 66_000, 300_000, 10, 70_000, 10}) {
            append(Priority.NORMAL, length);
        }
        readAll(0);
        readAll(5);
    }

    @Test
    void keepsAHeldSliceAsItWas() {
        append(3);
        ByteBuf slice = log.run(0).slice(0);
        byte[] before = ByteBufUtil.getBytes(slice);
        for (int i = 0; i < 20; i++) {
            append(1 + i * i);
            allRead();
            log.clear(true);
        }
        assertArrayEquals(before, ByteBufUtil.getBytes(slice));
        slice.release();
        store.sweepPinned();
        assertEquals(0, store.pinnedBytes());
    }

    @Test
    void countsARunsMessagesByPriority() {
        append(Priority.LOW, 10);
        append(Priority.CRITICAL, 10);
        appendNotice();
        append(Priority.CRITICAL, 10);
        TopicLog.Run run = log.run(0);
        assertArrayEquals(new int[] {1, 0, 0, 2}, run.messages());
        assertEquals(3, run.messageCount());
        assertEquals(4, run.toFrame());
        long[] before = new long[4];
        log.messagesBefore(2, before);
        assertArrayEquals(new long[] {1, 0, 0, 1}, before);
        log.messagesBefore(4, before);
        assertArrayEquals(new long[] {1, 0, 0, 2}, before);
        assertEquals(2, log.messages(Priority.CRITICAL.ordinal()));
    }

    @Test
    void givesNoOffsetForARunWithoutMessages() {
        append(1);
        appendNotice();
        assertEquals(TopicLog.NO_OFFSET, log.run(1).toOffset());
        assertEquals(0, log.run(1).messageCount());
        assertEquals(1, log.coveredOffset());
    }

    @Test
    void findsTheOffsetBeforeAFrame() {
        append(2);
        appendNotice();
        append(1);
        appendNotice();
        assertEquals(0, log.offsetBefore(0));
        assertEquals(1, log.offsetBefore(1));
        assertEquals(2, log.offsetBefore(2));
        assertEquals(2, log.offsetBefore(3));
        assertEquals(3, log.offsetBefore(4));
        assertEquals(3, log.offsetBefore(5));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 9, 16, 100, 1000, 1024})
    void keepsSoManyFrames(int maxFrames) {
        log = log(maxFrames, 1 << 20);
        for (int i = 0; i < 3_000; i++) {
            append(Priority.NORMAL, 2);
            assertEquals(Math.max(0, i + 1 - maxFrames), log.firstFrame());
            allRead();
        }
        readAll(log.firstFrame());
        long[] before = new long[4];
        log.messagesBefore(log.firstFrame(), before);
        assertEquals(3_000 - maxFrames, before[Priority.NORMAL.ordinal()]);
    }

    @ParameterizedTest
    @ValueSource(ints = {2_000, 16_384, 100_000, 1_000_000})
    void keepsSoManyBytes(int maxBytes) {
        log = log(1_000_000, maxBytes);
        for (int i = 0; i < 3_000; i++) {
            append(Priority.NORMAL, 900);
            int first = (int) log.firstFrame();
            // To the frame, whatever the size of the segments.
            assertTrue(bytesSince(first) <= maxBytes);
            assertTrue(first == 0 || bytesSince(first - 1) > maxBytes);
            allRead();
        }
        readAll(log.firstFrame());
        assertTrue(store.logBytes() <= maxBytes + 2L * SegmentStore.MAX_SEGMENT_BYTES);
    }

    private long bytesSince(int frame) {
        return frames.subList(frame, frames.size()).stream()
                .mapToLong(bytes -> bytes.length)
                .sum();
    }

    @Test
    void dropsNothingThatSomeWhoKeepUpHaveToRead() {
        log = log(16, 16_384);
        append(10);
        log.readTo(5, 0);
        append(100);
        assertEquals(5, log.firstFrame());
        readAll(5);
        append(Priority.NORMAL, 200_000);
        assertEquals(5, log.firstFrame());
        readAll(5);
        allRead();
        append(1);
        assertEquals(log.headFrame() - 1, log.firstFrame());
    }

    @Test
    void saysWhenHalfOfItsFramesAreUnread() {
        log = log(16, 1 << 20);
        append(7);
        assertFalse(log.isHalfUnread());
        append(1);
        assertTrue(log.isHalfUnread());
        allRead();
        assertFalse(log.isHalfUnread());
    }

    @Test
    void saysWhenHalfOfItsBytesAreUnread() {
        log = log(1024, 16_384);
        append(Priority.NORMAL, 8_000);
        assertFalse(log.isHalfUnread());
        append(Priority.NORMAL, 200);
        assertTrue(log.isHalfUnread());
    }

    @Test
    void goesOnAfterAllWasDropped() {
        for (int i = 0; i < 50; i++) {
            append(20);
            readAll(log.headFrame() - 20);
            allRead();
            log.clear(i % 2 == 0);
            assertEquals(log.headFrame(), log.firstFrame());
        }
        log.clear(false);
        assertEquals(0, store.logBytes());
        append(1);
        readAll(log.headFrame() - 1);
        assertEquals(1_001, log.coveredOffset());
    }

    @Test
    void usesItsSegmentAgainWhenAllHaveReadIt() {
        append(500);
        allRead();
        log.clear(true);
        long bytes = store.logBytes();
        for (int i = 0; i < 100; i++) {
            append(100);
            assertEquals(1, readAll(log.headFrame() - 100));
            allRead();
            log.clear(true);
            assertEquals(bytes, store.logBytes());
        }
    }

    @Test
    void keepsNoSegmentLargerThanOneWrite() {
        append(Priority.NORMAL, 300_000);
        allRead();
        log.clear(true);
        assertEquals(0, store.logBytes());
        append(1);
        assertEquals(1, readAll(1));
    }

    @Test
    void resumesOneThatFellOffAtItsLastSegment() {
        log = log(1_000, 1 << 20);
        for (int i = 0; i < 2_000; i++) {
            append(Priority.NORMAL, 300);
            allRead();
        }
        long resume = log.resumeFrame();
        assertTrue(resume > log.firstFrame() && resume < log.headFrame());
        assertEquals(1, readAll(resume));
    }
}
