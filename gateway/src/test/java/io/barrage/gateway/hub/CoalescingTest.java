package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class CoalescingTest {
    private static final long MILLI = 1_000_000;
    private static final long WINDOW = 50 * MILLI;
    private static final long MAX_WINDOW = 400 * MILLI;

    private final ShardRig rig = new ShardRig().coalesce("room", ShardRig.FRAMES, WINDOW, MAX_WINDOW);

    @AfterEach
    void nothingIsLostOrLeaked() {
        assertEquals(0, rig.snapshot().conservationError());
        assertEquals(0, rig.closeAndCountLeaks());
        assertEquals(0, rig.snapshot().logBytes());
    }

    private void after(long nanos) {
        rig.loop.advance(nanos);
        rig.loop.runUntilIdle();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void letsTheFirstMessageOfAQuietTopicLeaveAtOnce() {
        RecordingConnection connection = rig.connect("room:1");
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(List.of(1L), connection.offsets("room:1"));
        assertEquals(0, rig.loop.timers());
        after(10 * WINDOW);
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(range(1, 2), connection.offsets("room:1"));
    }

    @Test
    void writesOncePerWindowWithAllThatCameMeanwhile() {
        RecordingConnection connection = rig.connect("room:1");
        for (int i = 0; i < 100; i++) { // 10 ms apart: a second of 100 messages
            rig.publish("room:1");
            after(10 * MILLI);
        }
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(range(1, 100), connection.offsets("room:1"));
        // The windows of a second and the two ends; rounding to ticks can only make fewer.
        assertTrue(connection.writes.size() <= 22, "writes: " + connection.writes);
        assertTrue(connection.writes.size() >= 17, "writes: " + connection.writes);
    }

    @Test
    void holdsOneTopicBackAndNotAnother() {
        RecordingConnection busy = rig.connect("room:1");
        RecordingConnection other = rig.connect("room:2");
        RecordingConnection quiet = rig.connect("quiet:1");
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.publish("room:1");
        rig.publish("room:2");
        rig.publish("quiet:1");
        rig.loop.runUntilIdle();
        rig.publish("quiet:1");
        rig.loop.runUntilIdle();
        assertEquals(List.of(1L), busy.offsets("room:1"));
        assertEquals(List.of(1L), other.offsets("room:2"));
        assertEquals(range(1, 2), quiet.offsets("quiet:1"));
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(range(1, 2), busy.offsets("room:1"));
    }

    @Test
    void letsATopicThatWaitsGoAlongWithAnothersWrite() {
        RecordingConnection connection = rig.connect("room:1", "quiet:1", "quiet:2");
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.publish("room:1");
        rig.publish("quiet:1");
        rig.publish("quiet:2");
        rig.loop.runUntilIdle();
        assertEquals(range(1, 2), connection.offsets("room:1"));
        assertEquals(List.of(1, 3), connection.writes);
    }

    @Test
    void wakesUpOnceForManyTopicsThatFallDueTogether() {
        rig.connect("room:1", "room:2", "room:3");
        for (int i = 0; i < 2; i++) {
            rig.publish("room:1");
            rig.publish("room:2");
            rig.publish("room:3");
            rig.loop.runUntilIdle();
        }
        assertEquals(1, rig.loop.timers());
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(0, rig.loop.timers());
    }

    @Test
    void neverLetsTheLogRunFullForTheSakeOfAWindow() {
        rig.coalesce("small", 16, WINDOW, MAX_WINDOW);
        RecordingConnection connection = rig.connect("small:1");
        for (int i = 0; i < 100; i++) {
            rig.publish("small:1");
            rig.loop.runUntilIdle();
        }
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(range(1, 100), connection.offsets("small:1"));
        assertEquals(0, connection.frames("gap").size());
    }

    @Test
    void widensTheWindowToTwiceTheLastWalkUpToItsBound() {
        List<RecordingConnection> connections = rig.connectMany(64, "room:1");
        connections.forEach(connection -> connection.onWrite = ignored -> rig.loop.advance(MILLI));
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(2 * 64 * MILLI, rig.snapshot().coalesceWindowNanos());
        connections.forEach(connection -> connection.onWrite = ignored -> rig.loop.advance(10 * MILLI));
        rig.publish("room:1");
        after(2 * 64 * MILLI + Coalescing.TICK_NANOS);
        assertEquals(MAX_WINDOW, rig.snapshot().coalesceWindowNanos());
        connections.forEach(connection -> connection.onWrite = ignored -> {});
        rig.publish("room:1");
        after(2 * MAX_WINDOW);
        assertEquals(WINDOW, rig.snapshot().coalesceWindowNanos());
    }

    @Test
    void showsTheWidestWindowOfThoseTopicsThatHaveOneNow() {
        RecordingConnection connection = rig.connect("room:1", "quiet:1");
        rig.publish("room:1");
        rig.publish("quiet:1");
        rig.loop.runUntilIdle();
        assertEquals(WINDOW, rig.snapshot().coalesceWindowNanos());
        rig.coalesce("room", ShardRig.FRAMES, 0, MAX_WINDOW);
        rig.shard.reconfigure(false);
        assertEquals(0, rig.snapshot().coalesceWindowNanos());
        rig.coalesce("room", ShardRig.FRAMES, WINDOW, MAX_WINDOW);
        rig.shard.reconfigure(false);
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(WINDOW, rig.snapshot().coalesceWindowNanos());
        connection.end();
        assertEquals(0, rig.snapshot().coalesceWindowNanos());
    }

    @Test
    void servesANewcomerFromItsJoinOn() {
        RecordingConnection early = rig.connect("room:1");
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        RecordingConnection late = rig.connect("room:1");
        assertEquals(2, late.frames("subscribed").get(0).number("offset"));
        rig.publish("room:1");
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(range(1, 3), early.offsets("room:1"));
        assertEquals(List.of(3L), late.offsets("room:1"));
    }

    @Test
    void forgetsATopicThatIsLeftWhileItWaits() {
        RecordingConnection connection = rig.connect("room:1");
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.unsubscribe(connection, "room:1");
        rig.subscribe(connection, "room:1");
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(List.of(1L), connection.offsets("room:1"));
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(List.of(1L, 3L), connection.offsets("room:1"));
    }

    @Test
    void keepsTheLogWhileATopicWaits() {
        RecordingConnection stalled = rig.connect("room:1");
        RecordingConnection healthy = rig.connect("room:1");
        stalled.stallNext(1);
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        // Catches up while the topic waits; what the healthy one has still to read must stay.
        stalled.drain();
        rig.loop.runUntilIdle();
        assertEquals(range(1, 2), stalled.offsets("room:1"));
        after(WINDOW + Coalescing.TICK_NANOS);
        assertEquals(range(1, 2), healthy.offsets("room:1"));
    }
}
