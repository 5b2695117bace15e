package io.barrage.gateway.broker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Values are merged exactly, and told at most once per interval, the last one always. */
class ValuesTest {
    private static final long INTERVAL = 500;

    private final Values.Memory memory = new Values.Memory(100_000);
    private final Values values = new Values(TopicName.of("room:1"), INTERVAL, memory);
    private final RecordingListener listener = new RecordingListener();
    private final BrokerListener[] listeners = {listener};
    // Shortly before the clock wraps round.
    private long now = Long.MAX_VALUE - 700;

    /** Publishes; gives whether it was told at once. */
    private boolean publish(String key, Merge merge, String data) {
        assertNull(values.merge(ValueChange.of(key, merge, data.getBytes(UTF_8)), now));
        return values.tell(key, listeners, now);
    }

    private PublishResult.Refused refused(String key, Merge merge, String data) {
        return assertInstanceOf(
                PublishResult.Refused.class, values.merge(ValueChange.of(key, merge, data.getBytes(UTF_8)), now));
    }

    private int tick() {
        return values.tell(listeners, now);
    }

    private List<String> heard() {
        return texts(listener.values);
    }

    private static List<String> texts(List<TopicValue> told) {
        return told.stream()
                .map(value -> value.key() + "=" + new String(value.data(), UTF_8))
                .toList();
    }

    /** What is told in the end. */
    private String merged(String key) {
        now += INTERVAL;
        tick();
        return listener.values.stream()
                .filter(value -> value.key().equals(key))
                .reduce((first, second) -> second)
                .map(value -> new String(value.data(), UTF_8))
                .orElse("nothing");
    }

    // ---------------------------------------------------------------- merging

    @Test
    void lastIsTheLastByteForByte() {
        publish("k", Merge.LAST, "1");
        publish("k", Merge.LAST, "{ \"b\" : [ 1e400 ] }");
        assertEquals("{ \"b\" : [ 1e400 ] }", merged("k"));
    }

    @Test
    void maxIsTheGreatest() {
        for (String number : List.of("-3", "2", "1e2", "99.5", "-1000")) {
            publish("k", Merge.MAX, number);
        }
        assertEquals("100", merged("k"));
    }

    @Test
    void sumIsExact() {
        publish("k", Merge.SUM, "0.1");
        publish("k", Merge.SUM, "0.2");
        assertEquals("0.3", merged("k"));
        publish("k", Merge.SUM, "9223372036854775807");
        publish("k", Merge.SUM, "9223372036854775807");
        assertEquals("18446744073709551614.3", merged("k"));
    }

    private static String entry(String id, long score, Object more) {
        return "{\"id\":\"" + id + "\",\"score\":" + score + ",\"n\":" + more + "}";
    }

    @Test
    void topHasTheBestFirstAndOfEqualsTheEarlier() {
        publish("k", Merge.TOP, entry("a", 5, 1));
        publish("k", Merge.TOP, entry("b", 7, 2));
        publish("k", Merge.TOP, entry("c", 5, 3));
        publish("k", Merge.TOP, entry("a", 5, 4)); // no better
        publish("k", Merge.TOP, entry("b", 6, 5)); // worse
        assertEquals("[" + entry("b", 7, 2) + "," + entry("a", 5, 1) + "," + entry("c", 5, 3) + "]", merged("k"));
        publish("k", Merge.TOP, " {\"score\" : 7.0, \"id\" : \"c\"}".strip());
        assertEquals(
                "[" + entry("b", 7, 2) + ",{\"score\" : 7.0, \"id\" : \"c\"}," + entry("a", 5, 1) + "]", merged("k"));
    }

    @Test
    void topIsWhatSortingAllWouldGive() {
        Random random = new Random(7);
        Map<String, long[]> best = new HashMap<>(); // score and when
        for (int i = 0; i < 2_000; i++) {
            String id = "u" + random.nextInt(40);
            long score = random.nextInt(300);
            publish("k", Merge.TOP, entry(id, score, i));
            if (!best.containsKey(id) || best.get(id)[0] < score) {
                best.put(id, new long[] {score, i});
            }
            if (i % 50 == 0) {
                List<String> ids = new ArrayList<>(best.keySet());
                ids.sort(Comparator.comparingLong((String other) -> -best.get(other)[0])
                        .thenComparingLong(other -> best.get(other)[1]));
                String expected = "["
                        + String.join(
                                ",",
                                ids.stream()
                                        .limit(Values.MAX_ENTRIES)
                                        .map(other -> entry(other, best.get(other)[0], best.get(other)[1]))
                                        .toList())
                        + "]";
                assertEquals(expected, merged("k"));
            }
        }
    }

