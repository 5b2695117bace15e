package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SegmentStoreTest {
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final SegmentStore store = new SegmentStore(allocator);

    @AfterEach
    void nothingIsLeaked() {
        store.close();
        assertEquals(0, allocator.metric().usedDirectMemory());
        assertEquals(0, store.logBytes());
        assertEquals(0, store.pinnedBytes());
    }

    @Test
    void beginsSmallAndGrowsToOneWrite() {
        Segment first = store.allocate(10, null, 0, 0);
        Segment second = store.allocate(10, first, 100, 1);
        Segment third = store.allocate(10, second, 200, 2);
        Segment fourth = store.allocate(10, third, 300, 3);
        assertEquals(SegmentStore.MIN_SEGMENT_BYTES, first.buffer.capacity());
        assertEquals(4 * SegmentStore.MIN_SEGMENT_BYTES, second.buffer.capacity());
        assertEquals(SegmentStore.MAX_SEGMENT_BYTES, fourth.buffer.capacity());
        assertEquals(100, second.startPosition);
        assertEquals(
                first.buffer.capacity() + second.buffer.capacity() + third.buffer.capacity() + fourth.buffer.capacity(),
                store.logBytes());
        store.drop(first);
        store.drop(second);
        store.drop(third);
        store.drop(fourth);
    }

    @Test
    void makesASegmentAsLargeAsALargeFrame() {
        Segment segment = store.allocate(200_000, null, 0, 0);
        assertEquals(200_000, segment.buffer.capacity());
        store.drop(segment);
    }

    @Test
    void growsASegmentThatNobodyHolds() {
        Segment segment = store.allocate(10, null, 0, 0);
        ByteBuf small = segment.buffer;
        small.writeCharSequence("kept", StandardCharsets.US_ASCII);
        assertTrue(store.grow(segment, SegmentStore.MIN_SEGMENT_BYTES));
        assertNotSame(small, segment.buffer);
        assertEquals(0, small.refCnt());
        assertEquals("kept", segment.buffer.toString(StandardCharsets.US_ASCII));
        assertEquals(segment.buffer.capacity(), store.logBytes());
        store.drop(segment);
    }

    @Test
    void leavesASegmentAloneWhileASocketHoldsASlice() {
        Segment segment = store.allocate(10, null, 0, 0);
        segment.buffer.writeCharSequence("kept", StandardCharsets.US_ASCII);
        ByteBuf before = segment.buffer;
        ByteBuf slice = segment.buffer.retainedSlice(0, 4);
        assertFalse(store.grow(segment, SegmentStore.MIN_SEGMENT_BYTES));
        assertSame(before, segment.buffer);
        slice.release();
        store.drop(segment);
    }

    @Test
    void growsNoSegmentBeyondOneWrite() {
        Segment segment = store.allocate(10, null, 0, 0);
        segment.buffer.writeZero(10);
        assertFalse(store.grow(segment, SegmentStore.MAX_SEGMENT_BYTES - 9));
        assertTrue(store.grow(segment, SegmentStore.MAX_SEGMENT_BYTES - 10));
        store.drop(segment);
    }

    @Test
    void countsADroppedSegmentAsPinnedWhileASocketHoldsIt() {
        Segment segment = store.allocate(10, null, 0, 0);
        segment.buffer.writeCharSequence("kept", StandardCharsets.US_ASCII);
        ByteBuf slice = segment.buffer.retainedSlice(0, 4);
        store.drop(segment);
        assertEquals(0, store.logBytes());
        assertEquals(SegmentStore.MIN_SEGMENT_BYTES, store.pinnedBytes());
        store.sweepPinned();
        assertEquals(SegmentStore.MIN_SEGMENT_BYTES, store.pinnedBytes());
        assertEquals("kept", slice.toString(StandardCharsets.US_ASCII));
        slice.release();
        store.sweepPinned();
        assertEquals(0, store.pinnedBytes());
        assertEquals(0, allocator.metric().usedDirectMemory());
    }

    @Test
    void leavesASliceToItsSocketWhenItCloses() {
        Segment segment = store.allocate(10, null, 0, 0);
        segment.buffer.writeCharSequence("kept", StandardCharsets.US_ASCII);
        ByteBuf slice = segment.buffer.retainedSlice(0, 4);
        store.drop(segment);
        store.close();
        assertEquals("kept", slice.toString(StandardCharsets.US_ASCII));
        slice.release();
    }
}
