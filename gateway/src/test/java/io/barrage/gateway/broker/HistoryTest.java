package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.Broker.HistoryPage;
import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.HistoryQuery;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.Retraction;
import io.barrage.protocol.TopicName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a memory broker keeps of its topics' messages, how it is read, and how it goes away. */
class HistoryTest {
    private static final long SECOND = 1_000_000_000L;
    private static final TopicName ROOM = TopicName.of("room:1");
    private static final int ALL = Integer.MAX_VALUE;

    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - 2 * SECOND;
    private String rules = ", history: {size: 50, ttl: 10m}";
    private final MemoryBroker broker =
            new MemoryBroker(() -> now, topic -> rules(topic), BrokerMetrics.NOOP, 64 << 20);
    private final RecordingListener listener = new RecordingListener();

    private final Map<String, NamespaceConfig> parsed = new HashMap<>();

    private NamespaceConfig rules(TopicName topic) {
        return parsed.computeIfAbsent(
                "{name: " + topic.namespace() + rules + "}", yaml -> ConfigReader.parse(NamespaceConfig.class, yaml));
    }

    private Message.Draft draft(String json, Priority priority, @Nullable String sender, long ttlNanos) {
        return new Message.Draft(ROOM, json.getBytes(StandardCharsets.UTF_8), priority, sender, 1, now, ttlNanos);
    }

    private Position publish(Message.Draft draft) {
        PublishResult.Accepted accepted = assertInstanceOf(
                PublishResult.Accepted.class, broker.publish(draft, null).join());
        return new Position(accepted.epoch(), accepted.offset());
    }

    /** Publishes so many, by the senders u0, u1 and u2 in turn; gives the last one's position. */
    private Position publish(int count) {
        Position last = new Position("none", 0);
        for (int i = 0; i < count; i++) {
            last = publish(draft("\"hello\"", Priority.NORMAL, "u" + i % 3, 0));
        }
        return last;
    }

    private HistoryPage read(@Nullable Position from, boolean backwards, int limit) {
        return broker.history(ROOM, new HistoryQuery(from, backwards, limit), ALL)
                .join();
    }

