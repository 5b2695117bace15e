package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class MemoryBrokerTest {
    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - 1_000;
    private String rules = "";
    private final List<PublishResult> counted = new ArrayList<>();
    private final MemoryBroker broker = new MemoryBroker(
            () -> now, topic -> rules(topic), (topic, priority, result) -> counted.add(result), 64 << 20, 4, 100);
    private final RecordingListener listener = new RecordingListener();

    private NamespaceConfig rules(TopicName topic) {
        return ConfigReader.parse(NamespaceConfig.class, "{name: " + topic.namespace() + rules + "}");
    }

    private PublishResult publish(String topic, MessageId id) {
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
        MemoryBroker narrow = new MemoryBroker(() -> now, topic -> rules(topic), BrokerMetrics.NOOP, 64 << 20, 100, 1);
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
}