    @Test
    void anotherMergeIsRefusedAndNamesBoth() {
        publish("k", Merge.SUM, "1");
        PublishResult.Refused refused = refused("k", Merge.MAX, "1");
        assertEquals(ErrorCode.BAD_REQUEST, refused.code());
        assertTrue(refused.message().contains("'sum'") && refused.message().contains("'max'"), refused.message());
        assertEquals("1", merged("k"));
        publish("k", Merge.LAST, "null");
        publish("k", Merge.MAX, "3");
        assertEquals("3", merged("k"));
    }

    @Test
    void thereAreAtMost64Keys() {
        for (int i = 0; i < Values.MAX_KEYS; i++) {
            publish("k" + i, Merge.SUM, "1");
        }
        PublishResult.Refused refused = refused("more", Merge.SUM, "1");
        assertEquals(ErrorCode.RATE_LIMITED, refused.code());
        assertTrue(refused.message().contains("64 keys"), refused.message());
        publish("k0", Merge.SUM, "1");
        publish("k1", Merge.SUM, "null");
        // It must be told first, and may come again no sooner than its interval allows.
        refused("more", Merge.SUM, "1");
        now += INTERVAL;
        tick();
        refused("more", Merge.SUM, "1");
        now += INTERVAL;
        assertTrue(publish("more", Merge.SUM, "1"));
    }

    @Test
    void whatAllTopicsHoldIsBounded() {
        Values other = new Values(TopicName.of("room:2"), INTERVAL, memory);
        String large = '"' + "x".repeat(60_000) + '"';
        assertNull(other.merge(ValueChange.of("large", Merge.LAST, large.getBytes(UTF_8)), now));
        publish("likes", Merge.SUM, "1");
        publish("state", Merge.LAST, "1");
        publish("top", Merge.TOP, entry("a", 1, 1));
        for (String key : List.of("state", "more")) {
            PublishResult.Refused refused = refused(key, Merge.LAST, large);
            assertEquals(ErrorCode.OVERLOADED, refused.code());
            assertEquals(1_000, refused.retryAfterMillis());
        }
        // What needs no more room goes on.
        publish("likes", Merge.SUM, "1");
        publish("state", Merge.LAST, "2");
        assertNull(other.merge(
                ValueChange.of("large", Merge.LAST, large.replace('x', 'y').getBytes(UTF_8)), now));
        other.tellFirst(now);
        assertNull(other.merge(ValueChange.of("large", Merge.LAST, "null".getBytes(UTF_8)), now));
        publish("state", Merge.LAST, large);
        assertEquals("2", merged("likes"));
        publish("state", Merge.LAST, "1");
        for (int i = 0; i < 100; i++) {
            publish("top", Merge.TOP, entry("u" + i, i, i));
        }
        long before = memory.bytes();
        for (int i = 100; i < 200; i++) {
            publish("top", Merge.TOP, entry("u" + i, i, i));
        }
        // Ten entries, whichever they are.
        assertTrue(Math.abs(memory.bytes() - before) < 100, before + " and then " + memory.bytes());
        values.clear();
        other.clear();
        assertEquals(0, memory.bytes());
    }

    // ---------------------------------------------------------------- telling

    @Test
    void tellsTheFirstAtOnceAndTheRestOncePerInterval() {
        assertTrue(publish("k", Merge.SUM, "1"));
        for (int i = 0; i < 100; i++) {
            assertFalse(publish("k", Merge.SUM, "1"));
            assertEquals(0, tick());
        }
        assertTrue(values.isWaiting("k"));
        now += INTERVAL - 1;
        assertEquals(0, tick());
        now += 1;
        assertEquals(1, tick());
        assertFalse(values.isWaiting());
        assertEquals(List.of("k=1", "k=101"), heard());
        // Just told: the next one waits, too.
        assertFalse(publish("k", Merge.SUM, "1"));
        now += INTERVAL;
        // By a publish as well as by a tick.
        assertTrue(publish("k", Merge.SUM, "1"));
        now += 10 * INTERVAL;
        assertEquals(0, tick());
        assertEquals(List.of("k=1", "k=101", "k=103"), heard());
    }

    @Test
    void keepsEachKeysInterval() {
        assertTrue(publish("a", Merge.SUM, "1"));
        now += INTERVAL / 2;
        assertTrue(publish("b", Merge.SUM, "1"));
        publish("a", Merge.SUM, "1");
        publish("b", Merge.SUM, "1");
        now += INTERVAL / 2;
        assertEquals(1, tick());
        assertTrue(values.isWaiting("b"));
        now += INTERVAL / 2;
        assertEquals(1, tick());
        assertEquals(List.of("a=1", "b=1", "a=2", "b=2"), heard());
    }