    private static List<Long> offsets(List<Message> messages) {
        return messages.stream().map(Message::offset).toList();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    private int retract(Long... offsets) {
        return assertInstanceOf(
                        RetractResult.Retracted.class,
                        broker.retract(ROOM, List.of(offsets)).join())
                .count();
    }

    private List<Long> told() {
        return listener.retractions.stream()
                .flatMap(event -> event.offsets().stream())
                .toList();
    }

    @Nested
    class Pages {
        @Test
        void beginWithTheOldestAndSayWhetherThereIsMore() {
            Position last = publish(60);
            HistoryPage page = read(null, false, 20);
            assertEquals(range(11, 30), offsets(page.messages()));
            assertTrue(page.more());
            assertNull(page.recovered());
            assertEquals(last.epoch(), page.epoch());
            page = read(new Position(last.epoch(), 30), false, 30);
            assertEquals(range(31, 60), offsets(page.messages()));
            assertFalse(page.more());
            assertEquals(true, page.recovered());
            page = read(last, false, 30);
            assertEquals(List.of(), page.messages());
            assertEquals(true, page.recovered());
        }

        @Test
        void goBackFromTheNewestInOrder() {
            String epoch = publish(60).epoch();
            HistoryPage page = read(null, true, 20);
            assertEquals(range(41, 60), offsets(page.messages()));
            assertTrue(page.more());
            page = read(new Position(epoch, 41), true, 30);
            assertEquals(range(11, 40), offsets(page.messages()));
            assertFalse(page.more());
            assertEquals(true, page.recovered());
            assertEquals(List.of(), read(new Position(epoch, 11), true, 30).messages());
            assertEquals(
                    range(60, 60),
                    offsets(read(new Position(epoch, 61), true, 1).messages()));
        }

        @Test
        void sayWhenTheyDontJoinOn() {
            Position last = publish(60);
            for (Position since : List.of(
                    new Position("another", 20), new Position(last.epoch(), 9), new Position(last.epoch(), 61))) {
                HistoryPage page = read(since, false, 5);
                assertEquals(false, page.recovered(), since.toString());
                assertEquals(range(11, 15), offsets(page.messages()), since.toString());
            }
            assertEquals(true, read(new Position(last.epoch(), 10), false, 5).recovered());
            for (Position before : List.of(new Position("another", 20), new Position(last.epoch(), 62))) {
                HistoryPage page = read(before, true, 5);
                assertEquals(false, page.recovered(), before.toString());
                assertEquals(range(56, 60), offsets(page.messages()), before.toString());
            }
        }

        @Test
        void haveTheBytesThatAreAskedForButOneMessageAtLeast() {
            publish(10);
            assertEquals(
                    range(1, 1),
                    offsets(broker.history(ROOM, new HistoryQuery(null, false, 10), 1)
                            .join()
                            .messages()));
            int weight = draft("\"hello\"", Priority.NORMAL, "u1", 0).weight();
            HistoryPage page = broker.history(ROOM, new HistoryQuery(null, true, 10), 3 * weight)
                    .join();
            assertEquals(range(8, 10), offsets(page.messages()));
            assertTrue(page.more());
        }

        @Test
        void leaveOutWhatIsStaleOrRetracted() {
            publish(3);
            publish(draft("4", Priority.NORMAL, null, SECOND));
            publish(2);
            now += SECOND;
            retract(2L, 6L);
            assertEquals(List.of(1L, 3L, 5L), offsets(read(null, false, 3).messages()));
            assertFalse(read(null, true, 3).more());
        }

        @Test
        void goOverManyThatAreRetracted() {
            rules = ", history: {size: 10000}";
            publish(5_000);
            for (long from = 2; from < 4_900; from += 1_000) {
                retract(range(from, Math.min(4_900, from + 999)).toArray(Long[]::new));
            }
            HistoryPage page = read(null, false, 2);
            assertEquals(List.of(1L, 4_901L), offsets(page.messages()));
            assertTrue(page.more());
        }

        @Test
        void ofATopicThatNobodyUsesAreEmptyAndMakeNone() {
            HistoryPage page = read(new Position("k3x9", 7), false, 5);
            assertEquals(List.of(), page.messages());
            assertNull(page.epoch());
            assertEquals(false, page.recovered());
            assertNull(read(null, false, 5).recovered());
            assertEquals(0, broker.clearHistory(ROOM).join());
            assertEquals(
                    0,
                    assertInstanceOf(
                                    RetractResult.Retracted.class,
                                    broker.retractAllOf(ROOM, "u1").join())
                            .count());
            assertEquals(0, broker.topics());
        }

        @Test
        void dontHaveWhatIsKeptForListenersAlone() {
            rules = "";
            attach();
            Position last = publish(5);
            assertEquals(List.of(), read(null, false, 5).messages());
            assertEquals(true, read(last, false, 5).recovered());
            assertEquals(false, read(new Position(last.epoch(), 4), false, 5).recovered());
        }
    }

    private Attachment attach() {
        return broker.attach(ROOM, listener);
    }

    @Nested
    class Clearing {
        @Test
        void endsRecoveryAcrossItAndNothingElse() {
            Position last = publish(5);
            assertEquals(5, broker.clearHistory(ROOM).join());
            assertEquals(List.of(), read(null, false, 5).messages());
            assertEquals(false, read(new Position(last.epoch(), 3), false, 5).recovered());
            assertEquals(true, read(last, false, 5).recovered());
            assertEquals(0, broker.tailBytes());
            assertEquals(6, publish(1).offset());
            assertEquals(range(6, 6), offsets(read(last, false, 5).messages()));
            assertEquals(true, read(last, false, 5).recovered());
        }

        @Test
        void leavesWhatListenersHaveStillToDeliver() {
            try (Attachment attachment = attach()) {
                Position last = publish(5);
                broker.clearHistory(ROOM).join();
                assertEquals(6, attachment.pastBounds().oldestOfHistory());
                assertEquals(range(2, 5), offsets(attachment.past(1, 5, ALL).messages()));
                publish(2);
                assertEquals(range(6, 7), offsets(read(last, false, 5).messages()));
            }
            assertEquals(range(6, 7), offsets(read(null, false, 5).messages()));
        }
    }

    @Nested
    class Retracting {
        @Test
        void tellsInTheTopicsOrderAndKeepsThePlaceAlone() {
            Attachment attachment = attach();
            List<String> order = new ArrayList<>();
            listener.onOffer = () -> order.add(listener.offered.size() + "+" + listener.retractions.size());
            publish(draft("\"" + "x".repeat(10_000) + "\"", Priority.CRITICAL, "u1", 0));
            publish(2);
            long before = broker.tailBytes();
            assertEquals(2, retract(1L, 3L));
            publish(1);
            assertEquals(List.of("0+0", "1+0", "2+0", "3+0", "3+1"), order);
            assertEquals(List.of(new Retraction(ROOM, List.of(1L, 3L))), listener.retractions);
            // Twice: it is urgent, too.
            assertTrue(before - broker.tailBytes() > 19_000, before + " to " + broker.tailBytes());
            Past past = attachment.past(0, 4, ALL);
            assertEquals(range(1, 4), offsets(past.messages()));
            assertEquals(
                    List.of(true, false, true, false),
                    past.messages().stream().map(Message::isRetracted).toList());
            assertTrue(attachment.urgentPast(0, 4, ALL).messages().get(0).isRetracted());
            assertEquals(Priority.CRITICAL, past.messages().get(0).priority());
        }

        @Test
        void countsAndTellsEachOnce() {
            attach();
            publish(5);
            assertEquals(2, retract(1L, 2L));
            assertEquals(1, retract(2L, 3L));
            assertEquals(0, retract(3L));
            assertEquals(range(1, 3), told());
        }

        @Test
        void reachesMessagesThatAreNotKeptAnyMore() {
            Attachment attachment = attach();
            publish(60);
            broker.clearHistory(ROOM).join();
            assertEquals(1, retract(2L));
            assertEquals(0, retract(2L));
            assertEquals(List.of(2L), told());
            assertEquals(List.of(), attachment.retracted(1));
            assertEquals(List.of(2L), attachment.retracted(2));
        }

        @Test
        void refusesOffsetsThatDontExistAndNamesThem() {
            attach();
            publish(5);
            RetractResult.Refused refused = assertInstanceOf(
                    RetractResult.Refused.class,
                    broker.retract(ROOM, range(5, 18)).join());
            assertEquals(ErrorCode.BAD_REQUEST, refused.code());
            assertEquals(
                    "topic room:1 ends at offset 5, there is no 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 3 others:"
                            + " nothing was retracted",
                    refused.message());
            assertEquals(List.of(), told());
            refused = assertInstanceOf(
                    RetractResult.Refused.class,
                    broker.retract(TopicName.of("room:2"), List.of(1L)).join());
            assertEquals("topic room:2 has no messages, there is no 1: nothing was retracted", refused.message());
            assertEquals(1, broker.topics());
        }

        @Test
        void takesAllOfASenderInBoundedFrames() {
            rules = ", history: {size: 10000}";
            attach();
            publish(3_900);
            assertEquals(
                    1_300,
                    assertInstanceOf(
                                    RetractResult.Retracted.class,
                                    broker.retractAllOf(ROOM, "u1").join())
                            .count());
            assertEquals(
                    LongStream.rangeClosed(1, 3_900)
                            .filter(offset -> offset % 3 == 2)
                            .boxed()
                            .toList(),
                    told());
            listener.retractions.forEach(event -> assertTrue(event.offsets().size() <= Retraction.MAX_OFFSETS));
            assertTrue(
                    read(null, false, 1_000).messages().stream().noneMatch(message -> "u1".equals(message.sender())));
        }

        @Test
        void takesUrgentOnesOfASenderThatAreKeptApart() {
            rules = ", log: {size: 16}";
            Attachment attachment = attach();
            publish(draft("1", Priority.CRITICAL, "u1", 0));
            publish(40);
            assertEquals(List.of(1L), offsets(attachment.urgentPast(0, 41, ALL).messages()));
            broker.retractAllOf(ROOM, "u1").join();
            assertEquals(1L, told().get(0));
            assertTrue(attachment.urgentPast(0, 41, ALL).messages().get(0).isRetracted());
        }

        @Test
        void isAllOrNothingWhereAQueueIsFull() {
            attach();
            publish(5);
            listener.room = 10;
            RetractResult.Refused refused = assertInstanceOf(
                    RetractResult.Refused.class,
                    broker.retract(ROOM, List.of(1L)).join());
            assertEquals(ErrorCode.OVERLOADED, refused.code());
            assertTrue(refused.retryAfterMillis() > 0);
            assertEquals(10, listener.room);
            assertEquals(5, read(null, false, 10).messages().size());
            listener.room = 1_000;
            assertEquals(1, retract(1L));
        }

        @Test
        void leavesAMessagesIdRemembered() {
            MessageId id = new MessageId("key shop", "m1");
            broker.publish(draft("1", Priority.NORMAL, null, 0), id).join();
            retract(1L);
            PublishResult.Accepted again = assertInstanceOf(
                    PublishResult.Accepted.class,
                    broker.publish(draft("1", Priority.NORMAL, null, 0), id).join());
            assertTrue(again.duplicate());
            assertEquals(1, again.offset());
        }

        @Test
        void isRememberedForSoManyAndSoLong() {
            rules = ", history: {size: 10000, ttl: 20m}";
            Attachment attachment = attach();
            publish(12_000);
            // The newer ones first: what is forgotten goes by the messages' age.
            for (long from = 10_001; from > 0; from -= 1_000) {
                retract(range(from, from + 999).toArray(Long[]::new));
            }
            retract(11_500L, 12_000L);
            assertEquals(List.of(), attachment.retracted(1_002), "10,000 of 11,002 are remembered");
            assertEquals(List.of(1_003L), attachment.retracted(1_003));
            now += Duration.ofMinutes(20).toNanos();
            broker.sweep();
            assertEquals(1_000, attachment.retracted(12_000).size());
            now += SECOND;
            broker.sweep();
            assertEquals(List.of(), attachment.retracted(12_000));
        }

        @Test
        void isToldOfTheNewestThatOneCanHaveSeen() {
            rules = ", history: {size: 10000}";
            Attachment attachment = attach();
            publish(5_000);
            retract(range(1, 1_000).toArray(Long[]::new));
            retract(range(1_500, 2_000).toArray(Long[]::new));
            retract(range(3_001, 4_000).toArray(Long[]::new));
            assertEquals(range(1, 700), attachment.retracted(700));
            List<Long> told = attachment.retracted(2_500);
            assertEquals(range(502, 1_000), told.subList(0, 499));
            assertEquals(range(1_500, 2_000), told.subList(499, 1_000));
            assertEquals(range(3_001, 4_000), attachment.retracted(5_000));
            assertEquals(
                    range(2_701, 3_700).subList(300, 1_000),
                    attachment.retracted(3_700).subList(300, 1_000));
            assertEquals(1_000, attachment.retracted(3_700).size());
        }
    }

    @Nested
    class Idleness {
        @Test
        void dropsAHistoryAtItsTimeThoughNobodyPublishes() {
            publish(50);
            assertTrue(broker.tailBytes() > 0);
            now += Duration.ofMinutes(5).toNanos();
            broker.sweep();
            assertEquals(50, read(null, false, 100).messages().size());
            now += Duration.ofMinutes(5).toNanos() + 1;
            assertEquals(List.of(), read(null, false, 100).messages(), "not even until the next sweep");
            broker.sweep();
            assertEquals(0, broker.tailBytes());
            assertEquals(0, broker.topics());
        }

        @Test
        void ofAHundredThousandTopicsLeavesNothing() {
            int topics = 100_000;
            Position first = new Position("none", 0);
            for (int i = 0; i < topics; i++) {
                TopicName topic = TopicName.of("room:" + i);
                Message.Draft draft = new Message.Draft(topic, new byte[] {'1'}, Priority.NORMAL, "u1", 1, now);
                PublishResult.Accepted accepted = assertInstanceOf(
                        PublishResult.Accepted.class,
                        broker.publish(draft, new MessageId("shop", "m" + i)).join());
                first = i == 1 ? new Position(accepted.epoch(), 1) : first;
                if (i % 2 == 0) {
                    broker.retract(topic, List.of(1L)).join();
                }
                if (i % 3 == 0) {
                    broker.attach(topic, listener).close();
                }
            }
            assertEquals(topics, broker.topics());
            now += Duration.ofMinutes(9).toNanos();
            broker.sweep();
            assertEquals(topics, broker.topics());
            // Reading isn't using.
            assertEquals(1, read(null, false, 5).messages().size());
            now += Duration.ofMinutes(1).toNanos() + 1;
            broker.sweep();
            assertEquals(0, broker.topics());
            assertEquals(0, broker.tailBytes());
            assertNotEquals(first.epoch(), publish(1).epoch());
        }

        @Test
        void doesntEndATopicWhileItHasAHistory() {
            rules = ", history: {size: 10, ttl: 1h}";
            String epoch = publish(1).epoch();
            now += Duration.ofMinutes(59).toNanos();
            broker.sweep();
            assertEquals(2, publish(1).offset());
            assertEquals(epoch, read(null, false, 5).epoch());
            now += Duration.ofMinutes(61).toNanos();
            broker.sweep();
            assertEquals(0, broker.topics());
        }
    }
}
