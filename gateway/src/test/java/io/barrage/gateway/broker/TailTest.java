package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TailTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int ALL = Integer.MAX_VALUE;

    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - SECOND;
    private long offset = 6;
    private final Tail.Memory memory = new Tail.Memory(1 << 20);
    private Tail tail = tail("log: {size: 20}");

    private Tail tail(String rules) {
        return new Tail(ConfigReader.parse(NamespaceConfig.class, "{name: room, " + rules + "}"), memory, offset);
    }

    private Message add(Priority priority, boolean hasListeners, int length) {
        byte[] data = ("\"" + "x".repeat(length) + "\"").getBytes(StandardCharsets.UTF_8);
        Message message = new Message.Draft(TopicName.of("room:1"), data, priority, null, 1, now).at(++offset);
        tail.add(message, hasListeners, now);
        return message;
    }

    private void add(int count) {
        for (int i = 0; i < count; i++) {
            add(Priority.NORMAL, true, 10);
        }
    }

    private static List<Long> offsets(Past past) {
        return past.messages().stream().map(Message::offset).toList();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void keepsWhatATopicLogMayHoldWhileSomebodyListens() {
        add(50);
        assertEquals(37, tail.oldest());
        assertEquals(range(37, 56), offsets(tail.read(36, 56, ALL)));
        assertEquals(List.of(), offsets(tail.read(35, 56, ALL)));
        assertEquals(57, tail.oldestOfHistory(now), "no history is configured");
    }

    @Test
    void keepsTheHistoryAlsoIfNobodyListens() {
        tail = tail("history: {size: 5, ttl: 10s}");
        for (int i = 0; i < 8; i++) {
            add(Priority.NORMAL, false, 10);
            now += SECOND;
        }
        assertEquals(10, tail.oldest());
        assertEquals(10, tail.oldestOfHistory(now));
        now += 5 * SECOND + 1;
        assertEquals(11, tail.oldestOfHistory(now));
        tail.sweep(false, now);
        assertEquals(11, tail.oldest());
        now += 60 * SECOND;
        tail.sweep(false, now);
        assertTrue(tail.isEmpty());
        assertEquals(0, memory.bytes());
    }

    @Test
    void readsInPiecesThatHaveOneMessageAtLeast() {
        add(10);
        Past piece = tail.read(6, 16, 1);
        assertEquals(List.of(7L), offsets(piece));
        assertEquals(7, piece.through());
        piece = tail.read(7, 12, ALL);
        assertEquals(range(8, 12), offsets(piece));
        assertEquals(12, piece.through());
    }

    @Test
    void keepsUrgentMessagesLonger() {
        add(Priority.CRITICAL, true, 10);
        add(40);
        add(Priority.HIGH, true, 10);
        add(40);
        assertEquals(List.of(7L, 48L), offsets(tail.readUrgent(6, 88, ALL)));
        assertEquals(88, tail.readUrgent(6, 88, ALL).through());
        assertEquals(List.of(48L), offsets(tail.readUrgent(7, 88, ALL)));
        assertEquals(6, tail.urgentGone());
        Past part = tail.readUrgent(6, 88, 1);
        assertEquals(List.of(7L), offsets(part));
        assertEquals(7, part.through());
    }

    @Test
    void saysWhichUrgentMessagesMayBeGone() {
        for (int i = 0; i < 70; i++) {
            add(Priority.CRITICAL, true, 10);
        }
        assertEquals(12, tail.urgentGone());
        assertEquals(range(13, 76), offsets(tail.readUrgent(12, 76, ALL)));
        tail.forgetListeners(now);
        assertEquals(76, tail.urgentGone());
        assertEquals(0, memory.bytes());
    }

    @Test
    void givesBackWhenAllTailsTakeTooMuch() {
        tail = tail("log: {size: 100000, bytes: 1GiB}");
        for (int i = 0; i < 3_000; i++) {
            add(Priority.NORMAL, true, 1_000);
        }
        assertTrue(memory.bytes() < (1 << 20) + 2_000, memory.bytes() + " bytes");
        assertTrue(memory.bytes() > (1 << 20) - 4_000, memory.bytes() + " bytes");
        tail.forgetListeners(now);
        assertEquals(0, memory.bytes());
    }

    @Test
    void givesUrgentMessagesBackToo() {
        tail = tail("history: {size: 20}");
        Tail room = tail;
        for (int i = 0; i < 20; i++) {
            add(Priority.NORMAL, true, 1_000);
        }
        long head = offset;
        // To users, each a topic that nothing comes to afterwards.
        for (int i = 0; i < 3_000; i++) {
            tail = tail("log: {size: 20}");
            add(Priority.HIGH, true, 1_000);
        }
        assertTrue(memory.bytes() <= 1 << 20, memory.bytes() + " bytes");
        assertTrue(tail.isEmpty());
        assertEquals(offset, tail.urgentGone(), "who was behind is told");
        assertEquals(List.of(), offsets(tail.readUrgent(offset - 1, offset, ALL)));

        tail = room;
        offset = head;
        for (int i = 0; i < 20; i++) {
            add(Priority.NORMAL, true, 1_000);
        }
        assertTrue(offset + 1 - room.oldest() >= 15, "the room keeps " + (offset + 1 - room.oldest()));
    }
}
