package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.hub.RecordingConnection.Frame;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class ConnectionViewTest {
    private static final long MILLI = 1_000_000;
    private static final int LOG_FRAMES = 8;

    private final ShardRig rig = new ShardRig()
            .rules("short", LOG_FRAMES, ShardRig.LOG_BYTES)
            .coalesce("slow", ShardRig.FRAMES, 50 * MILLI, 50 * MILLI);
    private final long originNanos = rig.loop.nanoTime();

    @AfterEach
    void nothingIsLostOrLeaked() {
        assertEquals(0, rig.snapshot().conservationError());
        assertEquals(0, rig.closeAndCountLeaks());
    }

    private ConnectionPage ask(ConnectionQuery query) {
        return new ConnectionView(rig.shard, query, originNanos).read();
    }

    private ConnectionPage page(ConnectionOrder order, ConnectionPlace after, int limit) {
        return ask(new ConnectionQuery(null, null, order, after, limit));
    }

    private ConnectionInfo info(RecordingConnection connection) {
        return page(ConnectionOrder.OPENED, null, 1000).connections().stream()
                .filter(info -> info.id().equals(connection.id()))
                .findFirst()
                .orElseThrow();
    }

    private RecordingConnection connect(long number, String user, String... topics) {
        RecordingConnection connection = new RecordingConnection(rig.shard, number, user);
        rig.connections.add(connection);
        for (String topic : topics) {
            rig.subscribe(connection, topic);
        }
        return connection;
    }

    private void publishEach(int count, String topic) {
        for (int i = 0; i < count; i++) {
            rig.publish(topic);
            rig.loop.runUntilIdle();
        }
    }

    /** The encoded bytes of the messages that one which keeps up has got, from an offset on. */
    private static long encodedBytes(RecordingConnection healthy, String topic, long fromOffset) {
        return healthy.frames("message").stream()
                .filter(frame -> frame.topic().equals(topic) && frame.number("offset") >= fromOffset)
                .mapToLong(ConnectionViewTest::encodedBytes)
                .sum();
    }

    private static long encodedBytes(Frame frame) {
        long payload = frame.text().length();
        return payload + (payload < 126 ? 2 : 4);
    }

    private static List<Long> numbers(ConnectionPage page) {
        return page.connections().stream().map(info -> info.place().number()).toList();
    }

    // ---------------------------------------------------------------- figures

    @Test
    void tellsExactlyWhatAStalledOneHasNotGot() {
        RecordingConnection healthy = connect(1, null, "room:1");
        RecordingConnection stalled = connect(2, "u7", "room:1", "room:2").stallNext(1);
        publishEach(1, "room:1");
        rig.loop.advance(4210 * MILLI);
        publishEach(3, "room:1");

        ConnectionInfo info = info(stalled);
        assertEquals("u7", info.user());
        assertEquals("recording", info.transport());
        assertEquals(stalled.address(), info.address());
        assertEquals(4210 * MILLI, info.connectedNanos());
        assertEquals(2, info.subscriptions());
        assertEquals(
                new ConnectionInfo.Behind(
                        4, encodedBytes(healthy, "room:1", 1), 4210 * MILLI, List.of(TopicName.of("room:1")), 0),
                info.behind());
        assertNull(info(healthy).behind());
        assertNull(info(healthy).user());

        stalled.drain();
        rig.loop.runUntilIdle();
        assertNull(info(stalled).behind());
    }

    @Test
    void countsWhatIsInFlightAndFramesOfItsOwn() {
        RecordingConnection healthy = connect(1, null, "room:1");
        RecordingConnection stalled = connect(2, null, "room:1").stallNext(1);
        publishEach(1, "room:1");
        long bytes = encodedBytes(healthy, "room:1", 1);
        assertEquals(
                new ConnectionInfo.Behind(1, bytes, 0, List.of(TopicName.of("room:1")), 0),
                info(stalled).behind());
        long before = stalled.heldBytes();
        rig.subscribe(stalled, "room:2");
        long subscribed = stalled.heldBytes() - before;
        assertTrue(subscribed > 0);
        assertEquals(
                new ConnectionInfo.Behind(1, bytes + subscribed, 0, List.of(TopicName.of("room:1")), 0),
                info(stalled).behind());
    }

    @Test
    void countsMessagesThatTheLogHasDroppedButOnlyBytesThatItHas() {
        RecordingConnection healthy = connect(1, null, "short:1");
        RecordingConnection stalled = connect(2, null, "short:1").stallNext(1);
        publishEach(50, "short:1");
        long held = encodedBytes(healthy, "short:1", 1) - encodedBytes(healthy, "short:1", 2);
        assertEquals(
                new ConnectionInfo.Behind(
                        50,
                        held + encodedBytes(healthy, "short:1", 50 - LOG_FRAMES + 1),
                        0,
                        List.of(TopicName.of("short:1")),
                        0),
                info(stalled).behind());
    }

    @Test
    void namesTheTopicsWithMostBytesFirstAndCountsTheOthers() {
        int topics = ConnectionView.MAX_TOPICS + 2;
        String[] names =
                IntStream.rangeClosed(1, topics).mapToObj(t -> "room:" + t).toArray(String[]::new);
        RecordingConnection healthy = connect(1, null, names);
        RecordingConnection stalled = connect(2, null, names).stallNext(1);
        for (int t = 1; t <= topics; t++) {
            publishEach(t, "room:" + t);
        }
        ConnectionInfo.Behind behind = info(stalled).behind();
        assertEquals(topics * (topics + 1) / 2, behind.messages());
        assertEquals(
                healthy.frames("message").stream()
                        .mapToLong(ConnectionViewTest::encodedBytes)
                        .sum(),
                behind.bytes());
        assertEquals(
                IntStream.iterate(topics, t -> t - 1)
                        .limit(ConnectionView.MAX_TOPICS)
                        .mapToObj(t -> TopicName.of("room:" + t))
                        .toList(),
                behind.topics());
        assertEquals(2, behind.moreTopics());
    }

    @Test
    void oneThatWaitsForItsTopicsWindowIsNotBehind() {
        RecordingConnection connection = connect(1, null, "slow:1");
        publishEach(3, "slow:1");
        assertEquals(1, connection.frames("message").size(), "the others wait, or this tests nothing");
        assertNull(info(connection).behind());
    }

    @Test
    void oneThatHasDrainedAndWaitsToBeServedIsBehindForNoTime() {
        RecordingConnection healthy = connect(1, null, "room:1");
        RecordingConnection stalled = connect(2, null, "room:1").stallNext(1);
        publishEach(2, "room:1");
        rig.loop.advance(1000 * MILLI);
        stalled.drain();
        assertEquals(
                new ConnectionInfo.Behind(1, encodedBytes(healthy, "room:1", 2), 0, List.of(TopicName.of("room:1")), 0),
                info(stalled).behind());
    }

    // ---------------------------------------------------------------- order, pages, filters

    @Test
    void listsMostBytesFirstThenTheLongestStalledThenTheOthersByAge() {
        connect(1, null, "room:1");
        connect(2, null, "room:1").stallNext(1); // later than 3
        connect(3, null, "room:1").stallNext(1);
        RecordingConnection second = rig.connections.get(1);
        second.stallNoMore();
        publishEach(1, "room:1");
        rig.loop.advance(10 * MILLI);
        second.stallNext(1);
        publishEach(1, "room:1");
        RecordingConnection most = connect(4, null, "room:2").stallNext(1);
        rig.publish("room:2", Priority.NORMAL, ShardRig.text(1000));
        rig.loop.runUntilIdle();
        assertTrue(most.holds());
        // Now 3 has two messages to get, 2 has one, 4 has a large one.
        assertEquals(List.of(4L, 3L, 2L, 1L), numbers(page(ConnectionOrder.BEHIND, null, 10)));
        assertEquals(List.of(1L, 2L, 3L, 4L), numbers(page(ConnectionOrder.OPENED, null, 10)));
    }

    @Test
    void ofEquallyManyBytesTheLongestStalledIsFirst() {
        connect(1, null, "room:1").stallNext(1);
        connect(2, null, "room:2").stallNext(1);
        publishEach(1, "room:2");
        // Over the end of the clock.
        rig.loop.advance(10 * MILLI);
        publishEach(1, "room:1");
        ConnectionPage page = page(ConnectionOrder.BEHIND, null, 10);
        assertEquals(
                page.connections().get(0).behind().bytes(),
                page.connections().get(1).behind().bytes());
        assertEquals(List.of(2L, 1L), numbers(page));
    }

    @Test
    void pagesGoOnWhileConnectionsComeAndGo() {
        for (int number = 1; number <= 9; number++) {
            connect(number, null);
        }
        ConnectionPage first = page(ConnectionOrder.OPENED, null, 4);
        assertEquals(List.of(1L, 2L, 3L, 4L), numbers(first));
        assertTrue(first.more());
        rig.connections.get(0).end();
        rig.connections.get(3).end(); // the one that the cursor points at
        rig.connections.get(5).end();
        connect(10, null);
        ConnectionPage second =
                page(ConnectionOrder.OPENED, first.connections().get(3).place(), 4);
        assertEquals(List.of(5L, 7L, 8L, 9L), numbers(second));
        assertTrue(second.more());
        ConnectionPage third =
                page(ConnectionOrder.OPENED, second.connections().get(3).place(), 4);
        assertEquals(List.of(10L), numbers(third));
        assertFalse(third.more());
    }

    @Test
    void pagesOfThoseBehindHaveEachOnce() {
        for (int number = 1; number <= 20; number++) {
            connect(number, null, "room:" + number % 7).stallNext(number % 3 == 0 ? 0 : 1);
        }
        for (int topic = 0; topic < 7; topic++) {
            publishEach(1 + topic % 3, "room:" + topic);
            rig.loop.advance(MILLI);
        }
        List<Long> whole = numbers(page(ConnectionOrder.BEHIND, null, 20));
        List<Long> paged = new ArrayList<>();
        ConnectionPlace after = null;
        boolean more = true;
        while (more) {
            ConnectionPage page = page(ConnectionOrder.BEHIND, after, 3);
            paged.addAll(numbers(page));
            after = page.connections().get(page.connections().size() - 1).place();
            more = page.more();
        }
        assertEquals(whole, paged);
        assertEquals(
                LongStream.rangeClosed(1, 20).boxed().toList(),
                whole.stream().sorted().toList());
    }

    @Test
    void filtersByUserAndTopic() {
        connect(1, "u7", "room:1");
        connect(2, "u8", "room:1", "room:2");
        connect(3, null, "room:2");
        connect(4, "u7", "room:2");
        TopicName topic = TopicName.of("room:2");
        assertEquals(List.of(1L, 4L), numbers(ask(new ConnectionQuery("u7", null, ConnectionOrder.OPENED, null, 9))));
        assertEquals(
                List.of(2L, 3L, 4L), numbers(ask(new ConnectionQuery(null, topic, ConnectionOrder.OPENED, null, 9))));
        assertEquals(List.of(4L), numbers(ask(new ConnectionQuery("u7", topic, ConnectionOrder.BEHIND, null, 9))));
        assertEquals(List.of(), numbers(ask(new ConnectionQuery("u9", null, ConnectionOrder.OPENED, null, 9))));
    }

    @Test
    void shardsPagesBecomeOne() {
        ShardRig other = new ShardRig();
        for (int number = 1; number <= 7; number++) {
            if (number % 3 == 0) {
                other.connections.add(new RecordingConnection(other.shard, number, null));
            } else {
                connect(number, null);
            }
        }
        assertEquals(List.of(1L, 2L, 3L, 4L), numbers(merged(other, 4)));
        assertTrue(merged(other, 4).more(), "5, 6 and 7 follow");
        assertTrue(merged(other, 6).more(), "7 follows, though no shard has more than 6");
        assertFalse(merged(other, 7).more());
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L), numbers(merged(other, 7)));
        assertEquals(0, other.closeAndCountLeaks());
    }

    private ConnectionPage merged(ShardRig other, int limit) {
        ConnectionQuery query = new ConnectionQuery(null, null, ConnectionOrder.OPENED, null, limit);
        ConnectionPage theirs = new ConnectionView(other.shard, query, originNanos).read();
        return ConnectionPage.merge(List.of(theirs, ask(query)), query);
    }
}
