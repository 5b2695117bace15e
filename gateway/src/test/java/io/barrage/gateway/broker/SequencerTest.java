package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.ValueChange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequencerTest {
    private static final TopicName TOPIC = TopicName.of("room:1");

    private static final Values.Memory MEMORY = new Values.Memory(1 << 20);

    private final Sequencer sequencer = new Sequencer("e1", 3, rules(""), new Tail.Memory(64 << 20), 0);
    private final RecordingListener first = new RecordingListener();
    private final RecordingListener second = new RecordingListener();

    private static NamespaceConfig rules(String more) {
        return ConfigReader.parse(NamespaceConfig.class, "{name: room" + more + "}");
    }

    private static Message.Draft draft() {
        return new Message.Draft(TOPIC, new byte[] {'1'}, Priority.NORMAL, null, 1, 1);
    }

    private PublishResult publish(MessageId id) {
        return sequencer.publish(draft(), id, null, 0);
    }

    private long publish() {
        return assertInstanceOf(PublishResult.Accepted.class, publish(null)).offset();
    }

    private static MessageId id(String id) {
        return new MessageId("shop", id);
    }

    @Test
    void countsFromOne() {
        assertEquals(new PublishResult.Accepted("e1", 1, false), publish(null));
        assertEquals(new PublishResult.Accepted("e1", 2, false), publish(null));
    }

    @Test
    void givesAllListenersTheSameMessages() {
        sequencer.attach(first, 0);
        sequencer.attach(second, 0);
        publish();
        publish();
        assertEquals(List.of(1L, 2L), first.offsets());
        assertEquals(first.offered, second.offered);
        assertEquals(2, first.wakes);
        assertEquals(2, second.wakes);
    }

    @Test
    void tellsAListenerWhereItBegins() {
        publish();
        publish();
        assertEquals(new Position("e1", 2), sequencer.attach(first, 0).position());
        publish();
        assertEquals(List.of(3L), first.offsets());
    }

    @Test
    void wakesListenersOutsideOfItsLock() {
        boolean[] held = new boolean[2];
        sequencer.attach(
                new BrokerListener() {
                    @Override
                    public boolean reserve(int bytes) {
                        return true;
                    }

                    @Override
                    public void release(int bytes) {}

                    @Override
                    public void offer(TopicEvent event) {
                        held[0] = Thread.holdsLock(sequencer);
                    }

                    @Override
                    public void tellHidden(TopicName topic, long count) {}

                    @Override
                    public void tellMembers(TopicName topic, MembersNews news) {}

                    @Override
                    public void wake() {
                        held[1] = Thread.holdsLock(sequencer);
                    }
                },
                0);
        publish();
        assertTrue(held[0]);
        assertFalse(held[1]);
    }

    @Test
    void takesAListenerOnce() {
        sequencer.attach(first, 0);
        assertThrows(IllegalStateException.class, () -> sequencer.attach(first, 0));
    }

    @Test
    void leavesOthersAloneWhenOneDetachesTwice() {
        sequencer.attach(first, 0);
        sequencer.attach(second, 0);
        sequencer.detach(first, 0);
        sequencer.detach(first, 0);
        publish();
        assertEquals(List.of(), first.offsets());
        assertEquals(List.of(1L), second.offsets());
    }

    @Test
    void usesNoOffsetWhenOneListenerHasNoRoom() {
        sequencer.attach(first, 0);
        sequencer.attach(second, 0);
        long room = first.room;
        second.room = 0;
        PublishResult.Refused refused = assertInstanceOf(PublishResult.Refused.class, publish(id("a")));
        assertEquals(ErrorCode.OVERLOADED, refused.code());
        // All or none: the first one's reservation is taken back, and nobody is told anything.
        assertEquals(room, first.room);
        assertEquals(List.of(), first.offsets());
        assertEquals(0, first.wakes);
        second.room = Long.MAX_VALUE;
        // Nor is the id used up.
        assertEquals(new PublishResult.Accepted("e1", 1, false), publish(id("a")));
    }

    @Test
    void answersARepeatWithTheFirstAnswer() {
        sequencer.attach(first, 0);
        publish(id("a"));
        publish();
        assertEquals(new PublishResult.Accepted("e1", 1, true), publish(id("a")));
        assertEquals(new PublishResult.Accepted("e1", 1, true), publish(id("a")));
        assertEquals(List.of(1L, 2L), first.offsets());
    }

    @Test
    void answersARepeatThoughQueuesAreFull() {
        sequencer.attach(first, 0);
        publish(id("a"));
        first.room = 0;
        assertEquals(new PublishResult.Accepted("e1", 1, true), publish(id("a")));
    }

    @Test
    void keepsTheIdsOfPublishersApart() {
        publish(new MessageId("shop", "a"));
        assertEquals(new PublishResult.Accepted("e1", 2, false), publish(new MessageId("game", "a")));
    }

    @Test
    void forgetsTheOldestIdWhenThereAreTooMany() {
        for (String id : List.of("a", "b", "c", "d")) {
            publish(id(id));
        }
        assertEquals(new PublishResult.Accepted("e1", 2, true), publish(id("b")));
        assertEquals(new PublishResult.Accepted("e1", 5, false), publish(id("a")));
    }

    @Test
    void forgetsAnIdOnlyForItsOwnMessage() {
        for (String id : List.of("a", "b", "c", "d", "a")) {
            publish(id(id));
        }
        // The first "a" was pushed out; its time comes, but the second's hasn't.
        sequencer.forget(id("a"), 1);
        assertEquals(new PublishResult.Accepted("e1", 5, true), publish(id("a")));
        sequencer.forget(id("a"), 5);
        assertEquals(new PublishResult.Accepted("e1", 6, false), publish(id("a")));
    }

    @Test
    void endsOnlyWhenItIsNotUsed() {
        sequencer.publish(draft(), null, null, 100);
        assertFalse(sequencer.retire(109, 10));
        sequencer.attach(first, 0);
        assertFalse(sequencer.retire(1_000, 10));
        sequencer.detach(first, 1_000);
        assertFalse(sequencer.retire(1_009, 10));
        sequencer.publish(draft(), id("a"), null, 1_000);
        assertFalse(sequencer.retire(1_010, 10));
        sequencer.forget(id("a"), 2);
        assertTrue(sequencer.retire(1_010, 10));
    }

    @Test
    void takesNothingAfterItsEnd() {
        assertTrue(sequencer.retire(10, 10));
        assertNull(publish(null));
        assertNull(sequencer.attach(first, 0));
    }

    @Test
    void countsSubscriptionsAndTellsWhenThereIsAFirstAndNoneLeft() {
        List<String> told = new ArrayList<>();
        OccupancyListener occupancy = new OccupancyListener() {
            @Override
            public void occupied(TopicName topic) {
                told.add("occupied " + topic);
            }

            @Override
            public void vacated(TopicName topic) {
                told.add("vacated " + topic);
            }
        };
        TopicName topic = TopicName.of("room:1");
        sequencer.countSubscriptions(1, topic, occupancy);
        sequencer.countSubscriptions(1, topic, occupancy);
        assertEquals(List.of("occupied room:1"), told);
        sequencer.countSubscriptions(-1, topic, occupancy);
        assertEquals(1, sequencer.online());
        sequencer.countSubscriptions(-1, topic, occupancy);
        sequencer.countSubscriptions(1, topic, occupancy);
        assertEquals(List.of("occupied room:1", "vacated room:1", "occupied room:1"), told);
    }

    @Test
    void tellsOfFirstAndLastSubscriptionsOutsideOfItsLockAndInOrder() {
        List<String> told = new ArrayList<>();
        TopicName topic = TopicName.of("room:1");
        OccupancyListener occupancy = new OccupancyListener() {
            @Override
            public void occupied(TopicName ignored) {
                assertFalse(Thread.holdsLock(sequencer));
                told.add("occupied");
                if (told.size() == 1) {
                    // As another thread might, meanwhile.
                    sequencer.countSubscriptions(-1, topic, this);
                    sequencer.countSubscriptions(2, topic, this);
                    sequencer.countSubscriptions(-2, topic, this);
                    assertEquals(1, told.size(), "one after the other");
                }
            }

            @Override
            public void vacated(TopicName ignored) {
                assertFalse(Thread.holdsLock(sequencer));
                told.add("vacated");
            }
        };
        sequencer.countSubscriptions(1, topic, occupancy);
        assertEquals(List.of("occupied", "vacated", "occupied", "vacated"), told);
        sequencer.countSubscriptions(1, topic, occupancy);
        assertEquals(5, told.size());
    }

    @Test
    void wakesListenersForValuesOutsideOfItsLock() {
        boolean[] held = new boolean[2];
        sequencer.attach(
                new BrokerListener() {
                    @Override
                    public boolean reserve(int bytes) {
                        return true;
                    }

                    @Override
                    public void release(int bytes) {}

                    @Override
                    public void offer(TopicEvent event) {
                        held[0] = Thread.holdsLock(sequencer);
                    }

                    @Override
                    public void tellHidden(TopicName topic, long count) {}

                    @Override
                    public void tellMembers(TopicName topic, MembersNews news) {}

                    @Override
                    public void wake() {
                        held[1] = Thread.holdsLock(sequencer);
                    }
                },
                0);
        ValueChange change = ValueChange.of("likes", Merge.SUM, new byte[] {'1'});
        assertEquals(
                new Sequencer.Merged(new PublishResult.ValueAccepted("likes", false), true, false),
                sequencer.publish(TOPIC, change, null, MEMORY, 0));
        assertTrue(held[0]);
        assertFalse(held[1]);
        assertEquals(
                new Sequencer.Merged(new PublishResult.ValueAccepted("likes", false), false, true),
                sequencer.publish(TOPIC, change, null, MEMORY, 1));
        held[0] = false;
        assertEquals(new Sequencer.Told(0, true), sequencer.tellValues(2));
        assertFalse(held[0]);
        assertEquals(new Sequencer.Told(1, false), sequencer.tellValues(500_000_000));
        assertTrue(held[0]);
        assertFalse(held[1]);
    }

    @Test
    void givesBackItsValuesMemoryAtItsEnd() {
        Values.Memory memory = new Values.Memory(1 << 20);
        sequencer.publish(TOPIC, ValueChange.of("k", Merge.SUM, new byte[] {'1'}), null, memory, 0);
        assertTrue(memory.bytes() > 0);
        assertTrue(sequencer.retire(Sequencer.VALUES_LIFE_NANOS, 10));
        assertEquals(0, memory.bytes());
    }

    @Test
    void mergesNothingAfterItsEnd() {
        assertTrue(sequencer.retire(10, 10));
        assertNull(sequencer.publish(TOPIC, ValueChange.of("k", Merge.SUM, new byte[] {'1'}), null, MEMORY, 10));
        assertEquals(new Sequencer.Told(0, false), sequencer.tellValues(10));
    }
}
