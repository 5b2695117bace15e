package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.broker.RetractResult;
import io.barrage.gateway.hub.RecordingConnection.Frame;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.ValueChange;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What connections with different wishes get of one topic: batches, less attention, fresh messages only, the past. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class StreamsTest {
    private static final long SECOND = 1_000_000_000L;

    private final ShardRig rig = new ShardRig();

    @AfterEach
    void booksBalanceAndNothingLeaks() {
        assertEquals(0, rig.snapshot().conservationError());
        assertEquals(0, rig.closeAndCountLeaks());
        assertEquals(0, rig.snapshot().conservationError());
    }

    private RecordingConnection subscriber(Encoding encoding, String topic) {
        RecordingConnection connection = rig.connect(encoding);
        assertTrue(rig.subscribe(connection, topic));
        return connection;
    }

    private RecordingConnection recover(String topic, String epoch, long since, int last) {
        RecordingConnection connection = rig.connect(Encoding.PLAIN);
        Position position = since < 0 ? null : new Position(epoch, since);
        assertTrue(rig.shard.subscribe(connection, TopicName.of(topic), 0, position, last));
        return connection;
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    /** What a client makes of offsets: each told once, in order; gaps as negative ranges of their reasons. */
    private static List<String> account(RecordingConnection connection) {
        List<String> account = new ArrayList<>();
        for (Frame frame : connection.received) {
            if (frame.type().equals("message")) {
                account.add(Long.toString(frame.number("offset")));
            } else if (frame.type().equals("gap") && frame.text().contains("\"from\"")) {
                account.add(frame.json().get("reason").stringValue() + " " + frame.number("from") + "-"
                        + frame.number("to"));
            }
        }
        return account;
    }

    private String epoch(String topic) {
        return rig.connect(topic)
                .frames("subscribed")
                .get(0)
                .json()
                .get("epoch")
                .stringValue();
    }

    @Nested
    class OfBatches {
        @Test
        void makeOneFrameOfWhatLeavesTogether() {
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            RecordingConnection plain = subscriber(Encoding.PLAIN, "room:1");
            rig.publishMany(10, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(1), batch.writes);
            assertEquals(List.of(10), plain.writes);
            assertEquals(range(1, 10), batch.offsets("room:1"));
            assertEquals(range(1, 10), plain.offsets("room:1"));
        }

        @Test
        void leaveALoneMessageAsItIs() {
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            RecordingConnection plain = subscriber(Encoding.PLAIN, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(plain.received, batch.received);
        }

        @Test
        void keepDataAndPriorityOfEachMessage() {
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            rig.publish("room:1", Priority.CRITICAL, "{\"gift\":1}");
            rig.publish("room:1", Priority.LOW, "\"},{\\\"\"");
            rig.loop.runUntilIdle();
            assertEquals(
                    "critical",
                    batch.frames("message").get(0).json().get("priority").stringValue());
            assertEquals(
                    "{\"gift\":1}",
                    batch.frames("message").get(0).json().get("data").toString());
            assertEquals(
                    "},{\"", batch.frames("message").get(1).json().get("data").stringValue());
        }

        @Test
        void endAtASizeAReaderCanBegin() {
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            }
            rig.loop.runUntilIdle();
            assertEquals(range(1, 40), batch.offsets("room:1"));
            assertEquals(3, batch.writes.stream().mapToInt(Integer::intValue).sum());
        }

        @Test
        void beginWithTheNextMessageForOneThatJoins() {
            rig.coalesce("room", 1024, SECOND, SECOND);
            RecordingConnection first = subscriber(Encoding.BATCH, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(3, "room:1");
            rig.loop.runUntilIdle();
            RecordingConnection second = subscriber(Encoding.BATCH, "room:1");
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), first.offsets("room:1"));
            rig.loop.advance(2 * SECOND);
            rig.loop.runUntilIdle();
            assertEquals(range(1, 6), first.offsets("room:1"));
            assertEquals(4, second.frames("subscribed").get(0).number("offset"));
            assertEquals(range(5, 6), second.offsets("room:1"));
        }

        @Test
        void areCompressedWhereThatPays() {
            RecordingConnection deflated = subscriber(Encoding.BATCH_DEFLATED, "room:1");
            RecordingConnection plain = subscriber(Encoding.DEFLATED, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(10, "room:1");
            rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            rig.loop.runUntilIdle();
            assertEquals(range(1, 12), deflated.offsets("room:1"));
            assertEquals(range(1, 12), plain.offsets("room:1"));
            assertEquals(1, deflated.deflatedFrames);
            assertEquals(1, plain.deflatedFrames);
            assertEquals(deflated.received, plain.received);
        }

        @Test
        void areWhatALaggardGetsToo() {
            rig.rules("room", 1024, 1 << 20);
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1").stallNext(1);
            for (int i = 0; i < 5; i++) {
                rig.publishMany(4, "room:1");
                rig.loop.runUntilIdle();
            }
            batch.drain();
            rig.loop.runUntilIdle();
            assertEquals(range(1, 20), batch.offsets("room:1"));
            assertEquals(List.of(1, 4), batch.writes);
        }
    }

    @Nested
    class OfAttention {
        @Test
        void inDigestGiveWhatIsUrgentAndTellTheRest() {
            RecordingConnection connection = rig.connect("room:1");
            RecordingConnection full = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertTrue(rig.attention(connection, "room:1", AttentionLevel.DIGEST));
            rig.publishMany(3, "room:1");
            rig.publish("room:1", Priority.HIGH, "1");
            rig.publish("room:1", Priority.CRITICAL, "1");
            rig.publish("room:1", Priority.LOW, "1");
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "attention 2-4", "5", "6"), account(connection));
            assertEquals(range(1, 7), full.offsets("room:1"));
            assertEquals(3, rig.shed("room", ShedReason.ATTENTION, Priority.NORMAL));
            assertEquals(1, rig.shed("room", ShedReason.ATTENTION, Priority.LOW));
            assertEquals(0, rig.shed("room", ShedReason.ATTENTION, Priority.HIGH));
        }

        @ParameterizedTest
        @EnumSource(
                value = AttentionLevel.class,
                names = {"FULL", "COUNTS"})
        void inDigestGiveTheGiftsThatHaveComeBefore(AttentionLevel before) {
            rig.coalesce("room", 1024, SECOND, SECOND);
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.attention(connection, "room:1", before);
            // They wait for the end of the window.
            rig.publish("room:1");
            rig.publish("room:1", Priority.CRITICAL, "1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.attention(connection, "room:1", AttentionLevel.DIGEST);
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "attention 2-2", "3", "attention 4-4"), account(connection));
        }

        @Test
        void inCountsGiveNoMessageAndCatchUpAfterwards() {
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            rig.publishMany(20, "room:1");
            rig.publish("room:1", Priority.CRITICAL, "1");
            rig.loop.runUntilIdle();
            assertEquals(List.of("1"), account(connection));
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(range(1, 24), connection.offsets("room:1"));
            assertEquals(21, rig.snapshot().replayed());
        }

        @Test
        void tellWhatTheTopicsPastDoesntHaveAnyMore() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection connection = rig.connect("room:1");
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            for (int i = 0; i < 30; i++) {
                rig.publish("room:1", i == 4 ? Priority.CRITICAL : Priority.NORMAL, "1");
                rig.loop.runUntilIdle();
            }
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            rig.loop.runUntilIdle();
            List<String> expected = new ArrayList<>(List.of("attention 1-4", "5", "attention 6-14"));
            range(15, 30).forEach(offset -> expected.add(offset.toString()));
            assertEquals(expected, account(connection));
        }

        @Test
        void goThroughAllLevelsWithoutAHole() {
            RecordingConnection connection = rig.connect("room:1");
            List<AttentionLevel> levels = List.of(
                    AttentionLevel.DIGEST,
                    AttentionLevel.COUNTS,
                    AttentionLevel.DIGEST,
                    AttentionLevel.FULL,
                    AttentionLevel.COUNTS,
                    AttentionLevel.FULL);
            for (AttentionLevel level : levels) {
                rig.attention(connection, "room:1", level);
                rig.publish("room:1");
                rig.publish("room:1", Priority.HIGH, "1");
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            long next = 1;
            for (String told : account(connection)) {
                String[] parts = told.replaceAll("\\w+ ", "").split("-", -1);
                assertEquals(next, Long.parseLong(parts[0]), told);
                next = Long.parseLong(parts[parts.length - 1]) + 1;
            }
            assertEquals(3 * levels.size() + 1, next);
        }

        @Test
        void answerBeforeTheyChange() {
            RecordingConnection connection = rig.connect("room:1");
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            rig.shard.attention(connection, TopicName.of("room:1"), 7, AttentionLevel.FULL);
            rig.loop.runUntilIdle();
            assertEquals(List.of("attention", "message", "message"), connection.types());
            assertEquals(7, connection.frames("attention").get(0).number("id"));
        }

        @Test
        void areNotForOneThatIsntThere() {
            RecordingConnection connection = rig.connect("room:1");
            assertFalse(rig.attention(connection, "room:2", AttentionLevel.COUNTS));
        }

        @ParameterizedTest
        @EnumSource
        void stillTellWhoIsThere(AttentionLevel level) {
            rig.countsPresence("room");
            RecordingConnection connection = rig.connect("room:1");
            rig.attention(connection, "room:1", level);
            rig.connect("room:1");
            rig.shard.tellCounts();
            rig.loop.runUntilIdle();
            assertEquals(2, connection.frames("online").get(0).number("count"));
        }

        @Test
        void countWhatOneThatIsBehindGivesUp() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publishMany(5, "room:1");
            rig.loop.runUntilIdle();
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            assertEquals(5, rig.shed("room", ShedReason.ATTENTION, Priority.NORMAL));
            assertEquals(0, rig.snapshot().behindSubscriptions());
            connection.drain();
            rig.loop.runUntilIdle();
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            rig.loop.runUntilIdle();
            assertEquals(range(1, 6), connection.offsets("room:1"));
        }

        @Test
        void inCountsGiveNoMessageToOneThatFallsOffTheLog() {
            rig.rules("room", 16, 1 << 20, true);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1", Priority.CRITICAL, "1");
            rig.loop.runUntilIdle();
            rig.attention(slow, "room:1", AttentionLevel.COUNTS);
            for (int i = 0; i < 20; i++) {
                rig.connect("room:1");
                rig.shard.tellCounts();
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertNull(slow.closeCode());
            assertEquals(List.of("1"), account(slow));
            List<Frame> online = slow.frames("online");
            assertEquals(21, online.get(online.size() - 1).number("count"));
            rig.attention(slow, "room:1", AttentionLevel.FULL);
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "2"), account(slow));
        }
    }

    @Nested
    class WithoutMemory {
        @Test
        void keepEachMessageOfABatchOnce() {
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            rig.outOfMemory = true;
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            }
            for (int i = 0; i < 5; i++) {
                rig.loop.turn();
                assertEquals(0, rig.snapshot().conservationError());
            }
            assertEquals(List.of(), batch.offsets("room:1"));
            rig.outOfMemory = false;
            rig.loop.runUntilIdle();
            assertEquals(range(1, 40), batch.offsets("room:1"));
            assertEquals(List.of(0L, 40L, 0L, 0L), rig.counters("room").owed());
        }

        @Test
        void beginWithWhatTheirNewReaderHasntHad() {
            // A busy stream keeps memory for its next message.
            List<RecordingConnection> busy = rig.connectMany(Stream.BUSY, "room:1");
            RecordingConnection deflated = subscriber(Encoding.DEFLATED, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            rig.publish("room:1");
            rig.loop.turn();
            assertEquals(range(1, 2), busy.get(0).offsets("room:1"));
            assertEquals(range(1, 1), deflated.offsets("room:1"));
            RecordingConnection late = rig.connect("room:1");
            RecordingConnection lateDeflated = subscriber(Encoding.DEFLATED, "room:1");
            assertEquals(2, late.frames("subscribed").get(0).number("offset"));
            assertEquals(1, lateDeflated.frames("subscribed").get(0).number("offset"));
            rig.outOfMemory = false;
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            assertEquals(List.of(3L), late.offsets("room:1"));
            assertEquals(range(2, 3), lateDeflated.offsets("room:1"));
            assertEquals(range(1, 3), deflated.offsets("room:1"));
            assertEquals(range(1, 3), busy.get(0).offsets("room:1"));
        }

        @Test
        void areLeftByNobodyWhoCannotJoinAnother() {
            List<RecordingConnection> stay = rig.connectMany(2, "room:1");
            RecordingConnection unlucky = rig.connect("room:1");
            RecordingConnection digest = rig.connect("room:1");
            rig.attention(digest, "room:1", AttentionLevel.DIGEST);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            assertThrows(OutOfMemoryError.class, () -> rig.attention(unlucky, "room:1", AttentionLevel.DIGEST));
            rig.outOfMemory = false;
            unlucky.end();
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            stay.forEach(connection -> assertEquals(range(1, 2), connection.offsets("room:1")));
            assertEquals(3, rig.snapshot().subscriptions());
        }

        @ParameterizedTest
        @EnumSource(
                value = AttentionLevel.class,
                names = {"FULL", "DIGEST"})
        void giveEachMessageOnceToOneThatChangesBetweenThem(AttentionLevel first) {
            AttentionLevel second = first == AttentionLevel.FULL ? AttentionLevel.DIGEST : AttentionLevel.FULL;
            // The first stream is busy, and keeps memory for its next message; the other has none.
            List<RecordingConnection> busy = rig.connectMany(Stream.BUSY, "room:1");
            busy.forEach(connection -> rig.attention(connection, "room:1", first));
            RecordingConnection other = rig.connect("room:1");
            rig.attention(other, "room:1", second);
            RecordingConnection changing = busy.get(3);
            rig.publish("room:1", Priority.HIGH, "1");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            rig.publish("room:1", Priority.HIGH, "2");
            rig.loop.turn();
            assertEquals(range(1, 2), changing.offsets("room:1"));
            assertEquals(range(1, 1), other.offsets("room:1"));
            TopicName topic = TopicName.of("room:1");
            CompletableFuture<Void> one = rig.shard.evened(topic);
            CompletableFuture<Void> two = rig.shard.evened(topic);
            one.thenRun(() -> rig.attention(changing, "room:1", second));
            two.thenRun(() -> rig.attention(other, "room:1", first));
            assertFalse(one.isDone() || two.isDone(), "some have the last message, others don't");
            assertTrue(rig.shard.evened(TopicName.of("room:2")).isDone(), "of others nobody waits");
            rig.outOfMemory = false;
            rig.loop.runUntilIdle();
            assertTrue(one.isDone() && two.isDone());
            rig.publish("room:1", Priority.HIGH, "3");
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : List.of(changing, other, busy.get(0))) {
                assertEquals(List.of("1", "2", "3"), account(connection));
            }
        }

        @Test
        void tellEachOnceHowManyWereHidden() {
            List<RecordingConnection> busy = rig.connectMany(Stream.BUSY, "room:1");
            RecordingConnection deflated = subscriber(Encoding.DEFLATED, "room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.outOfMemory = true;
            rig.shard.tellHidden(TopicName.of("room:1"), 7);
            for (int i = 0; i < 3; i++) {
                rig.loop.turn();
            }
            rig.outOfMemory = false;
            rig.shard.tellCounts();
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : List.of(busy.get(0), deflated)) {
                assertEquals(1, connection.frames("gap").size());
                assertEquals(7, connection.frames("gap").get(0).number("count"));
            }
        }
    }

    @Nested
    class OfValues {
        private void like() {
            change("1");
        }

        private void change(String data) {
            rig.broker
                    .publish(
                            TopicName.of("room:1"),
                            ValueChange.of("likes", Merge.SUM, data.getBytes(StandardCharsets.UTF_8)),
                            null)
                    .join();
        }

        private List<String> likes(RecordingConnection connection) {
            return connection.frames("value").stream()
                    .map(frame -> frame.json().get("data").toString())
                    .toList();
        }

        /** Ends the interval in which no more is told. */
        private void tell() {
            rig.loop.advance(SECOND);
            rig.broker.tellValues();
            rig.loop.runUntilIdle();
        }

        @Test
        void giveNewcomersWhatTheOthersWereTold() {
            RecordingConnection first = rig.connect("room:1");
            like();
            rig.loop.runUntilIdle();
            like();
            like();
            RecordingConnection second = rig.connect("room:1");
            assertEquals(List.of("1"), likes(second));
            assertEquals(
                    List.of("subscribed", "value"),
                    second.received.stream().map(Frame::type).toList());
            tell();
            assertEquals(List.of("1", "3"), likes(first));
            assertEquals(List.of("1", "3"), likes(second));
        }

        @Test
        void comeAgainToOneThatSkippedThem() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            like();
            tell();
            like();
            tell();
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            assertEquals(List.of(), likes(slow));
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of("2"), likes(slow));
        }

        @Test
        void areTakenFromOneThatSkippedTheirRemoval() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = rig.connect("room:1");
            like();
            tell();
            slow.stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            change("null");
            tell();
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "null"), likes(slow));
            like();
            tell();
            assertEquals(List.of("1", "null", "1"), likes(slow));
        }

        @Test
        void areTakenFromOneThatComesBackToThem() {
            RecordingConnection connection = rig.connect("room:1");
            like();
            tell();
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            change("null");
            tell();
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            assertEquals(List.of("1", "null"), likes(connection));
            RecordingConnection newcomer = rig.connect("room:1");
            assertEquals(List.of(), likes(newcomer));
            like();
            tell();
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            assertEquals(List.of("1", "null", "1", "1"), likes(connection));
        }

        @Test
        void areForFullAttentionAndComeAgainWithIt() {
            RecordingConnection connection = rig.connect("room:1");
            rig.attention(connection, "room:1", AttentionLevel.COUNTS);
            like();
            tell();
            assertEquals(List.of(), likes(connection));
            rig.attention(connection, "room:1", AttentionLevel.FULL);
            assertEquals(List.of("1"), likes(connection));
        }

        @Test
        void dontGoBackToWhatWasOfferedToAnEarlierSubscription() {
            RecordingConnection connection = rig.connect("room:1");
            like();
            // The loop hasn't had a turn: what was offered waits.
            assertTrue(rig.unsubscribe(connection, "room:1"));
            rig.loop.advance(SECOND);
            like();
            assertTrue(rig.subscribe(connection, "room:1"));
            rig.loop.runUntilIdle();
            assertEquals(List.of("2"), likes(connection));
        }
    }

    @Nested
    class OfHiddenMessages {
        private final List<RecordingConnection> all = new ArrayList<>();
        private int hidden;

        private void publish(int count) {
            publish(count, 0);
        }

        /** @param urgentEach every so many is critical; 0 for none */
        private void publish(int count, int urgentEach) {
            for (int i = 0; i < count; i++) {
                boolean urgent = urgentEach > 0 && i % urgentEach == 0;
                Priority priority = urgent ? Priority.CRITICAL : Priority.NORMAL;
                if (rig.tryPublish("room:1", priority, "1") instanceof PublishResult.Shed) {
                    hidden++;
                }
                rig.loop.advance(SECOND / 50);
                rig.loop.runUntilIdle();
            }
        }

        private void tellRest() {
            rig.broker.tellHidden();
            rig.shard.tellCounts();
            rig.loop.runUntilIdle();
        }

        private static long told(RecordingConnection connection) {
            long sum = 0;
            for (Frame frame : connection.received) {
                if (frame.type().equals("message") && frame.text().contains("\"hidden\"")) {
                    sum += frame.number("hidden");
                } else if (frame.type().equals("gap") && frame.text().contains("\"reason\":\"hidden\"")) {
                    sum += frame.number("count");
                }
            }
            return sum;
        }

        @Test
        void areCountedExactlyAtEveryLevelAndForLaggards() {
            rig.rules("room", 16, 1 << 20).budget("room", 10);
            for (AttentionLevel level : AttentionLevel.values()) {
                RecordingConnection connection = rig.connect("room:1");
                rig.attention(connection, "room:1", level);
                all.add(connection);
            }
            all.add(subscriber(Encoding.BATCH, "room:1"));
            RecordingConnection laggard = rig.connect("room:1");
            RecordingConnection fickle = rig.connect("room:1");
            all.addAll(List.of(laggard, fickle));
            publish(20);
            laggard.stallNext(1);
            publish(400);
            assertTrue(laggard.holds());
            for (AttentionLevel level :
                    List.of(AttentionLevel.COUNTS, AttentionLevel.DIGEST, AttentionLevel.FULL, AttentionLevel.COUNTS)) {
                rig.attention(fickle, "room:1", level);
                publish(73);
            }
            laggard.drain();
            rig.loop.runUntilIdle();
            assertFalse(laggard.frames("gap").isEmpty());
            rig.attention(fickle, "room:1", AttentionLevel.FULL);
            tellRest();
            tellRest();
            assertTrue(hidden > 300, "hidden " + hidden);
            all.forEach(connection -> assertEquals(hidden, told(connection)));
        }

        @ParameterizedTest
        @EnumSource(
                value = AttentionLevel.class,
                names = {"FULL", "DIGEST"})
        void areCountedExactlyForLaggardsThatGetGifts(AttentionLevel level) {
            rig.rules("room", 16, 1 << 20).budget("room", 10);
            RecordingConnection laggard = rig.connect("room:1");
            rig.attention(laggard, "room:1", level);
            publish(20);
            laggard.stallNext(1);
            publish(400, 10);
            assertTrue(laggard.holds());
            laggard.drain();
            rig.loop.runUntilIdle();
            tellRest();
            tellRest();
            assertTrue(hidden > 200, "hidden " + hidden);
            assertEquals(hidden, told(laggard));
        }

        @Test
        void areToldOnceOfAStaleMessageToThoseWhoChange() {
            rig.budget("room", 10);
            RecordingConnection more = rig.connect("room:1");
            rig.attention(more, "room:1", AttentionLevel.COUNTS);
            RecordingConnection less = rig.connect("room:1");
            while (hidden < 5) {
                publish(1);
            }
            rig.loop.advance(SECOND);
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND);
            rig.loop.advance(2 * SECOND);
            rig.loop.runUntilIdle();
            rig.attention(more, "room:1", AttentionLevel.FULL);
            rig.attention(less, "room:1", AttentionLevel.COUNTS);
            rig.loop.runUntilIdle();
            tellRest();
            assertEquals(hidden, told(more));
            assertEquals(hidden, told(less));
        }
    }

    @Nested
    class OfFreshMessages {
        @Test
        void leaveOutWhatIsStaleWhenItsTurnComes() {
            RecordingConnection connection = rig.connect("room:1");
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND);
            rig.publish("room:1");
            rig.loop.advance(2 * SECOND);
            rig.loop.runUntilIdle();
            assertEquals(List.of("expired 1-1", "2"), account(connection));
            assertEquals(1, rig.shed("room", ShedReason.EXPIRED, Priority.NORMAL));
        }

        @ParameterizedTest
        @EnumSource(names = {"PLAIN", "BATCH"})
        void leaveOutWhatBecameStaleWhileTheSocketTookNothing(Encoding encoding) {
            RecordingConnection connection = subscriber(encoding, "room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND);
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.loop.advance(2 * SECOND);
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "2", "expired 3-4", "5"), account(connection));
            assertEquals(2, rig.shed("room", ShedReason.EXPIRED, Priority.NORMAL));
        }

        @Test
        void leaveOutWhatBecameStaleInAWindow() {
            rig.coalesce("room", 1024, SECOND, SECOND);
            RecordingConnection connection = rig.connect("room:1");
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND / 2);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.loop.advance(2 * SECOND);
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "expired 2-2", "3"), account(connection));
        }

        @Test
        void leaveOutWhatBecameStaleInAWindowThatAnotherTopicCutsShort() {
            rig.coalesce("slow", 1024, SECOND, SECOND);
            RecordingConnection connection = rig.connect("slow:1", "room:1");
            rig.connect("room:2");
            rig.publish("slow:1");
            rig.loop.runUntilIdle();
            rig.tryPublish("slow:1", Priority.NORMAL, "1", SECOND / 10);
            rig.loop.runUntilIdle();
            rig.loop.advance(SECOND / 2);
            rig.publish("room:1");
            rig.publish("room:2");
            rig.loop.runUntilIdle();
            rig.loop.advance(SECOND);
            rig.loop.runUntilIdle();
            assertEquals(List.of(1L), connection.offsets("slow:1"));
            assertEquals(List.of(1L), connection.offsets("room:1"));
            assertTrue(
                    account(connection).contains("expired 2-2"),
                    account(connection).toString());
        }

        @Test
        void areCountedOnceAlsoByOneThatFellOffTheLog() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.tryPublish("room:1", Priority.CRITICAL, "1", SECOND);
            rig.loop.advance(2 * SECOND);
            rig.loop.runUntilIdle();
            rig.tryPublish("room:1", Priority.CRITICAL, "1", SECOND);
            rig.loop.runUntilIdle();
            rig.loop.advance(2 * SECOND);
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals("expired 2-3", account(slow).get(1));
            assertEquals(2, rig.shed("room", ShedReason.EXPIRED, Priority.CRITICAL));
            assertEquals(0, rig.shed("room", ShedReason.BEHIND, Priority.CRITICAL));
        }

        @ParameterizedTest
        @ValueSource(booleans = {false, true})
        void takeNothingThatIsGoneForStale(boolean reliable) {
            if (reliable) {
                rig.reliable("room", 16);
            } else {
                rig.rules("room", 16, 1 << 20);
            }
            RecordingConnection slow = subscriber(Encoding.BATCH, "room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.publish("room:1");
            rig.tryPublish("room:1", Priority.NORMAL, "1", SECOND);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            // The log has frames of several messages, so it goes further back than the topic's past.
            for (int i = 0; i < 6; i++) {
                rig.publishMany(3, "room:1");
                rig.loop.runUntilIdle();
            }
            rig.loop.advance(2 * SECOND);
            slow.drain();
            rig.loop.runUntilIdle();
            if (reliable) {
                assertEquals(CloseCode.SLOW_CONSUMER, slow.closeCode());
                assertEquals(List.of("1"), account(slow));
            } else {
                List<String> expected = new ArrayList<>(List.of("1", "behind 2-4"));
                range(5, 22).forEach(offset -> expected.add(offset.toString()));
                assertEquals(expected, account(slow));
            }
        }

        @Test
        void giveWhatIsStillFresh() {
            RecordingConnection connection = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            rig.tryPublish("room:1", Priority.NORMAL, "1", 10 * SECOND);
            rig.loop.runUntilIdle();
            rig.loop.advance(2 * SECOND);
            connection.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of("1", "2"), account(connection));
        }
    }

    private void retract(String topic, Long... offsets) {
        assertEquals(
                new RetractResult.Retracted(offsets.length),
                rig.broker.retract(TopicName.of(topic), List.of(offsets)).join());
    }

    private static List<String> retracted(RecordingConnection connection) {
        return connection.frames("retract").stream()
                .map(frame -> frame.json().get("offsets").toString())
                .toList();
    }

    @Nested
    class OfRetractions {
        @Test
        void tellAllStreamsInTheTopicsOrder() {
            RecordingConnection plain = subscriber(Encoding.PLAIN, "room:1");
            RecordingConnection batch = subscriber(Encoding.BATCH, "room:1");
            RecordingConnection counts = subscriber(Encoding.PLAIN, "room:1");
            rig.attention(counts, "room:1", AttentionLevel.COUNTS);
            rig.publishMany(3, "room:1");
            retract("room:1", 1L, 3L);
            rig.publishMany(1, "room:1");
            rig.loop.runUntilIdle();
            for (RecordingConnection connection : List.of(plain, batch)) {
                assertEquals(
                        List.of("subscribed", "message", "message", "message", "retract", "message"),
                        connection.received.stream().map(Frame::type).toList());
            }
            assertEquals(List.of("[1,3]"), retracted(counts));
        }

        @Test
        void leaveGapsInThePast() {
            rig.history("room", 100);
            String epoch = epoch("room:1");
            rig.publishMany(9, "room:1");
            retract("room:1", 2L, 4L, 5L, 6L, 9L);
            rig.loop.runUntilIdle();
            RecordingConnection back = recover("room:1", epoch, 3, 0);
            rig.loop.runUntilIdle();
            assertEquals(List.of("retracted 4-6", "7", "8", "retracted 9-9"), account(back));
            assertEquals(List.of("[2]"), retracted(back));
            RecordingConnection late = recover("room:1", "", -1, 2);
            rig.loop.runUntilIdle();
            assertEquals(List.of("8", "retracted 9-9"), account(late));
            assertEquals(List.of(), retracted(late));
        }

        @Test
        void areToldAgainToOneThatLeapsOverThem() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = subscriber(Encoding.PLAIN, "room:1");
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            slow.stallNext(1);
            rig.publish("room:1", Priority.CRITICAL, "3");
            rig.publish("room:1", Priority.CRITICAL, "4");
            rig.loop.runUntilIdle();
            // The first it has shown, the second lies in its socket, the others it will never see.
            rig.publish("room:1", Priority.CRITICAL, "5");
            rig.publish("room:1", Priority.CRITICAL, "6");
            retract("room:1", 2L, 4L, 6L);
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            List<String> account = account(slow);
            assertEquals(List.of("1", "2", "3", "4", "5", "retracted 6-6"), account.subList(0, 6), account.toString());
            assertEquals(List.of("[2,4]"), retracted(slow));
            assertEquals(1, rig.shed("room", ShedReason.RETRACTED, Priority.CRITICAL));
        }

        @Test
        void areToldAgainToOneThatLeavesThemForAnotherLevel() {
            RecordingConnection slow = subscriber(Encoding.PLAIN, "room:1").stallNext(1);
            rig.publishMany(2, "room:1");
            rig.loop.runUntilIdle();
            retract("room:1", 1L);
            rig.loop.runUntilIdle();
            rig.attention(slow, "room:1", AttentionLevel.COUNTS);
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(List.of("[1]"), retracted(slow));
        }
    }

    @Nested
    class OfThePast {
        @Test
        void waitForALoopThatIsBehindTheClient() {
            String epoch = epoch("room:1");
            rig.publishMany(3, "room:1");
            // On another loop the client has had them already.
            Position since = new Position(epoch, 3);
            CompletableFuture<Void> caughtUp = rig.shard.caughtUp(TopicName.of("room:1"), since);
            assertFalse(caughtUp.isDone());
            assertTrue(rig.shard
                    .caughtUp(TopicName.of("room:1"), new Position(epoch, 4))
                    .isDone());
            assertTrue(rig.shard
                    .caughtUp(TopicName.of("room:1"), new Position("other", 3))
                    .isDone());
            assertTrue(rig.shard.caughtUp(TopicName.of("room:2"), since).isDone());
            rig.loop.runUntilIdle();
            assertTrue(caughtUp.isDone());
            RecordingConnection back = recover("room:1", epoch, 3, 0);
            rig.publishMany(1, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(back.frames("subscribed").get(0).json().get("recovered").booleanValue());
            assertEquals(List.of("4"), account(back));
        }

        @Test
        void dontWaitForATopicThatIsClosedMeanwhile() {
            RecordingConnection other = rig.connect("room:1");
            String epoch = other.frames("subscribed").get(0).json().get("epoch").stringValue();
            rig.publishMany(3, "room:1");
            CompletableFuture<Void> caughtUp = rig.shard.caughtUp(TopicName.of("room:1"), new Position(epoch, 3));
            rig.unsubscribe(other, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(caughtUp.isDone());
        }

        @Test
        void giveExactlyWhatWasMissed() {
            rig.history("room", 100);
            String epoch = epoch("room:1");
            rig.publishMany(30, "room:1");
            rig.loop.runUntilIdle();
            RecordingConnection back = recover("room:1", epoch, 12, 0);
            rig.publishMany(5, "room:1");
            rig.loop.runUntilIdle();
            assertTrue(back.frames("subscribed").get(0).json().get("recovered").booleanValue());
            assertEquals(30, back.frames("subscribed").get(0).number("offset"));
            assertEquals(range(13, 35), back.offsets("room:1"));
        }

        @Test
        void areAllOrNothing() {
            rig.history("room", 10);
            String epoch = epoch("room:1");
            rig.publishMany(30, "room:1");
            rig.loop.runUntilIdle();
            assertEquals(range(21, 30), recoveredOffsets(epoch, 20));
            assertEquals(List.of(), recoveredOffsets(epoch, 19));
            assertEquals(List.of(), recoveredOffsets(epoch, 31));
            assertEquals(List.of(), recoveredOffsets("other", 25));
        }

        private List<Long> recoveredOffsets(String epoch, long since) {
            RecordingConnection back = recover("room:1", epoch, since, 0);
            rig.loop.runUntilIdle();
            boolean recovered =
                    back.frames("subscribed").get(0).json().get("recovered").booleanValue();
            List<Long> offsets = back.offsets("room:1");
            assertEquals(recovered, !offsets.isEmpty());
            return offsets;
        }

        @Test
        void giveTheLastOnesToThoseWhoAsk() {
            rig.history("room", 10);
            epoch("room:1");
            rig.publishMany(30, "room:1");
            rig.loop.runUntilIdle();
            RecordingConnection few = recover("room:1", "", -1, 3);
            RecordingConnection many = recover("room:1", "", -1, 300);
            RecordingConnection none = recover("room:1", "", -1, 0);
            rig.loop.runUntilIdle();
            assertEquals(range(28, 30), few.offsets("room:1"));
            assertEquals(range(21, 30), many.offsets("room:1"));
            assertEquals(List.of(), none.offsets("room:1"));
            assertFalse(few.frames("subscribed").get(0).json().has("recovered"));
        }

        @Test
        void waitWhileTheSocketTakesNothing() {
            rig.history("room", 1_000);
            String epoch = epoch("room:1");
            for (int i = 0; i < 200; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            }
            rig.loop.runUntilIdle();
            RecordingConnection back = recover("room:1", epoch, 0, 0).stallNext(3);
            for (int i = 0; i < 3; i++) {
                rig.loop.runUntilIdle();
                rig.publish("room:1");
                assertTrue(rig.snapshot().pinnedBytes() <= 2 * ReplayReader.MAX_BYTES);
                back.drain();
            }
            rig.loop.runUntilIdle();
            assertEquals(range(1, 203), back.offsets("room:1"));
        }

        @Test
        void endWithCloseWhenWhatWasPromisedIsGone() {
            rig.rules("room", 16, 1 << 20).history("room", 40);
            String epoch = epoch("room:1");
            for (int i = 0; i < 40; i++) {
                rig.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            }
            rig.loop.runUntilIdle();
            RecordingConnection back = recover("room:1", epoch, 0, 0).stallNext(1);
            rig.loop.runUntilIdle();
            assertTrue(back.frames("subscribed").get(0).json().get("recovered").booleanValue());
            for (int i = 0; i < 60; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            back.drain();
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.SLOW_CONSUMER, back.closeCode());
            assertEquals(List.of(), back.frames("gap"));
        }

        @Test
        void areNotForThoseOfAReliableTopicWhoFallOffTheLog() {
            rig.reliable("room", 16).history("room", 32);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            String epoch = slow.frames("subscribed").get(0).json().get("epoch").stringValue();
            for (int i = 0; i < 25; i++) {
                rig.publish("room:1");
                rig.loop.runUntilIdle();
            }
            assertNull(slow.closeCode());
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.SLOW_CONSUMER, slow.closeCode());
            assertEquals(List.of(), slow.frames("gap"));
            slow.end();
            RecordingConnection back = recover("room:1", epoch, 1, 0);
            rig.loop.runUntilIdle();
            assertEquals(range(2, 25), back.offsets("room:1"));
        }

        @Test
        void endWithCloseWhenMoreGiftsWereSkippedThanAreKept() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            rig.publish("room:1");
            rig.loop.runUntilIdle();
            for (int i = 0; i < 100; i++) {
                rig.publish("room:1", Priority.CRITICAL, "1");
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertEquals(CloseCode.SLOW_CONSUMER, slow.closeCode());
            assertEquals(List.of(), slow.frames("gap"), "a gift was told as missing");
        }

        @Test
        void giveEveryGiftThatIsKeptHoweverMuchChatterThereWas() {
            rig.rules("room", 16, 1 << 20);
            RecordingConnection slow = rig.connect("room:1").stallNext(1);
            List<Long> gifts = new ArrayList<>();
            for (int i = 0; i < 3_000; i++) {
                boolean gift = i % 60 == 59;
                long offset = rig.publish("room:1", gift ? Priority.CRITICAL : Priority.NORMAL, "1");
                if (gift) {
                    gifts.add(offset);
                }
                rig.loop.runUntilIdle();
            }
            slow.drain();
            rig.loop.runUntilIdle();
            assertNull(slow.closeCode());
            assertEquals(50, gifts.size());
            assertTrue(slow.offsets("room:1").containsAll(gifts));
            assertEquals(0, rig.shed("room", ShedReason.BEHIND, Priority.CRITICAL));
        }
    }
}
