package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.PublishResult;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class HubShardTest {
    private static final int MORE_THAN_TWO_SLICES = 2 * Slice.MAX_WRITES + 88;

    private ShardRig rig = new ShardRig();

    @AfterEach
    void nothingIsLostOrLeaked() {
        assertEquals(0, rig.snapshot().conservationError());
        assertEquals(0, rig.closeAndCountLeaks());
        HubSnapshot last = rig.snapshot();
        assertEquals(0, last.conservationError());
        assertEquals(0, last.logBytes());
        assertEquals(0, last.pinnedBytes());
        assertEquals(0, last.connections());
        assertEquals(0, last.subscriptions());
        assertEquals(0, last.topics());
        assertEquals(0, last.behindSubscriptions());
        assertEquals(0, last.behindConnections());
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    private static long written(List<RecordingConnection> connections) {
        return connections.stream().filter(c -> !c.writes.isEmpty()).count();
    }

    @Nested
    class OnAPublish {
        @Test
        void schedulesOneTaskForABurst() {
            rig.connectMany(3, "room:1");
            rig.publishMany(32, "room:1");
            assertEquals(1, rig.loop.executed());
        }

        @Test
        void schedulesAgainOnceItHasComeToRest() {
            rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            assertEquals(2, rig.loop.executed());
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L, 2L), rig.connections.get(0).offsets("room:1"));
        }

        @Test
        void schedulesNothingWithoutSubscriptions() {
            rig.publish("room:1");
            assertEquals(0, rig.loop.executed());
        }

        @Test
        void writesALoneMessageInTheNextTurn() {
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.turn();
            assertEquals(List.of(1L), connection.offsets("room:1"));
            assertTrue(rig.loop.isIdle());
        }

        @Test
        void writesEachConnectionOncePerDrain() {
            List<RecordingConnection> connections = rig.connectMany(10, "room:1");
            rig.publishMany(32, "room:1");
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : connections) {
                assertEquals(List.of(32), connection.writes);
                assertEquals(range(1, 32), connection.offsets("room:1"));
            }
            assertEquals(10, rig.snapshot().socketWrites());
            assertEquals(320, rig.snapshot().messagesWritten());
        }

        @Test
        void carriesTheDataAsPublished() {
            RecordingConnection connection = rig.connect("room:1");
            String data = "{\"a\" : [1,  2.50,\"\\u00e9\u00e9\"]}";
            rig.publish("room:1", Priority.HIGH, data);
            rig.loop.runUntilIdle();
            RecordingConnection.Frame frame = connection.frames("message").get(0);
            assertTrue(frame.text().endsWith(",\"data\":" + data + "}"), frame.text());
            assertEquals("high", frame.json().get("priority").asString());
        }

        @Test
        void writesFramesLargerThanASegment() {
            RecordingConnection connection = rig.connect("room:1");
            String large = ShardRig.text(3 * SegmentStore.MAX_SEGMENT_BYTES);
            rig.publish("room:1");
            rig.publish("room:1", Priority.NORMAL, large);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(range(1, 3), connection.offsets("room:1"));
            assertTrue(connection.frames("message").get(1).text().endsWith(large + '}'));
        }

        @Test
        void tellsWhenTheLastSocketIsWritten() {
            rig.connectMany(2, "room:1");
            rig.publish("room:1");
            rig.loop.advance(1_000);
            rig.publish("room:1");
            rig.loop.advance(500);
            rig.loop.runUntilIdle();
            assertEquals(List.of(1_500L, 500L), rig.fannedOut);
        }

        @Test
        void tellsItOnceForAllStreamsOfATopic() {
            rig.connect("room:1");
            RecordingConnection digest = rig.connect("room:1");
            rig.attention(digest, "room:1", AttentionLevel.DIGEST);
            rig.subscribe(rig.connect(Encoding.BATCH), "room:1");
            rig.connections.forEach(c -> c.onWrite = ignored -> rig.loop.advance(1_000));
            rig.publish("room:1", Priority.HIGH, "1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(3_000L), rig.fannedOut);
        }
    }

    @Nested
    class OfAConnectionWithSeveralTopics {
        @Test
        void writesAllTopicsAtOnce() {
            RecordingConnection connection = rig.connect("room:1", "room:2", "room:3");
            rig.publish("room:1");
            rig.publish("room:2");
            rig.publish("room:1");
            rig.publish("room:3");
            rig.loop.runUntilIdle();
            assertEquals(List.of(4), connection.writes);
            assertEquals(List.of(1L, 2L), connection.offsets("room:1"));
            assertEquals(List.of(1L), connection.offsets("room:2"));
            assertEquals(List.of(1L), connection.offsets("room:3"));
        }

        @Test
        void tellsWhenTheLastSocketOfAllTheseIsWritten() {
            List<RecordingConnection> connections = rig.connectMany(3, "room:1", "room:2");
            connections.forEach(c -> c.onWrite = ignored -> rig.loop.advance(1_000));
            rig.publish("room:1");
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            assertEquals(List.of(3_000L, 3_000L), rig.fannedOut);
        }

        @Test
        void writesLargeRunsApart() {
            RecordingConnection connection = rig.connect("room:1", "room:2", "room:3");
            rig.publish("room:1", Priority.NORMAL, ShardRig.text(Delivery.MAX_MERGED_BYTES));
            rig.publish("room:2");
            rig.publish("room:3");
            rig.loop.runUntilIdle();
            assertEquals(List.of(2, 1), connection.writes);
            assertEquals(List.of(1L), connection.offsets("room:1"));
        }

        @Test
        void countsAMergedRunInFlightForEachTopic() {
            RecordingConnection connection = rig.connect("room:1", "game:1").stallNext(1);
            rig.publish("room:1");
            rig.publish("game:1", Priority.HIGH, "1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(0L, 1L, 0L, 0L), rig.counters("room").inFlight());
            assertEquals(List.of(0L, 0L, 1L, 0L), rig.counters("game").inFlight());
            connection.drain();
            assertEquals(List.of(0L, 1L, 0L, 0L), rig.counters("room").delivered());
            assertEquals(List.of(0L, 0L, 1L, 0L), rig.counters("game").delivered());
        }

        @Test
        void servesItsTopicsInTurnsAfterItWasBehind() {
            RecordingConnection connection = rig.connect("room:1", "room:2").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            String run = ShardRig.text(60_000);
            for (int i = 0; i < 3; i++) {
                rig.publish("room:1", Priority.NORMAL, run);
                rig.publish("room:2", Priority.NORMAL, run);
            }
            connection.stallNext(5);
            List<Integer> ofFirst = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                rig.loop.runUntilIdle();
                connection.drain();
                ofFirst.add(connection.offsets("room:1").size());
            }
            rig.loop.runUntilIdle();
            // The first drain brings the first message; then the topics alternate.
            assertEquals(List.of(1, 2, 2, 3, 3, 4), ofFirst);
            assertEquals(range(1, 4), connection.offsets("room:1"));
            assertEquals(range(1, 3), connection.offsets("room:2"));
        }

        @Test
        void forgetsATopicThatItLeavesBeforeItIsWritten() {
            // Enough others that the walks of both topics fill slices before the touched list is written.
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:1");
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:2");
            RecordingConnection connection = rig.connect("room:1", "room:2", "room:3");
            rig.publish("room:1");
            rig.publish("room:2");
            rig.publish("room:3");
            rig.loop.turn();
            assertTrue(connection.touched);
            rig.unsubscribe(connection, "room:1");
            rig.unsubscribe(connection, "room:3");
            rig.loop.runUntilIdle();
            assertEquals(List.of(), connection.offsets("room:1"));
            assertEquals(List.of(1L), connection.offsets("room:2"));
            assertEquals(List.of(), connection.offsets("room:3"));
        }

        @Test
        void survivesTheEndOfOneThatWaitsToBeWritten() {
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:1");
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:2");
            RecordingConnection connection = rig.connect("room:1", "room:2");
            rig.publish("room:1");
            rig.publish("room:2");
            rig.loop.turn();
            assertTrue(connection.touched);
            connection.end();
            rig.loop.runUntilIdle();
            assertEquals(List.of(), connection.writes);
            assertEquals(2, rig.shed("room", ShedReason.DISCONNECTED, Priority.NORMAL));
        }

        @Test
        void appendsNothingWhileSomeWaitToBeWritten() {
            rig.rules("room", 16, 1 << 20);
            List<RecordingConnection> connections = rig.connectMany(300, "room:1", "room:2");
            connections.forEach(c -> c.onWrite = ignored -> rig.loop.advance(Slice.MAX_NANOS / 20));
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1");
                rig.publish("room:2");
                rig.loop.turn();
            }
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : connections) {
                assertEquals(range(1, 100), connection.offsets("room:1"));
                assertEquals(range(1, 100), connection.offsets("room:2"));
            }
        }
    }

    @Nested
    class InSlices {
        @Test
        void yieldsAfterSoManyWrites() {
            List<RecordingConnection> connections = rig.connectMany(MORE_THAN_TWO_SLICES, "room:1");
            rig.publish("room:1");
            rig.loop.turn();
            assertEquals(Slice.MAX_WRITES, written(connections));
            assertEquals(1, rig.loop.waitingForIo());
            rig.loop.turn();
            assertEquals(2 * Slice.MAX_WRITES, written(connections));
            rig.loop.turn();
            assertEquals(MORE_THAN_TWO_SLICES, written(connections));
            assertTrue(rig.loop.isIdle());
        }

        @Test
        void yieldsAfterSoMuchTime() {
            List<RecordingConnection> connections = rig.connectMany(100, "room:1");
            connections.forEach(c -> c.onWrite = ignored -> rig.loop.advance(Slice.MAX_NANOS / 20));
            rig.publish("room:1");
            rig.loop.turn();
            // The clock is looked at after every 32 writes.
            assertEquals(32, written(connections));
            assertEquals(1, rig.loop.waitingForIo());
        }

        @Test
        void servesANewcomerBetweenThem() {
            List<RecordingConnection> connections = rig.connectMany(MORE_THAN_TWO_SLICES, "room:1");
            rig.publish("room:1");
            rig.loop.turn();
            RecordingConnection newcomer = rig.connect("room:1");
            assertEquals(1, newcomer.frames("subscribed").get(0).number("offset"));
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(2L), newcomer.offsets("room:1"));
            for (RecordingConnection connection : connections) {
                assertEquals(List.of(1L, 2L), connection.offsets("room:1"));
            }
        }

        @Test
        void takesWhatWasPublishedMeanwhileAlong() {
            List<RecordingConnection> connections = rig.connectMany(MORE_THAN_TWO_SLICES, "room:1");
            rig.publish("room:1");
            rig.loop.turn();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            // Those whom the first walk had still to visit get both at once.
            assertEquals(
                    MORE_THAN_TWO_SLICES - Slice.MAX_WRITES,
                    connections.stream()
                            .filter(c -> c.writes.equals(List.of(2)))
                            .count());
            assertEquals(
                    Slice.MAX_WRITES,
                    connections.stream()
                            .filter(c -> c.writes.equals(List.of(1, 1)))
                            .count());
        }

        @Test
        void letsTopicsTakeTurns() {
            List<RecordingConnection> hot = rig.connectMany(8 * Slice.MAX_WRITES, "room:hot");
            RecordingConnection quiet = rig.connect("room:quiet");
            rig.publish("room:hot");
            rig.loop.turn();
            rig.publish("room:quiet");
            rig.loop.turn();
            rig.loop.turn();
            assertEquals(List.of(1L), quiet.offsets("room:quiet"));
            assertTrue(written(hot) < 4 * Slice.MAX_WRITES);
            rig.loop.runUntilIdle();
            assertEquals(8 * Slice.MAX_WRITES, written(hot));
        }

        @Test
        void visitsEachOnceThoughConnectionsComeAndGoBetweenThem() {
            List<RecordingConnection> connections = rig.connectMany(4 * Slice.MAX_WRITES, "room:1");
            Collections.shuffle(connections, new java.util.Random(7));
            rig.publish("room:1");
            int ended = 0;
            for (int slice = 0; slice < 3; slice++) {
                rig.loop.turn();
                for (int i = 0; i < 50; i++) {
                    connections.get(ended++).end();
                    rig.connect("room:1");
                }
                assertEquals(0, rig.snapshot().conservationError());
            }
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : connections.subList(ended, connections.size())) {
                assertEquals(List.of(1), connection.writes);
            }
            for (RecordingConnection newcomer : rig.connections.subList(4 * Slice.MAX_WRITES, rig.connections.size())) {
                assertEquals(List.of(), newcomer.writes);
            }
        }

        @Test
        void givesLaggardsAQuarterWhileOthersWait() {
            List<RecordingConnection> laggards = rig.connectMany(Slice.MAX_WRITES, "room:slow");
            laggards.forEach(c -> c.stallNext(1));
            rig.publish("room:slow");
            rig.loop.runUntilIdle();
            rig.publish("room:slow");
            rig.loop.runUntilIdle();
            List<RecordingConnection> healthy = rig.connectMany(4 * Slice.MAX_WRITES, "room:1");
            rig.publish("room:1");
            rig.loop.turn();
            laggards.forEach(RecordingConnection::drain);
            assertEquals(Slice.MAX_WRITES, written(healthy));
            rig.loop.turn();
            assertEquals(
                    Slice.MAX_WRITES / 4,
                    laggards.stream().filter(c -> c.writes.size() == 2).count());
            assertEquals(Slice.MAX_WRITES + Slice.MAX_WRITES * 3 / 4, written(healthy));
            rig.loop.runUntilIdle();
            laggards.forEach(c -> assertEquals(List.of(1L, 2L), c.offsets("room:slow")));
        }

        @Test
        void servesALaggardOnManyTopicsInSlices() {
            String[] topics = new String[MORE_THAN_TWO_SLICES];
            for (int i = 0; i < topics.length; i++) {
                topics[i] = "room:" + i;
            }
            RecordingConnection laggard = rig.connect(topics).stallNext(1);
            rig.publish(topics[0]);
            rig.loop.runUntilIdle();
            for (String topic : topics) {
                rig.publish(topic);
            }
            rig.loop.runUntilIdle();
            laggard.drain();
            rig.loop.turn();
            assertEquals(1 + Slice.MAX_WRITES, laggard.writes.size());
            rig.loop.turn();
            assertEquals(1 + 2 * Slice.MAX_WRITES, laggard.writes.size());
            rig.loop.runUntilIdle();
            for (String topic : topics) {
                assertEquals(topic.equals(topics[0]) ? List.of(1L, 2L) : List.of(1L), laggard.offsets(topic));
            }
        }

        @Test
        void givesLaggardsAllWhenNobodyElseWaits() {
            List<RecordingConnection> laggards = rig.connectMany(Slice.MAX_WRITES, "room:slow");
            laggards.forEach(c -> c.stallNext(1));
            rig.publish("room:slow");
            rig.loop.runUntilIdle();
            rig.publish("room:slow");
            rig.loop.runUntilIdle();
            laggards.forEach(RecordingConnection::drain);
            rig.loop.turn();
            laggards.forEach(c -> assertEquals(List.of(1L, 2L), c.offsets("room:slow")));
        }

        @Test
        void stopsPollingRatherThanLapThoseThatKeepUp() {
            rig.rules("room", 16, 1 << 20);
            List<RecordingConnection> connections = rig.connectMany(300, "room:1");
            connections.forEach(c -> c.onWrite = ignored -> rig.loop.advance(Slice.MAX_NANOS / 20));
            long mostQueued = 0;
            // A walk takes ten turns, in which more is published than the log may hold.
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1");
                rig.publish("room:1");
                rig.loop.turn();
                mostQueued = Math.max(mostQueued, rig.snapshot().queuedBytes());
            }
            assertTrue(mostQueued > 0);
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : connections) {
                assertEquals(range(1, 200), connection.offsets("room:1"));
                assertEquals(List.of(), connection.frames("gap"));
            }
        }

        @Test
        void lapsNobodyThatKeepsUpWhenTheLogIsSmallerThanASegment() {
            rig.rules("room", 1024, 16 << 10);
            RecordingConnection stalled = rig.connect("room:1").stallNext(1);
            RecordingConnection healthy = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            for (int i = 0; i < 100; i++) {
                for (int k = 0; k < 7; k++) {
                    rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                }
                rig.loop.runUntilIdle();
            }
            assertEquals(range(1, 701), healthy.offsets("room:1"));
            stalled.drain();
            rig.loop.runUntilIdle();
            // What fits into the log it still gets.
            assertTrue(stalled.frames("gap").get(0).number("to") > 680);
            assertTrue(stalled.offsets("room:1").size() > 5);
        }

        @Test
        void yieldsBetweenAppends() {
            int topics = 3 * Incoming.MAX_APPENDED_BYTES / 1_000;
            RecordingConnection connection = rig.connect("room:1");
            RecordingConnection other = rig.connect("room:2");
            for (int i = 0; i < topics; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            }
            rig.publish("room:2");
            rig.loop.turn();
            assertEquals(1, rig.loop.waitingForIo());
            assertTrue(connection.offsets("room:1").size() <= topics / 3);
            assertEquals(List.of(), other.offsets("room:2"));
            rig.loop.runUntilIdle();
            assertEquals(range(1, topics), connection.offsets("room:1"));
            assertEquals(List.of(1L), other.offsets("room:2"));
        }

        @Test
        void appendsNoMoreThanItsLogsMayHoldAheadOfItsWalks() {
            long maxLogBytes = 1 << 20;
            rig = new ShardRig(new HubMemory(16 << 20, maxLogBytes, 16 << 20));
            for (int i = 0; i < 2_000; i++) {
                rig.connect("room:" + i);
                rig.publish("room:" + i);
            }
            long most = 0;
            while (rig.loop.turn()) {
                most = Math.max(most, rig.snapshot().logBytes());
            }
            // Each slice may go over it once: by a segment for each small message.
            assertTrue(most < 2 * maxLogBytes + Incoming.MAX_APPENDED_BYTES / 150 * 2_048L, "logs took " + most);
            assertTrue(most > maxLogBytes / 2);
            rig.connections.forEach(c -> assertEquals(1, c.writes.size()));
        }

        @Test
        void closesATopicInTheMiddleOfItsWalk() {
            rig.rules("room", 16, 1 << 20);
            List<RecordingConnection> connections = rig.connectMany(MORE_THAN_TWO_SLICES, "room:1");
            RecordingConnection other = rig.connect("game:1");
            rig.publishMany(20, "room:1");
            rig.publish("game:1");
            rig.loop.turn();
            connections.forEach(RecordingConnection::end);
            assertEquals(1, rig.snapshot().topics());
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), other.offsets("game:1"));
            assertEquals(0, rig.snapshot().queuedBytes());
        }
    }

    @Nested
    class WithAConnectionThatIsBehind {
        @Test
        void writesNothingMoreUntilItHasDrained() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(5, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(1), connection.writes);
            assertEquals(1, rig.snapshot().behindConnections());
            assertEquals(1, rig.snapshot().behindSubscriptions());
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of(1, 5), connection.writes);
            assertEquals(range(1, 6), connection.offsets("room:1"));
            assertEquals(0, rig.snapshot().behindConnections());
            assertEquals(0, rig.snapshot().behindSubscriptions());
        }

        @Test
        void tellsItExactlyWhatItMissed() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            RecordingConnection healthy = rig.connect("room:1");
            rig.publishMany(3, "room:1");
            rig.loop.runUntilIdle();
            for (int i = 0; i < 50; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(range(1, 53), healthy.offsets("room:1"));
            List<RecordingConnection.Frame> gaps = connection.frames("gap");
            assertEquals(1, gaps.size());
            RecordingConnection.Frame gap = gaps.get(0);
            assertEquals("behind", gap.json().get("reason").asString());
            assertEquals(4, gap.number("from"));
            long to = gap.number("to");
            assertEquals(to - 3, gap.number("count"));
            // It goes on within the last 16.
            assertTrue(to >= 37 && to < 53, gap.text());
            List<Long> expected = new ArrayList<>(range(1, 3));
            expected.addAll(range(to + 1, 53));
            assertEquals(expected, connection.offsets("room:1"));
            assertEquals("gap", connection.types().get(3));
        }

        @Test
        void givesWhatIsUrgentAndCountsTheRestByPriority() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1", Priority.CRITICAL, "1");
            rig.publish("room:1", Priority.LOW, "1");
            rig.publish("room:1", Priority.LOW, "1");
            rig.publish("room:1", Priority.HIGH, "1");
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            assertEquals(0, rig.shed("room", ShedReason.BEHIND, Priority.LOW));
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(
                    List.of("message", "message", "gap", "message", "gap"),
                    connection.types().subList(0, 5));
            assertEquals(List.of(1L, 2L, 5L), connection.offsets("room:1").subList(0, 3));
            List<RecordingConnection.Frame> gaps = connection.frames("gap");
            assertEquals(3, gaps.get(0).number("from"));
            assertEquals(4, gaps.get(0).number("to"));
            assertEquals(2, rig.shed("room", ShedReason.BEHIND, Priority.LOW));
            assertEquals(0, rig.shed("room", ShedReason.BEHIND, Priority.HIGH));
            assertEquals(0, rig.shed("room", ShedReason.BEHIND, Priority.CRITICAL));
            assertEquals(gaps.get(1).number("count"), rig.shed("room", ShedReason.BEHIND, Priority.NORMAL));
        }

        @Test
        void keepsTheBytesInItsHandsThoughTheLogMovesOn() {
            rig.rules("room", 16, 16 << 10);
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            String first = ShardRig.text(1_500);
            rig.publish("room:1", Priority.NORMAL, first);
            rig.loop.runUntilIdle();
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1", Priority.NORMAL, '"' + "y".repeat(1_500) + '"');
                rig.loop.runUntilIdle();
            }
            assertTrue(rig.snapshot().pinnedBytes() > 0);
            connection.drain();
            assertTrue(connection.frames("message").get(0).text().endsWith(first + '}'));
            rig.loop.runUntilIdle();
            assertEquals(0, rig.snapshot().pinnedBytes());
        }

        @Test
        void countsWhatIsLostWithIt() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.connect("room:1");
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1", Priority.HIGH, "1");
            rig.loop.runUntilIdle();
            connection.end();
            assertEquals(2, rig.shed("room", ShedReason.DISCONNECTED, Priority.NORMAL));
            assertEquals(1, rig.shed("room", ShedReason.DISCONNECTED, Priority.HIGH));
        }

        @Test
        void countsWhatABrokenSocketTookAsLost() {
            RecordingConnection connection = rig.connect("room:1");
            connection.breakSocket();
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(2, rig.shed("room", ShedReason.DISCONNECTED, Priority.NORMAL));
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            connection.end();
            assertEquals(3, rig.shed("room", ShedReason.DISCONNECTED, Priority.NORMAL));
        }

        @Test
        void survivesTheEndOfOneThatWaitsToBeServed() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            connection.drain();
            assertTrue(connection.resuming);
            connection.end();
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), connection.offsets("room:1"));
        }

        @Test
        void letsItLeaveATopicWithARunInFlight() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.unsubscribe(connection, "room:1");
            assertEquals(0, rig.snapshot().topics());
            assertEquals(1, rig.shed("room", ShedReason.DISCONNECTED, Priority.NORMAL));
            assertEquals(List.of(0L, 2L, 0L, 0L), rig.counters("room").inFlight());
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of(0L, 2L, 0L, 0L), rig.counters("room").delivered());
        }
    }

    @Nested
    class ForMemory {
        @Test
        void keepsNoSegmentForAQuietTopic() {
            for (int i = 0; i < 100; i++) {
                rig.connectMany(Stream.BUSY - 1, "room:" + i);
                rig.publish("room:" + i);
            }
            rig.loop.runUntilIdle();
            assertEquals(0, rig.snapshot().logBytes());
            assertEquals(0, rig.activeBuffers());
        }

        @Test
        void keepsOneSegmentForABusyTopic() {
            rig.connectMany(Stream.BUSY, "room:1");
            for (int i = 0; i < 1_000; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                rig.loop.runUntilIdle();
            }
            assertEquals(1, rig.activeBuffers());
            assertTrue(rig.snapshot().logBytes() <= SegmentStore.MAX_SEGMENT_BYTES);
        }

        @Test
        void writesEachBatchOfABusyTopicInOnePiece() {
            List<RecordingConnection> connections = rig.connectMany(Stream.BUSY, "room:1");
            for (int i = 0; i < 100; i++) {
                for (int k = 0; k < 10; k++) {
                    rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                }
                rig.loop.runUntilIdle();
            }
            connections.forEach(c -> assertEquals(Collections.nCopies(100, 10), c.writes));
        }

        @Test
        void letsTheLogGoWhenTheLastOneIsServed() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(100, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(rig.snapshot().logBytes() > 0);
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(0, rig.snapshot().logBytes());
        }

        @Test
        void freesWhatOneHasPinnedWhenItIsGone() {
            rig.rules("room", 16, 16 << 10);
            rig.connect("room:1");
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                rig.loop.runUntilIdle();
            }
            assertTrue(rig.snapshot().pinnedBytes() > 0);
            slow.end();
            rig.loop.runUntilIdle();
            assertEquals(0, rig.snapshot().pinnedBytes());
        }

        @Test
        void closesTheOneThatPinsTheOldest() {
            rig = new ShardRig(new HubMemory(1 << 20, 64 << 20, 100_000)).rules("room", 16, 16 << 10);
            List<RecordingConnection> slow = new ArrayList<>();
            RecordingConnection healthy = rig.connect("room:1");
            for (int i = 0; i < 10; i++) {
                slow.add(rig.connect("room:1").stallNext(1));
                for (int k = 0; k < 70; k++) {
                    rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                    rig.loop.runUntilIdle();
                    rig.loop.advance(1_000);
                    assertTrue(rig.snapshot().pinnedBytes() <= 100_000);
                }
            }
            List<CloseCode> codes = new ArrayList<>();
            slow.forEach(c -> codes.add(c.closeCode()));
            assertEquals(CloseCode.SLOW_CONSUMER, codes.get(0));
            assertNull(codes.get(9));
            // The oldest and nobody else: a prefix.
            int closed =
                    (int) codes.stream().filter(CloseCode.SLOW_CONSUMER::equals).count();
            assertTrue(closed < 10);
            assertEquals(closed, codes.lastIndexOf(CloseCode.SLOW_CONSUMER) + 1);
            assertNull(healthy.closeCode());
            assertEquals(range(1, 700), healthy.offsets("room:1"));
        }

        @Test
        void closesNobodyWhoseClosingFreesNothing() {
            rig = new ShardRig(new HubMemory(1 << 20, 64 << 20, 50_000)).rules("room", 16, 16 << 10);
            // It stalled before all others, but what it holds is still in its topic's log.
            RecordingConnection bystander = rig.connect("quiet:1").stallNext(1);
            rig.publish("quiet:1");
            rig.loop.runUntilIdle();
            List<RecordingConnection> slow = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                rig.loop.advance(1_000);
                slow.add(rig.connect("room:1").stallNext(1));
                for (int k = 0; k < 70; k++) {
                    rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
                    rig.loop.runUntilIdle();
                }
            }
            assertEquals(CloseCode.SLOW_CONSUMER, slow.get(0).closeCode());
            assertNull(bystander.closeCode());
        }

        @Test
        void countsCopiesThatStalledSocketsHold() {
            rig = new ShardRig(new HubMemory(1 << 20, 64 << 20, 25_000));
            List<RecordingConnection> slow = rig.connectMany(3, "room:1", "room:2");
            slow.forEach(c -> c.stallNext(1));
            rig.publish("room:1", Priority.NORMAL, ShardRig.text(5_000));
            rig.publish("room:2", Priority.NORMAL, ShardRig.text(5_000));
            slow.forEach(c -> c.onWrite = ignored -> rig.loop.advance(1));
            rig.loop.runUntilIdle();
            // Two of them fit; the walk goes backwards, so the last connection stalled first.
            assertEquals(CloseCode.SLOW_CONSUMER, slow.get(2).closeCode());
            assertNull(slow.get(1).closeCode());
            assertNull(slow.get(0).closeCode());
            long pinned = rig.snapshot().pinnedBytes();
            assertTrue(pinned > 20_000 && pinned < 21_000, "pinned " + pinned);
            slow.get(0).drain();
            slow.get(1).drain();
            assertEquals(0, rig.snapshot().pinnedBytes());
        }

        @Test
        void dropsTheLogOfTheLongestStalledWhenLogsTakeTooMuch() {
            rig = new ShardRig(new HubMemory(1 << 20, 200_000, 16 << 20));
            List<RecordingConnection> slow = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                slow.add(rig.connect("room:" + i).stallNext(1));
                rig.publish("room:" + i);
                rig.loop.runUntilIdle();
                rig.loop.advance(1_000);
            }
            for (int k = 0; k < 80; k++) {
                for (int i = 0; i < 3; i++) {
                    rig.publish("room:" + i, Priority.NORMAL, ShardRig.text(1_000));
                }
                rig.loop.runUntilIdle();
                assertTrue(rig.snapshot().logBytes() <= 200_000);
            }
            slow.forEach(c -> assertNull(c.closeCode()));
            slow.forEach(RecordingConnection::drain);
            rig.loop.runUntilIdle();
            slow.forEach(c -> assertEquals(List.of(), c.frames("gap")));
            for (int i = 0; i < 3; i++) {
                assertEquals(range(1, 81), slow.get(i).offsets("room:" + i));
            }
            // The log that had waited longest was dropped, and with it the run that lay in it: more writes, of pieces.
            assertTrue(slow.get(0).writes.size() > slow.get(2).writes.size());
        }

        @Test
        void keepsNoSpareSegmentsWhenLogsTakeTooMuch() {
            rig = new ShardRig(new HubMemory(1 << 20, 10_000, 16 << 20));
            for (int i = 0; i < 20; i++) {
                rig.connectMany(Stream.BUSY, "room:" + i);
                rig.publish("room:" + i);
            }
            rig.loop.runUntilIdle();
            assertTrue(rig.snapshot().logBytes() <= 10_000);
            rig.connections.forEach(c -> assertEquals(1, c.writes.size()));
        }

        @Test
        void refusesAPublishWhenItsQueueIsFull() {
            rig.connect("room:1");
            String large = ShardRig.text(100_000);
            for (int i = 0; i < 10; i++) {
                rig.publish("room:1", Priority.NORMAL, large);
            }
            PublishResult refused = rig.tryPublish("room:1", Priority.NORMAL, large);
            assertEquals(ErrorCode.OVERLOADED, ((PublishResult.Refused) refused).code());
            rig.loop.runUntilIdle();
            assertEquals(0, rig.snapshot().queuedBytes());
            // The refused one has used no offset.
            assertEquals(11, rig.publish("room:1", Priority.NORMAL, large));
            rig.loop.runUntilIdle();
            assertEquals(range(1, 11), rig.connections.get(0).offsets("room:1"));
        }
    }

    @Nested
    class WhenSomethingFails {
        @Test
        void closesTheConnectionThatABugOfOursBreaks() {
            List<RecordingConnection> connections = rig.connectMany(5, "room:1");
            RecordingConnection broken = connections.get(2);
            broken.onWrite = ignored -> {
                throw new IllegalStateException("the test's bug");
            };
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.INTERNAL, broken.closeCode());
            broken.end();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : connections) {
                if (connection != broken) {
                    assertNull(connection.closeCode());
                    assertEquals(range(1, 3), connection.offsets("room:1"));
                }
            }
        }

        @Test
        void closesTheConnectionOnSeveralTopicsThatABugOfOursBreaks() {
            List<RecordingConnection> connections = rig.connectMany(5, "room:1", "room:2");
            RecordingConnection broken = connections.get(2);
            broken.onWrite = ignored -> {
                throw new IllegalStateException("the test's bug");
            };
            rig.publish("room:1");
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.INTERNAL, broken.closeCode());
            for (RecordingConnection connection : connections) {
                if (connection != broken) {
                    assertEquals(List.of(1L), connection.offsets("room:1"));
                    assertEquals(List.of(1L), connection.offsets("room:2"));
                }
            }
        }

        @Test
        void goesOnAfterABugInTheDrain() {
            RecordingConnection connection = rig.connect("room:1");
            connection.onWrite = ignored -> {
                throw new StackOverflowError("the test's bug");
            };
            rig.publish("room:1");
            assertThrows(StackOverflowError.class, () -> rig.loop.turn());
            connection.end();
            RecordingConnection other = rig.connect("room:2");
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), other.offsets("room:2"));
        }

        @Test
        void leavesOutWhatABugOfOursBreaks() {
            RecordingConnection ada = rig.connectUser("ada", "room:1");
            rig.shard.subscribe(ada, TopicName.ofUser("ada"), 0, null, 0);
            ada.failsToSend = true;
            Message hidden = new Message.Draft(
                            TopicName.of("room:1"), new byte[] {'1'}, Priority.NORMAL, "ada", 1, rig.loop.nanoTime())
                    .withoutPlace();
            assertTrue(rig.shard.reserve(hidden.weight()));
            rig.shard.offer(hidden);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), ada.offsets("room:1"));
            assertEquals(0, rig.snapshot().queuedBytes());
        }

        @Test
        void walksTheOthersWhenABugOfOursBreaksAWalk() {
            rig.listenerFails = true;
            RecordingConnection first = rig.connect("room:1");
            RecordingConnection second = rig.connect("room:2");
            for (int i = 0; i < 2; i++) {
                rig.publish("room:1");
                rig.publish("room:2");
                rig.loop.runUntilIdle();
            }
            assertEquals(List.of(1L, 2L), first.offsets("room:1"));
            assertEquals(List.of(1L, 2L), second.offsets("room:2"));
        }

        @Test
        void dropsLogsForABatchWhenThereIsNoMemory() {
            RecordingConnection stalled = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(500, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(rig.snapshot().logBytes() > 0);
            RecordingConnection batch = rig.connect(Encoding.BATCH);
            rig.subscribe(batch, "room:2");
            rig.outOfMemory = true;
            rig.publishMany(2, "room:2");
            rig.loop.turn();
            assertEquals(0, rig.snapshot().logBytes());
            rig.outOfMemory = false;
            stalled.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L, 2L), batch.offsets("room:2"));
            assertEquals(range(1, 501), stalled.offsets("room:1"));
        }

        @Test
        void readsThePastLaterWhenThereIsNoMemory() {
            rig.history("room", 100);
            rig.connect("room:1");
            rig.publishMany(10, "room:1");
            RecordingConnection slow = rig.connect("room:2").stallNext(1);
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            RecordingConnection late = rig.connect();
            rig.shard.subscribe(late, TopicName.of("room:1"), 0, null, 5);
            slow.drain();
            for (int i = 0; i < 5; i++) {
                rig.loop.turn();
            }
            assertEquals(List.of(), late.offsets("room:1"));
            assertEquals(List.of(1L, 2L), slow.offsets("room:2"));
            assertNull(late.closeCode());
            rig.outOfMemory = false;
            rig.loop.runUntilIdle();
            assertEquals(range(6, 10), late.offsets("room:1"));
        }

        @Test
        void closesTheConnectionWhoseWriteHasNoMemory() {
            List<RecordingConnection> connections = rig.connectMany(3, "room:1");
            connections.get(1).onWrite = ignored -> {
                throw new OutOfMemoryError("the test says so");
            };
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.INTERNAL, connections.get(1).closeCode());
            assertEquals(List.of(1L), connections.get(0).offsets("room:1"));
            assertEquals(List.of(1L), connections.get(2).offsets("room:1"));
        }

        @Test
        void keepsTheOrderWhenThereIsNoMemory() {
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            rig.publishMany(3, "room:1");
            for (int i = 0; i < 10; i++) {
                rig.loop.turn();
            }
            assertEquals(List.of(1L), connection.offsets("room:1"));
            assertTrue(rig.snapshot().queuedBytes() > 0);
            rig.outOfMemory = false;
            rig.loop.runUntilIdle();
            assertEquals(range(1, 4), connection.offsets("room:1"));
            assertEquals(0, rig.snapshot().queuedBytes());
        }

        @Test
        void writesTopicsApartWhenThereIsNoMemoryForACopy() {
            RecordingConnection first = rig.connect("room:1", "room:2");
            RecordingConnection second = rig.connect("room:1", "room:2");
            // The walk goes backwards: the memory is gone when the second one has its copy.
            second.onWrite = ignored -> rig.outOfMemory = true;
            rig.publish("room:1");
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            rig.outOfMemory = false;
            assertEquals(List.of(2), second.writes);
            assertEquals(List.of(1, 1), first.writes);
        }

        @Test
        void dropsTheLogsOfThoseThatAreStalledWhenThereIsNoMemory() {
            RecordingConnection stalled = rig.connect("room:1").stallNext(1);
            RecordingConnection healthy = rig.connect("room:1");
            rig.publishMany(10, "room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(500, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(rig.snapshot().logBytes() > 0);
            rig.connect("room:2");
            rig.outOfMemory = true;
            rig.publish("room:2");
            rig.loop.turn();
            assertEquals(0, rig.snapshot().logBytes());
            rig.outOfMemory = false;
            stalled.drain();
            rig.loop.runUntilIdle();
            assertEquals(510, healthy.offsets("room:1").size());
            // The log is gone, the messages aren't.
            assertEquals(range(1, 510), stalled.offsets("room:1"));
            assertEquals(List.of(), stalled.frames("gap"));
        }
    }

    @Nested
    class OnASubscription {
        @Test
        void saysSoBeforeTheFirstMessage() {
            rig.publishMany(3, "room:1");
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals("subscribed", connection.received.get(0).type());
            assertEquals(3, connection.received.get(0).number("offset"));
            assertFalse(connection.received.get(0).json().has("recovered"));
            assertEquals(List.of(4L), connection.offsets("room:1"));
        }

        @Test
        void takesAConnectionOnATopicOnce() {
            RecordingConnection connection = rig.connect("room:1");
            assertFalse(rig.subscribe(connection, "room:1"));
            assertTrue(rig.unsubscribe(connection, "room:1"));
            assertFalse(rig.unsubscribe(connection, "room:1"));
            assertTrue(rig.subscribe(connection, "room:1"));
        }

        @Test
        void recoversOnlyFromTheHead() {
            rig.publishMany(3, "room:1");
            RecordingConnection first = rig.connect("room:1");
            String epoch = first.received.get(0).json().get("epoch").asString();
            assertEquals(true, recovered(new Position(epoch, 3)));
            assertEquals(false, recovered(new Position(epoch, 2)));
            assertEquals(false, recovered(new Position(epoch, 4)));
            assertEquals(false, recovered(new Position("another", 3)));
        }

        private boolean recovered(Position since) {
            RecordingConnection connection = rig.connect();
            rig.shard.subscribe(connection, TopicName.of("room:1"), 7, since, 0);
            RecordingConnection.Frame frame = connection.received.get(0);
            assertEquals(7, frame.number("id"));
            return frame.json().get("recovered").asBoolean();
        }

        @Test
        void refusesAConnectionThatIsGone() {
            RecordingConnection connection = rig.connect("room:1");
            connection.end();
            assertThrows(IllegalStateException.class, () -> rig.subscribe(connection, "room:1"));
        }

        @Test
        void dropsWhatWasOfferedBeforeARejoin() {
            RecordingConnection connection = rig.connect("room:1");
            rig.publishMany(3, "room:1");
            rig.unsubscribe(connection, "room:1");
            rig.subscribe(connection, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(3, connection.frames("subscribed").get(1).number("offset"));
            assertEquals(List.of(4L), connection.offsets("room:1"));
            assertEquals(0, rig.snapshot().queuedBytes());
        }

        @Test
        void detachesFromTheBrokerWithTheLastOne() {
            RecordingConnection connection = rig.connect("room:1");
            rig.unsubscribe(connection, "room:1");
            rig.loop.runUntilIdle();
            int before = rig.loop.executed();
            rig.publish("room:1");
            assertEquals(before, rig.loop.executed());
        }
    }

    @Nested
    class AboutWhoIsOnline {
        @Test
        void tellsNewcomersAtOnce() {
            rig.countsPresence("room");
            rig.connect("room:1");
            RecordingConnection second = rig.connect("room:1");
            assertEquals(2, second.received.get(0).number("online"));
        }

        @Test
        void tellsOneWhomItToldOtherwise() {
            rig.countsPresence("room");
            RecordingConnection first = rig.connect("room:1");
            RecordingConnection second = rig.connect("room:1");
            assertEquals(2, second.received.get(0).number("online"));
            first.end();
            // Back at what the first was told, but the second was not.
            tick();
            assertEquals(List.of(1L), counts(second));
            tick();
            assertEquals(List.of(1L), counts(second));
            RecordingConnection third = rig.connect("room:1");
            assertEquals(Map.of(TopicName.of("room:1"), 2), rig.shard.online(second));
            third.end();
            tick();
            assertEquals(List.of(1L, 1L), counts(second));
            // As an answer about who is there does.
            rig.shard.toldOnline(second, TopicName.of("room:1"), 7);
            tick();
            assertEquals(List.of(1L, 1L, 1L), counts(second));
        }

        private List<Long> counts(RecordingConnection connection) {
            return connection.frames("online").stream()
                    .map(frame -> frame.number("count"))
                    .toList();
        }

        @Test
        void tellsTheOthersOncePerTick() {
            rig.countsPresence("room");
            RecordingConnection first = rig.connect("room:1");
            rig.connectMany(5, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(), first.frames("online"));
            tick();
            tick();
            assertEquals(1, first.frames("online").size());
            assertEquals(6, first.frames("online").get(0).number("count"));
            rig.connections.get(1).end();
            rig.connect("room:1");
            tick();
            assertEquals(1, first.frames("online").size());
            rig.connections.get(2).end();
            tick();
            assertEquals(5, first.frames("online").get(1).number("count"));
        }

        @Test
        void asksManyTopicsInSlices() {
            rig.countsPresence("room");
            String[] topics = new String[2 * Incoming.MAX_COUNTED_TOPICS + 10];
            for (int i = 0; i < topics.length; i++) {
                topics[i] = "room:" + i;
            }
            RecordingConnection first = rig.connect(topics);
            RecordingConnection second = rig.connect(topics);
            rig.loop.runUntilIdle();
            rig.shard.tellCounts();
            rig.loop.turn();
            assertEquals(Incoming.MAX_COUNTED_TOPICS, first.frames("online").size());
            // Topics that are closed meanwhile, from both ends.
            for (String topic : List.of(topics[0], topics[topics.length - 1])) {
                rig.unsubscribe(first, topic);
                rig.unsubscribe(second, topic);
            }
            rig.loop.runUntilIdle();
            assertEquals(topics.length - 1, first.frames("online").size());
            first.frames("online").forEach(frame -> assertEquals(2, frame.number("count")));
        }

        @Test
        void tellsItAgainToOneThatSkippedIt() {
            rig.rules("room", 16, 1 << 20, true);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.connect("room:1");
            tick();
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(1, slow.frames("gap").size());
            assertEquals(1, slow.frames("online").size());
            assertEquals(2, slow.frames("online").get(0).number("count"));
        }

        @Test
        void tellsItAgainToOneThatChangesItsAttentionInstead() {
            rig.countsPresence("room");
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.connect("room:1");
            tick();
            rig.attention(slow, "room:1", AttentionLevel.COUNTS);
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(1, slow.frames("online").size());
            assertEquals(2, slow.frames("online").get(0).number("count"));
        }

        @Test
        void countsNoFrameOfThisAsAMessage() {
            rig.countsPresence("room");
            RecordingConnection first = rig.connect("room:1");
            rig.connect("room:1");
            tick();
            assertEquals(List.of("online"), first.types());
            assertEquals(List.of(0L, 0L, 0L, 0L), rig.counters("room").owed());
            assertEquals(0, rig.snapshot().messagesWritten());
        }

        @Test
        void tellsNothingWhereItIsOff() {
            RecordingConnection first = rig.connect("room:1");
            rig.connect("room:1");
            tick();
            assertEquals(List.of(), first.frames("online"));
            assertFalse(first.received.get(0).json().has("online"));
        }

        @Test
        void waitsWithThatUntilAllHaveReadTheirMessages() {
            rig.rules("room", 16, 1 << 20, true);
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:1");
            rig.connectMany(Slice.MAX_WRITES * 4 / 5, "room:2");
            RecordingConnection connection = rig.connect("room:1", "room:2");
            rig.publishMany(7, "room:1");
            rig.publishMany(7, "room:2");
            rig.loop.turn();
            assertTrue(connection.touched);
            // Each would be a frame in the logs, and the logs hold 16.
            for (int i = 0; i < 30; i++) {
                rig.connect("room:1");
                rig.shard.tellCounts();
            }
            rig.loop.runUntilIdle();
            assertEquals(range(1, 7), connection.offsets("room:1"));
            assertEquals(range(1, 7), connection.offsets("room:2"));
            assertEquals(List.of(), connection.frames("gap"));
            assertEquals(2, connection.frames("online").size());
        }

        private void tick() {
            rig.shard.tellCounts();
            rig.loop.runUntilIdle();
        }
    }
}