    @Test
    void tellsNothingThatIsAsTold() {
        publish("sum", Merge.SUM, "1");
        publish("max", Merge.MAX, "5");
        publish("last", Merge.LAST, "\"x\"");
        publish("sum", Merge.SUM, "1");
        publish("sum", Merge.SUM, "-1");
        publish("max", Merge.MAX, "4");
        publish("last", Merge.LAST, "\"y\"");
        publish("last", Merge.LAST, "\"x\"");
        now += INTERVAL;
        assertEquals(0, tick());
        assertFalse(values.isWaiting());
    }

    @Test
    void tellsLaterWhatThereIsNoRoomForNow() {
        publish("k", Merge.SUM, "1");
        now += INTERVAL;
        long room = listener.room;
        listener.room = 10;
        assertFalse(publish("k", Merge.SUM, "1"));
        assertEquals(0, tick());
        assertTrue(values.isWaiting());
        listener.room = room;
        assertEquals(1, tick());
        assertEquals(List.of("k=1", "k=2"), heard());
    }

    @Test
    void tellsAllOrNone() {
        RecordingListener full = new RecordingListener();
        full.room = 10;
        long room = listener.room;
        assertNull(values.merge(ValueChange.of("k", Merge.SUM, new byte[] {'1'}), now));
        assertEquals(0, values.tell(new BrokerListener[] {listener, full}, now));
        assertEquals(room, listener.room);
        assertEquals(List.of(), heard());
    }

    @Test
    void numbersWhatItTells() {
        publish("a", Merge.SUM, "1");
        publish("b", Merge.SUM, "1");
        now += INTERVAL;
        publish("a", Merge.SUM, "1");
        assertEquals(
                List.of(1L, 2L, 3L),
                listener.values.stream().map(TopicValue::number).toList());
        assertEquals(3, values.lastNumber());
    }

    // ---------------------------------------------------------------- removing

    @Test
    void tellsARemovalOnceAndForgetsTheKey() {
        publish("k", Merge.SUM, "1");
        publish("k", Merge.SUM, "null");
        publish("k", Merge.MAX, "null");
        assertEquals(List.of("k=1"), texts(values.told()));
        assertEquals("null", merged("k"));
        assertEquals(List.of("k=1", "k=null"), heard());
        assertEquals(List.of(), values.told());
        assertTrue(values.isEmpty());
        // Anew, but no sooner than its interval allows.
        assertFalse(publish("k", Merge.SUM, "5"));
        assertEquals("5", merged("k"));
    }

    @Test
    void tellsNothingOfAKeyThatNobodyHasHeardOf() {
        publish("other", Merge.SUM, "null");
        assertEquals(List.of(), heard());
        assertNull(values.merge(ValueChange.of("k", Merge.SUM, new byte[] {'1'}), now));
        publish("k", Merge.SUM, "null");
        assertEquals("nothing", merged("k"));
        assertFalse(values.isWaiting());
    }

    // ---------------------------------------------------------------- newcomers

    @Test
    void givesWhatWasToldNotWhatIsStillToBe() {
        publish("a", Merge.SUM, "1");
        publish("b", Merge.SUM, "7");
        publish("a", Merge.SUM, "1");
        assertEquals(List.of("a=1", "b=7"), texts(values.told()));
        assertEquals("2", merged("a"));
        assertEquals(List.of("a=2", "b=7"), texts(values.told()));
    }

    @Test
    void givesTheFirstListenerEverythingAsItIs() {
        publish("gone", Merge.SUM, "1");
        publish("changed", Merge.SUM, "1");
        // All have left.
        BrokerListener[] nobody = {};
        for (String data : List.of("1", "1")) {
            assertNull(values.merge(ValueChange.of("changed", Merge.SUM, data.getBytes(UTF_8)), now));
            assertNull(values.merge(ValueChange.of("fresh", Merge.SUM, data.getBytes(UTF_8)), now));
        }
        assertNull(values.merge(ValueChange.of("gone", Merge.SUM, "null".getBytes(UTF_8)), now));
        now += INTERVAL;
        assertEquals(0, values.tell(nobody, now));
        long before = values.lastNumber();
        List<TopicValue> told = values.tellFirst(now);
        assertEquals(List.of("changed=3", "fresh=2"), texts(told));
        // So that what is still in the listener's queue of an earlier registration can be told from what follows.
        assertTrue(told.stream().allMatch(value -> value.number() > before));
        assertFalse(values.isWaiting());
        assertFalse(publish("fresh", Merge.SUM, "1"));
        assertEquals("3", merged("fresh"));
    }
}
