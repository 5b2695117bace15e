package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryBrokerTest {
    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - 1_000;
    private String rules = "";
    private final List<PublishResult> counted = new ArrayList<>();
    private final List<PublishResult> countedValues = new ArrayList<>();
    private long countedTold;
    private final MemoryBroker broker = new MemoryBroker(
            () -> now, topic -> rules(topic), new Counting(), OccupancyListener.NOOP, 64 << 20, 4, 100);
    private final RecordingListener listener = new RecordingListener();

    private final class Counting implements BrokerMetrics {
        @Override
        public void published(TopicName topic, Priority priority, PublishResult result) {
            counted.add(result);
        }

        @Override
        public void valuePublished(TopicName topic, PublishResult result) {
            countedValues.add(result);
        }

        @Override
        public void valuesTold(TopicName topic, int count) {
            countedTold += count;
        }
    }

    private NamespaceConfig rules(TopicName topic) {
        return ConfigReader.parse(NamespaceConfig.class, "{name: " + topic.namespace() + rules + "}");
    }

    private PublishResult publish(String topic, MessageId id) {
        return publish(broker, topic, id);
    }

    private PublishResult publish(MemoryBroker broker, String topic) {
        return publish(broker, topic, null);
    }

    private PublishResult publish(MemoryBroker broker, String topic, MessageId id) {
        Message.Draft draft = new Message.Draft(TopicName.of(topic), new byte[] {'1'}, Priority.NORMAL, null, 1, now);
        return broker.publish(draft, id).join();
    }

    private PublishResult.Accepted publish(String topic, String id) {
        return assertInstanceOf(PublishResult.Accepted.class, publish(topic, new MessageId("shop", id)));
    }

    private PublishResult.Accepted publish(String topic) {
        return assertInstanceOf(PublishResult.Accepted.class, publish(topic, (MessageId) null));
    }

    private Attachment attach(String topic) {
        return broker.attach(TopicName.of(topic), listener);
    }

    @Test
    void numbersEachTopicByItself() {
        PublishResult.Accepted first = publish("room:1");
        assertEquals(2, publish("room:1").offset());
        PublishResult.Accepted other = publish("room:2");
        assertEquals(1, other.offset());
        assertNotEquals(first.epoch(), other.epoch());
        assertEquals(2, broker.topics());
    }

    @Test
    void givesEpochsThatPositionsTake() {
        PublishResult.Accepted accepted = publish("room:1");
        assertEquals(accepted.epoch(), new Position(accepted.epoch(), 1).epoch());
    }

    @Test
    void attachesToOneTopic() {
        publish("room:1");
        Attachment attachment = attach("room:1");
        assertEquals(1, attachment.position().offset());
        publish("room:1");
        publish("room:2");
        assertEquals(List.of(2L), listener.offsets());
        attachment.close();
        publish("room:1");
        assertEquals(List.of(2L), listener.offsets());
    }

    @Test
    void endsNoLaterRegistrationWithAnOldOne() {
        RecordingListener other = new RecordingListener();
        broker.attach(TopicName.of("room:1"), other);
        Attachment first = attach("room:1");
        first.close();
        first.close();
        publish("room:1");
        assertEquals(List.of(1L), other.offsets());
    }

    @Test
    void countsSubscriptionsOfAllAttachments() {
        Attachment one = attach("room:1");
        Attachment two = broker.attach(TopicName.of("room:1"), new RecordingListener());
        one.countSubscriptions(2);
        two.countSubscriptions(1);
        assertEquals(3, one.online());
        one.countSubscriptions(-1);
        assertEquals(2, two.online());
    }

    @Test
    void remembersAnIdForItsTime() {
        String epoch = publish("room:1", "a").epoch();
        now += MemoryBroker.ID_LIFE.toNanos() - 1;
        broker.sweep();
        assertTrue(publish("room:1", "a").duplicate());
        now += 1;
        broker.sweep();
        assertEquals(new PublishResult.Accepted(epoch, 2, false), publish("room:1", "a"));
    }

    @Test
    void countsARepeatsTimeFromTheFirst() {
        publish("room:1", "a");
        now += MemoryBroker.ID_LIFE.toNanos() / 2;
        assertTrue(publish("room:1", "a").duplicate());
        now += MemoryBroker.ID_LIFE.toNanos() / 2;
        broker.sweep();
        assertFalse(publish("room:1", "a").duplicate());
    }

    @Test
    void remembersSoManyIdsOfAllTopics() {
        for (String topic : List.of("room:1", "room:2", "room:3", "room:4", "room:5")) {
            publish(topic, "a");
        }
        assertTrue(publish("room:2", "a").duplicate());
        assertTrue(publish("room:5", "a").duplicate());
        assertFalse(publish("room:1", "a").duplicate());
    }

    @Test
    void keepsAnIdThatCameAgainForItsWholeTime() {
        MemoryBroker narrow = new MemoryBroker(
                () -> now, topic -> rules(topic), BrokerMetrics.NOOP, OccupancyListener.NOOP, 64 << 20, 100, 1);
        Message.Draft draft =
                new Message.Draft(TopicName.of("room:1"), new byte[] {'1'}, Priority.NORMAL, null, 1, now);
        MessageId a = new MessageId("shop", "a");
        narrow.publish(draft, a);
        narrow.publish(draft, new MessageId("shop", "b"));
        now += MemoryBroker.ID_LIFE.toNanos() / 2;
        narrow.publish(draft, a);
        now += MemoryBroker.ID_LIFE.toNanos() / 2;
        // The first one's time is over, the second's isn't.
        narrow.sweep();
        PublishResult repeat = narrow.publish(draft, a).join();
        assertTrue(assertInstanceOf(PublishResult.Accepted.class, repeat).duplicate());
    }

    @Test
    void endsTheNumberingOfATopicThatNobodyUses() {
        PublishResult.Accepted before = publish("room:1");
        now += MemoryBroker.IDLE_LIFE.toNanos() - 1;
        broker.sweep();
        assertEquals(1, broker.topics());
        now += 1;
        broker.sweep();
        assertEquals(0, broker.topics());
        PublishResult.Accepted after = publish("room:1");
        assertEquals(1, after.offset());
        assertNotEquals(before.epoch(), after.epoch());
    }

    @Test
    void keepsTheNumberingOfATopicWithListeners() {
        Attachment attachment = attach("room:1");
        String epoch = attachment.position().epoch();
        now += MemoryBroker.IDLE_LIFE.toNanos() * 2;
        broker.sweep();
        assertEquals(new PublishResult.Accepted(epoch, 1, false), publish("room:1"));
        attachment.close();
        now += MemoryBroker.IDLE_LIFE.toNanos() - 1;
        broker.sweep();
        assertEquals(epoch, publish("room:1").epoch());
    }

    @Test
    void keepsTheNumberingAsLongAsItsIds() {
        publish("room:1", "a");
        now += MemoryBroker.IDLE_LIFE.toNanos();
        // One sweep forgets the id, and with it what held the topic.
        broker.sweep();
        assertEquals(0, broker.topics());
    }

    @Test
    void countsWhatItAnswers() {
        attach("room:1");
        PublishResult accepted = publish("room:1");
        listener.room = 0;
        PublishResult refused = publish("room:1", (MessageId) null);
        assertInstanceOf(PublishResult.Refused.class, refused);
        assertEquals(List.of(accepted, refused), counted);
    }

    private static long hiddenIn(List<Message> messages) {
        long hidden = 0;
        for (Message message : messages) {
            byte[] json = new byte[message.jsonLength()];
            message.putJson(json, 0);
            Matcher field = Pattern.compile("\"hidden\":(\\d+)").matcher(new String(json, StandardCharsets.UTF_8));
            hidden += field.find() ? Long.parseLong(field.group(1)) : 0;
        }
        return hidden;
    }

    @Test
    void hidesWhatIsOverTheBudgetAndSaysHowManyExactly() {
        rules = ", budget: 10/s";
        attach("room:1");
        long shed = 0;
        for (int i = 0; i < 1_000; i++) { // ten seconds at ten times the budget
            shed += publish("room:1", (MessageId) null) instanceof PublishResult.Shed ? 1 : 0;
            now += 10_000_000;
        }
        List<Message> shown = listener.offered.stream()
                .filter(message -> message.offset() != Message.NO_OFFSET)
                .toList();
        assertEquals(1_000 - shed, shown.size());
        assertEquals(range(1, shown.size()), shown.stream().map(Message::offset).toList());
        broker.tellHidden();
        assertEquals(shed, hiddenIn(shown) + listener.hidden);
        assertTrue(listener.hidden > 0);
        broker.tellHidden();
        assertEquals(shed, hiddenIn(shown) + listener.hidden);
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void givesAHiddenMessageBackWithoutAPlace() {
        rules = ", budget: 1/s";
        attach("room:1");
        publish("room:1");
        assertEquals(new PublishResult.Shed("budget", false), publish("room:1", (MessageId) null));
        assertEquals(List.of(1L, Message.NO_OFFSET), listener.offsets());
    }

    @ParameterizedTest
    @EnumSource(names = {"LOW", "NORMAL", "CRITICAL"})
    void spendsNoBudgetOnWhatWasOverloaded(Priority priority) {
        rules = ", budget: 1/s";
        attach("room:1");
        listener.room = 0;
        for (int i = 0; i < 3; i++) {
            PublishResult.Refused refused =
                    assertInstanceOf(PublishResult.Refused.class, say("u7", priority, "1", null));
            assertEquals(ErrorCode.OVERLOADED, refused.code());
        }
        listener.room = Long.MAX_VALUE;
        assertInstanceOf(PublishResult.Accepted.class, say("u7", priority, "1", null));
    }

    @Test
    void doesntGoBackToRulesThatAReloadHasReplaced() {
        AtomicBoolean reloaded = new AtomicBoolean();
        MemoryBroker[] reloading = new MemoryBroker[1];
        MemoryBroker other = new MemoryBroker(
                () -> now,
                topic -> {
                    NamespaceConfig old = rules(topic);
                    if (reloading[0] != null && reloaded.compareAndSet(false, true)) {
                        // Just while the topic's first publish asks for them.
                        rules = ", budget: 1/s";
                        reloading[0].reconfigure();
                    }
                    return old;
                },
                BrokerMetrics.NOOP,
                64 << 20);
        reloading[0] = other;
        publish(other, "room:1");
        assertInstanceOf(PublishResult.Shed.class, publish(other, "room:1"));
    }

    @Test
    void answersTheRepeatOfAHiddenMessageAsTheFirst() {
        rules = ", budget: 1/s";
        publish("room:1");
        assertEquals(new PublishResult.Shed("budget", false), publish("room:1", new MessageId("shop", "m1")));
        now += 10_000_000_000L;
        assertEquals(new PublishResult.Shed("budget", true), publish("room:1", new MessageId("shop", "m1")));
    }

    @Test
    void hidesWithoutRoomInTheQueuesToo() {
        rules = ", budget: 1/s";
        attach("room:1");
        publish("room:1");
        listener.room = 0;
        assertEquals(new PublishResult.Shed("budget", false), publish("room:1", (MessageId) null));
        assertEquals(List.of(1L), listener.offsets());
        now += 2_000_000_000L;
        // Over the queue's bound, what would be shown is refused.
        assertInstanceOf(PublishResult.Refused.class, publish("room:1", (MessageId) null));
    }

    // ---------------------------------------------------------------- values

    private static final long INTERVAL_NANOS = 500_000_000;

    private PublishResult like(String topic, String data, MessageId id) {
        ValueChange change = ValueChange.of("likes", Merge.SUM, data.getBytes(StandardCharsets.UTF_8));
        return broker.publish(TopicName.of(topic), change, id).join();
    }

    private void like(String topic) {
        assertEquals(new PublishResult.ValueAccepted("likes", false), like(topic, "1", null));
    }

    private static List<String> texts(List<TopicValue> values) {
        return values.stream()
                .map(value ->
                        value.topic() + " " + value.key() + "=" + new String(value.data(), StandardCharsets.UTF_8))
                .toList();
    }

    private PublishResult set(String key, String data) {
        ValueChange change = ValueChange.of(key, Merge.LAST, data.getBytes(StandardCharsets.UTF_8));
        return broker.publish(TopicName.of("room:1"), change, null).join();
    }

    @Test
    void givesRemovedKeysPlacesToOthersWhileNobodyListens() {
        Attachment first = attach("room:1");
        for (int i = 0; i < Values.MAX_KEYS; i++) {
            set("k" + i, "1");
        }
        first.close();
        for (int i = 1; i < Values.MAX_KEYS; i++) {
            set("k" + i, "null");
        }
        for (int i = 1; i < Values.MAX_KEYS; i++) {
            assertInstanceOf(PublishResult.ValueAccepted.class, set("other" + i, "2"));
        }
        assertInstanceOf(PublishResult.Refused.class, set("onemore", "3"));
        Attachment second = attach("room:1");
        assertEquals(Values.MAX_KEYS, second.values().size());
        assertEquals("room:1 k0=1", texts(second.values()).get(0));
    }

    @Test
    void tellsValuesOncePerIntervalAndUsesNoOffset() {
        attach("room:1");
        like("room:1");
        assertEquals(1, listener.wakes);
        like("room:1");
        like("room:1");
        now += INTERVAL_NANOS - 1;
        broker.tellValues();
        assertEquals(1, listener.wakes);
        now += 1;
        broker.tellValues();
        broker.tellValues();
        assertEquals(2, listener.wakes);
        assertEquals(List.of("room:1 likes=1", "room:1 likes=3"), texts(listener.values));
        assertEquals(1, publish("room:1").offset());
        assertEquals(2, countedTold);
        assertEquals(3, countedValues.size());
        assertEquals(1, counted.size());
    }

    @Test
    void tellsTheValuesOfAllTopicsInTheEnd() {
        // Many, so that some share a place in the set of those that wait.
        List<String> topics =
                LongStream.range(0, 300).mapToObj(i -> "room:" + i).toList();
        topics.forEach(this::attach);
        for (int i = 0; i < 2; i++) {
            topics.forEach(this::like);
        }
        broker.tellValues();
        assertEquals(300, listener.values.size());
        now += INTERVAL_NANOS;
        broker.tellValues();
        assertEquals(
                topics.stream().map(topic -> topic + " likes=2").sorted().toList(),
                texts(listener.values.subList(300, 600)).stream().sorted().toList());
    }

    @Test
    void takesValuesThoughQueuesAreFull() {
        attach("room:1");
        listener.room = 0;
        like("room:1");
        like("room:1");
        broker.tellValues();
        assertEquals(List.of(), listener.values);
        listener.room = Long.MAX_VALUE;
        broker.tellValues();
        assertEquals(List.of("room:1 likes=2"), texts(listener.values));
    }

    @Test
    void givesNewcomersTheValuesAsTold() {
        like("room:1");
        like("room:1");
        // Nobody was told, so the first one is told what there is.
        Attachment first = attach("room:1");
        assertEquals(List.of("room:1 likes=2"), texts(first.values()));
        like("room:1");
        RecordingListener other = new RecordingListener();
        Attachment second = broker.attach(TopicName.of("room:1"), other);
        assertEquals(List.of("room:1 likes=2"), texts(second.values()));
        assertEquals(first.lastValue(), second.lastValue());
        now += INTERVAL_NANOS;
        broker.tellValues();
        assertEquals(List.of("room:1 likes=3"), texts(other.values));
        assertEquals(texts(other.values), texts(listener.values));
        assertTrue(other.values.get(0).number() > second.lastValue());
    }

    @Test
    void tellsAReturningListenerWhatHappenedInBetween() {
        Attachment before = attach("room:1");
        like("room:1");
        like("room:1");
        before.close();
        now += INTERVAL_NANOS;
        broker.tellValues();
        like("room:1");
        Attachment after = attach("room:1");
        assertEquals(List.of("room:1 likes=3"), texts(after.values()));
        // What may still stand in its queue is out of date.
        assertTrue(listener.values.stream().allMatch(value -> value.number() <= after.lastValue()));
        assertEquals(1, listener.values.size());
    }

    @Test
    void mergesARepeatOnce() {
        MessageId id = new MessageId("shop", "a");
        assertEquals(new PublishResult.ValueAccepted("likes", false), like("room:1", "5", id));
        assertEquals(new PublishResult.ValueAccepted("likes", true), like("room:1", "5", id));
        assertEquals(List.of("room:1 likes=5"), texts(attach("room:1").values()));
        now += MemoryBroker.ID_LIFE.toNanos();
        broker.sweep();
        assertEquals(new PublishResult.ValueAccepted("likes", false), like("room:1", "5", id));
        assertEquals(3, countedValues.size());
    }

    @Test
    void keepsIdsOfMessagesAndValuesApart() {
        PublishResult.Accepted message = publish("room:1", "a");
        assertEquals(
                new PublishResult.Accepted(message.epoch(), 1, true), like("room:1", "5", new MessageId("shop", "a")));
        like("room:1", "5", new MessageId("shop", "b"));
        PublishResult refused = publish("room:1", new MessageId("shop", "b"));
        assertEquals(
                ErrorCode.BAD_REQUEST,
                assertInstanceOf(PublishResult.Refused.class, refused).code());
        assertEquals(List.of("room:1 likes=5"), texts(attach("room:1").values()));
    }

    @Test
    void refusedChangeUsesUpNoId() {
        MessageId id = new MessageId("shop", "a");
        like("room:1");
        ValueChange wrong = ValueChange.of("likes", Merge.MAX, new byte[] {'1'});
        PublishResult refused =
                broker.publish(TopicName.of("room:1"), wrong, id).join();
        assertInstanceOf(PublishResult.Refused.class, refused);
        assertEquals(new PublishResult.ValueAccepted("likes", false), like("room:1", "1", id));
    }

    @Test
    void keepsATopicWithValuesForAnHour() {
        like("room:1");
        publish("room:2");
        now += MemoryBroker.IDLE_LIFE.toNanos();
        broker.sweep();
        assertEquals(1, broker.topics());
        now += Sequencer.VALUES_LIFE_NANOS - MemoryBroker.IDLE_LIFE.toNanos() - 1;
        broker.sweep();
        assertEquals(1, broker.topics());
        now += 1;
        broker.sweep();
        assertEquals(0, broker.topics());
        like("room:1");
        like("room:1", "null", null);
        now += MemoryBroker.IDLE_LIFE.toNanos();
        broker.sweep();
        // With its only value removed it is as any other.
        assertEquals(0, broker.topics());
    }

    @Test
    void addsUpWhatManyPublishAtOnce() throws Exception {
        List<TopicValue> heard = Collections.synchronizedList(new ArrayList<>());
        MemoryBroker real = new MemoryBroker(System::nanoTime, topic -> rules(topic), BrokerMetrics.NOOP, 64 << 20);
        rules = ", interval: 10ms";
        real.attach(TopicName.of("room:1"), new BrokerListener() {
            @Override
            public boolean reserve(int bytes) {
                return true;
            }

            @Override
            public void release(int bytes) {}

            @Override
            public void offer(TopicEvent event) {
                heard.add((TopicValue) event);
            }

            @Override
            public void tellHidden(TopicName topic, long count) {}

            @Override
            public void tellMembers(TopicName topic, MembersNews news) {}

            @Override
            public void wake() {}
        });
        AtomicBoolean done = new AtomicBoolean();
        Thread ticks = new Thread(() -> {
            while (!done.get()) {
                real.tellValues();
            }
        });
        ticks.start();
        List<Thread> publishers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread publisher = new Thread(() -> {
                ValueChange change = ValueChange.of("sum", Merge.SUM, "0.1".getBytes(StandardCharsets.UTF_8));
                for (int k = 0; k < 25_000; k++) {
                    real.publish(TopicName.of("room:1"), change, null).join();
                }
            });
            publisher.start();
            publishers.add(publisher);
        }
        for (Thread publisher : publishers) {
            publisher.join();
        }
        while (!texts(List.of(heard.get(heard.size() - 1))).equals(List.of("room:1 sum=10000"))) {
            Thread.onSpinWait();
        }
        done.set(true);
        ticks.join();
        // Nothing is told behind the final value, and what was told has grown.
        List<BigDecimal> told = heard.stream()
                .map(value -> new BigDecimal(new String(value.data(), StandardCharsets.UTF_8)))
                .toList();
        assertEquals(told.stream().sorted().toList(), told);
        assertEquals(new BigDecimal("10000"), told.get(told.size() - 1));
        assertTrue(told.size() < 50_000, told.size() + " tellings of 100,000 publishes");
    }

    // ---------------------------------------------------------------- senders' limits

    private PublishResult say(String speaker, Priority priority, String data, MessageId id) {
        Message.Draft draft = new Message.Draft(
                TopicName.of("room:1"), data.getBytes(StandardCharsets.UTF_8), priority, null, 1, now);
        return broker.publish(draft, id, speaker).join();
    }

    private PublishResult say(String speaker, String data) {
        return say(speaker, Priority.NORMAL, data, null);
    }

    private static ErrorCode code(PublishResult result) {
        return assertInstanceOf(PublishResult.Refused.class, result).code();
    }

    @Test
    void limitsEachSpeaker() {
        rules = ", limits: {perSender: 1/s}";
        assertInstanceOf(PublishResult.Accepted.class, say("u7", "1"));
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", "2")));
        assertInstanceOf(PublishResult.Accepted.class, say("u8", "1"));
        // Nobody in particular has no limit; nor has what matters.
        for (int i = 0; i < 3; i++) {
            assertInstanceOf(PublishResult.Accepted.class, say(null, "1"));
            assertInstanceOf(PublishResult.Accepted.class, say("u7", Priority.HIGH, "1", null));
            assertInstanceOf(PublishResult.Accepted.class, say("u7", Priority.CRITICAL, "1", null));
        }
        now += 1_000_000_000;
        assertInstanceOf(PublishResult.Accepted.class, say("u7", Priority.LOW, "1", null));
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", Priority.LOW, "2", null)));
    }

    @Test
    void keepsATopicAsLongAsItsSendersLimits() {
        rules = ", limits: {perSender: 1/h}";
        say("u7", "1");
        now += MemoryBroker.IDLE_LIFE.toNanos();
        broker.sweep();
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", "2")));
        now += 3_600_000_000_000L;
        broker.sweep();
        assertEquals(0, broker.topics());
    }

    @Test
    void takesADraftsSenderForItsSpeaker() {
        rules = ", limits: {perSender: 1/s}";
        Message.Draft draft =
                new Message.Draft(TopicName.of("room:1"), new byte[] {'1'}, Priority.NORMAL, "u7", 1, now);
        assertInstanceOf(
                PublishResult.Accepted.class, broker.publish(draft, null).join());
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", "2")));
    }

    @Test
    void answersARepeatBeforeItLooksAtLimits() {
        rules = ", limits: {perSender: 1/s, repeatWindow: 10s}";
        MessageId id = new MessageId("u7", "a");
        PublishResult.Accepted first =
                assertInstanceOf(PublishResult.Accepted.class, say("u7", Priority.NORMAL, "1", id));
        assertEquals(new PublishResult.Accepted(first.epoch(), 1, true), say("u7", Priority.NORMAL, "1", id));
        now += 1_000_000_000;
        assertEquals(ErrorCode.REPEATED, code(say("u7", Priority.NORMAL, "1", new MessageId("u7", "b"))));
        // A refused one's id isn't remembered.
        now += 10_000_000_000L;
        assertEquals(
                new PublishResult.Accepted(first.epoch(), 2, false),
                say("u7", Priority.NORMAL, "1", new MessageId("u7", "b")));
    }

    @Test
    void countsNothingThatWasOverloaded() {
        rules = ", limits: {perSender: 1/s, repeatWindow: 10s}";
        attach("room:1");
        listener.room = 0;
        PublishResult.Refused overloaded = assertInstanceOf(PublishResult.Refused.class, say("u7", "1"));
        assertEquals(ErrorCode.OVERLOADED, overloaded.code());
        assertEquals(1_000, overloaded.retryAfterMillis());
        listener.room = Long.MAX_VALUE;
        assertInstanceOf(PublishResult.Accepted.class, say("u7", "1"));
    }

    @Test
    void countsWhatTheBudgetHides() {
        rules = ", budget: 1/s, limits: {perSender: 1/m, repeatWindow: 10s}";
        say("u1", "1");
        assertInstanceOf(PublishResult.Shed.class, say("u7", "1"));
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", "2")));
        now += 2_000_000_000;
        assertEquals(ErrorCode.RATE_LIMITED, code(say("u7", "2")));
    }

    @Test
    void refusalsDontCountForTheBudget() {
        rules = ", budget: 2/s, limits: {repeatWindow: 1m}";
        assertInstanceOf(PublishResult.Accepted.class, say("u7", "1"));
        for (int i = 0; i < 1_000; i++) {
            assertEquals(ErrorCode.REPEATED, code(say("u7", "1")));
        }
        assertInstanceOf(PublishResult.Accepted.class, say("u8", "1"));
    }

    private List<String> names(String prefix, String after, int limit) {
        return names(broker, prefix, after, limit);
    }

    private static List<String> names(MemoryBroker broker, String prefix, String after, int limit) {
        return broker.topics(prefix, after, limit).join().topics().stream()
                .map(TopicInfo::name)
                .toList();
    }

    @Test
    void topicsAreListedByName() {
        for (String topic : List.of("b:1", "a:2", "a", "a:10", "a.b", "A:1")) {
            publish(topic);
        }
        broker.attach(TopicName.ofUser("u7"), listener);
        assertEquals(List.of("$user:u7", "A:1", "a", "a.b", "a:10", "a:2", "b:1"), names("", "", 100));
        assertEquals(List.of("a:10", "a:2"), names("a:", "", 100));
        assertEquals(List.of("a:2"), names("a:", "a:10", 100));
        assertEquals(List.of("a", "a.b"), names("a", "A:1", 2));
        assertEquals(List.of(), names("a:", "b:1", 100), "a cursor of another list");
        assertEquals(List.of("$user:u7"), names("$user:", "", 100));
        assertEquals(List.of(), names("c", "", 100));
        assertTrue(broker.topics("a:", "", 1).join().more());
        assertFalse(broker.topics("a:", "", 2).join().more(), "another one follows, but not of this prefix");
        assertFalse(broker.topics("", "a:2", 1).join().more());
    }

    @Test
    void readingATopicDoesntBeginOne() {
        assertTrue(broker.topic(TopicName.of("room:1")).join().isEmpty());
        assertEquals(0, broker.topics());
        assertEquals(List.of(), names("", "", 100));
    }

    @Test
    void aTopicIsDescribed() {
        rules = ", history: {size: 2, ttl: 1m}";
        PublishResult.Accepted first = publish("room:1");
        Attachment attachment = attach("room:1");
        attachment.countSubscriptions(3);
        assertEquals(
                new TopicInfo("room:1", first.epoch(), 1, 3, 1),
                broker.topic(TopicName.of("room:1")).join().orElseThrow());
        publish("room:1");
        publish("room:1");
        assertEquals(
                List.of(new TopicInfo("room:1", first.epoch(), 3, 3, 2)),
                broker.topics("", "", 1).join().topics());
        now += 61_000_000_000L;
        assertEquals(
                0, broker.topic(TopicName.of("room:1")).join().orElseThrow().history());
    }

    @Test
    void aListHasEachTopicOnceWhileOthersComeAndGo() throws Exception {
        int count = 100_000;
        NamespaceConfig read = rules(TopicName.of("old:1"));
        MemoryBroker broker = new MemoryBroker(() -> now, topic -> read, new Counting(), 64 << 20);
        for (int i = 0; i < count; i++) {
            publish(broker, "old:" + i);
        }
        now += MemoryBroker.IDLE_LIFE.toNanos();
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < count; i += 2) {
            publish(broker, "old:" + i);
            kept.add("old:" + i);
        }
        Collections.sort(kept);
        Thread others = new Thread(() -> {
            broker.sweep();
            for (int i = 0; i < 20_000; i++) {
                publish(broker, "new:" + i);
                publish(broker, "older:" + i);
            }
        });
        others.start();
        List<String> seen = new ArrayList<>();
        for (List<String> page = names(broker, "old", "", 1000); !page.isEmpty(); ) {
            seen.addAll(page);
            page = names(broker, "old", page.get(page.size() - 1), 1000);
        }
        others.join();
        List<String> sorted = new ArrayList<>(seen);
        Collections.sort(sorted);
        assertEquals(sorted, seen);
        seen.removeIf(name -> !name.startsWith("old:") || Integer.parseInt(name.substring(4)) % 2 > 0);
        assertEquals(kept, seen);
        assertEquals(kept.size(), names(broker, "old:", "", count).size(), "those that nobody used are gone");
        assertEquals(broker.topics(), names(broker, "", "", 2 * count).size());
    }
}
