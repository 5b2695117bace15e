package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.gateway.broker.MembersNews;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.broker.RetractResult;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.netty.util.ResourceLeakDetector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Thousands of random steps against a hub that keeps plain lists: whatever is published, joined, left, stalled, drained, closed
 * and broken in whatever order, each subscription gets the dense sequence from its join to its end as messages and gaps, with
 * the bytes that were published, and nothing is lost from the books or from memory.
 *
 * <p>A failure's name has its seed, with which it happens again.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class HubModelTest {
    private static final int STEPS = 2_000;
    private static final int MAX_CONNECTIONS = 90;
    private static final List<String> TOPICS = topics();
    private static final Priority[] PRIORITIES = Priority.values();

    private static ResourceLeakDetector.Level levelBefore;

    /** What has happened to any client, for any seed. */
    private static final Set<String> seen = new HashSet<>();

    private static List<String> topics() {
        List<String> topics = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            topics.addAll(List.of("room:" + i, "game:" + i, "chat:" + i, "safe:" + i));
        }
        return topics;
    }

    @BeforeAll
    static void countBuffersOnly() {
        // The allocator's own count is exact, and a hundred times faster than a stack trace for each touch.
        levelBefore = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterAll
    static void hasSeenAll() {
        // Else this has tested less than it says.
        assertEquals(
                Set.of("behind", "expired", "attention", "retracted", "recovered", "taken back", "taken back later"),
                seen);
    }

    @AfterAll
    static void restoreLevel() {
        ResourceLeakDetector.setLevel(levelBefore);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void deliversTheDenseSequence(long seed) {
        new Model(seed).run();
    }

    /** A message as published. */
    private record Published(Priority priority, String data) {}

    /** What a connection is owed on a topic: from its join to its end. */
    private static final class Owed {
        final String topic;
        final long join;
        /** The last offset that was appended when it left; -1 while it is there. */
        long end = -1;
        /** The next offset that the client must see. */
        long next;
        /** The level of attention that the hub has been told last. */
        AttentionLevel level = AttentionLevel.FULL;
        /** The position that it asked to recover from, -1 without. */
        long since = -1;

        Owed(String topic, long join) {
            this.topic = topic;
            this.join = join;
            this.next = join + 1;
        }
    }

    /** What the model knows of a connection. */
    private static final class Client {
        final RecordingConnection connection;
        /** All its subscriptions, the oldest first: the client learns of them in this order. */
        final Map<String, ArrayDeque<Owed>> unseen = new HashMap<>();
        /** Those whose beginning the client has seen, and whose end it hasn't. */
        final Map<String, Owed> seen = new HashMap<>();
        /** Those that the hub has. */
        final Map<String, Owed> open = new TreeMap<>();

        /** Where it stood when it left a topic. */
        final Map<String, Long> positions = new HashMap<>();

        /** Of each topic, the messages on its screen, and those that it was told aren't to be shown. */
        final Map<String, Set<Long>> shown = new HashMap<>();

        final Map<String, Set<Long>> takenBack = new HashMap<>();

        Client(RecordingConnection connection) {
            this.connection = connection;
        }
    }

    /** Listens to nothing, to ask for a position. */
    private static final class Deaf implements BrokerListener {
        @Override
        public boolean reserve(int bytes) {
            return true;
        }

        @Override
        public void release(int bytes) {}

        @Override
        public void offer(TopicEvent event) {}

        @Override
        public void tellHidden(TopicName topic, long count) {}

        @Override
        public void tellMembers(TopicName topic, MembersNews news) {}

        @Override
        public void wake() {}
    }

    private static final class Model {
        private final Random random;
        private final ShardRig rig;
        private final Map<String, List<Published>> published = new HashMap<>();
        private final Map<String, Set<Long>> retracted = new HashMap<>();
        private final List<Client> clients = new ArrayList<>();
        private final List<Owed> all = new ArrayList<>();
        // By namespace and priority.
        private final Map<String, long[]> delivered = new HashMap<>();
        private final Map<String, long[]> told = new HashMap<>();
        private boolean brokeSome;

        Model(long seed) {
            random = new Random(seed);
            // Small enough that every bound is met.
            rig = new ShardRig(new HubMemory(600_000, 100_000 << random.nextInt(5), 50_000 << random.nextInt(5)));
            rig.rules("room", 16, 16 << 10);
            rig.rules("game", 33, 140_000, true);
            rig.coalesce("chat", 500, 20_000_000, 100_000_000);
            rig.reliable("safe", 40);
            rig.history("game", 60).history("safe", 100);
            for (String topic : TOPICS) {
                published.put(topic, new ArrayList<>());
                retracted.put(topic, new HashSet<>());
                delivered.put(namespace(topic), new long[PRIORITIES.length]);
                told.put(namespace(topic), new long[PRIORITIES.length]);
            }
        }

        void run() {
            for (int i = 0; i < STEPS; i++) {
                step();
                check();
            }
            comeToRest();
            assertEquals(0, rig.closeAndCountLeaks(), "buffers leaked");
            assertEquals(0, rig.snapshot().conservationError());
            HubSnapshot last = rig.snapshot();
            assertEquals(0, last.queuedBytes());
            assertEquals(0, last.logBytes());
            assertEquals(0, last.pinnedBytes());
        }

        private static String namespace(String topic) {
            return topic.substring(0, topic.indexOf(':'));
        }

        // ------------------------------------------------------------ steps

        private void step() {
            int kind = random.nextInt(100);
            if (kind == 0) {
                retract();
            } else if (kind < 23) {
                publish();
            } else if (kind < 50) {
                rig.loop.turn();
            } else if (kind < 60) {
                connect();
            } else if (kind < 68) {
                any(clients).ifPresent(this::subscribe);
            } else if (kind < 72) {
                any(clients).ifPresent(this::unsubscribe);
            } else if (kind < 76) {
                any(clients).ifPresent(this::changeAttention);
            } else if (kind < 82) {
                any(clients).ifPresent(client -> client.connection.stallNext(1 + random.nextInt(3)));
            } else if (kind < 94) {
                any(clients.stream().filter(client -> client.connection.holds()).toList())
                        .ifPresent(client -> client.connection.drain());
            } else if (kind < 96) {
                any(clients).ifPresent(this::end);
            } else if (kind == 96 && random.nextInt(4) == 0) {
                any(clients).ifPresent(this::breakSocket);
            } else if (kind == 97) {
                rig.shard.tellCounts();
            } else if (kind == 98) {
                // The transport finds out what the hub has closed.
                any(clients.stream()
                                .filter(client -> client.connection.closeCode() != null)
                                .toList())
                        .ifPresent(this::end);
            } else if (kind == 99 && random.nextInt(3) == 0) {
                comeToRest();
            }
        }

        private Optional<Client> any(List<Client> some) {
            return some.isEmpty() ? Optional.empty() : Optional.of(some.get(random.nextInt(some.size())));
        }

        /** The first is hot, most are quiet. */
        private String anyTopic() {
            return random.nextInt(3) == 0 ? TOPICS.get(0) : TOPICS.get(random.nextInt(TOPICS.size()));
        }

        private void publish() {
            String topic = anyTopic();
            for (int i = 1 + random.nextInt(12); i > 0; i--) {
                String data = data();
                Priority priority = PRIORITIES[random.nextInt(PRIORITIES.length)];
                long ttl = random.nextInt(10) == 0 ? 1 + random.nextInt(50_000_000) : 0;
                PublishResult result = rig.tryPublish(topic, priority, data, ttl);
                if (result instanceof PublishResult.Accepted accepted) {
                    published.get(topic).add(new Published(priority, data));
                    assertEquals(published.get(topic).size(), accepted.offset());
                }
            }
        }

        private void retract() {
            String topic = anyTopic();
            int head = published.get(topic).size();
            List<Long> offsets = random.longs(1 + random.nextInt(20), Math.max(1, head - 60), head + 2L)
                    .distinct()
                    .sorted()
                    .boxed()
                    .toList();
            RetractResult result =
                    rig.broker.retract(TopicName.of(topic), offsets).join();
            if (result instanceof RetractResult.Retracted done) {
                retracted.get(topic).addAll(offsets);
                assertTrue(done.count() <= offsets.size());
            }
        }

        private String data() {
            int kind = random.nextInt(1_000);
            int length = kind < 900
                    ? 2 + random.nextInt(200)
                    : kind < 985 ? 2 + random.nextInt(5_000) : kind < 998 ? 60_000 + random.nextInt(10_000) : 200_000;
            char[] letters = new char[length];
            java.util.Arrays.fill(letters, (char) ('a' + random.nextInt(26)));
            letters[0] = '"';
            letters[length - 1] = '"';
            return new String(letters);
        }

        private void connect() {
            if (clients.size() == MAX_CONNECTIONS) {
                return;
            }
            Client client = new Client(rig.connect(Encoding.values()[random.nextInt(4)]));
            // A slice's time is over after some dozens of writes.
            client.connection.onWrite = ignored -> rig.loop.advance(random.nextInt(200_000));
            clients.add(client);
            for (int i = 1 + random.nextInt(2) * random.nextInt(3); i > 0; i--) {
                subscribe(client);
            }
        }

        private void subscribe(Client client) {
            List<String> left = List.copyOf(client.positions.keySet());
            String topic =
                    left.isEmpty() || random.nextInt(3) == 0 ? anyTopic() : left.get(random.nextInt(left.size()));
            boolean expected = !client.open.containsKey(topic);
            Owed owed = null;
            if (expected) {
                // The client has to be told where it begins, and this is what it must be told.
                owed = new Owed(topic, appended(topic));
                client.open.put(topic, owed);
                client.unseen
                        .computeIfAbsent(topic, ignored -> new ArrayDeque<>())
                        .add(owed);
                all.add(owed);
                Long since = client.positions.get(topic);
                if (since != null && random.nextInt(4) > 0) {
                    owed.since = since;
                    Position position = new Position(epoch(topic), since);
                    assertTrue(rig.shard.subscribe(client.connection, TopicName.of(topic), 0, position, 0));
                    return;
                }
            }
            assertEquals(expected, rig.subscribe(client.connection, topic));
        }

        private String epoch(String topic) {
            try (Broker.Attachment attachment = rig.broker.attach(TopicName.of(topic), new Deaf())) {
                return attachment.position().epoch();
            }
        }

        private void changeAttention(Client client) {
            String topic = anyTopic();
            AttentionLevel level = AttentionLevel.values()[random.nextInt(3)];
            Owed owed = client.open.get(topic);
            if (owed != null) {
                owed.level = level;
            }
            assertEquals(owed != null, rig.attention(client.connection, topic, level));
        }

        /** The last offset that the shard has in the topic's log; all are, where it has none. */
        private long appended(String topic) {
            return openTopics().stream()
                    .filter(open -> open.name.toString().equals(topic))
                    .findFirst()
                    .map(open -> open.lastOffset)
                    .orElse((long) published.get(topic).size());
        }

        private void unsubscribe(Client client) {
            String topic = client.open.isEmpty() || random.nextInt(3) == 0
                    ? anyTopic()
                    : client.open.keySet().iterator().next();
            Owed owed = client.open.remove(topic);
            if (owed != null) {
                owed.end = appended(topic);
            }
            assertEquals(owed != null, rig.unsubscribe(client.connection, topic));
            if (owed != null) {
                client.connection.send(new ServerFrame.Unsubscribed(0, TopicName.of(topic), null, null));
            }
        }

        private void end(Client client) {
            client.open.values().forEach(owed -> owed.end = appended(owed.topic));
            client.open.clear();
            client.connection.end();
            read(client);
            clients.remove(client);
        }

        private void breakSocket(Client client) {
            brokeSome = true;
            client.connection.breakSocket();
        }

        // ------------------------------------------------------------ the client's view

        private void read(Client client) {
            for (RecordingConnection.Frame frame : client.connection.received) {
                String topic = frame.topic();
                switch (frame.type()) {
                    case "subscribed" -> {
                        Owed owed = client.unseen.get(topic).remove();
                        assertEquals(owed.join, frame.number("offset"));
                        assertEquals(owed.since >= 0, frame.text().contains("\"recovered\":"), frame.text());
                        if (!frame.text().contains("\"recovered\":")) {
                            // It begins with an empty screen.
                            client.shown.remove(topic);
                            client.takenBack.remove(topic);
                        }
                        if (frame.text().contains("\"recovered\":true")) {
                            owed.next = owed.since + 1;
                            seen.add("recovered");
                        }
                        assertEquals(null, client.seen.put(topic, owed));
                    }
                    case "unsubscribed" -> client.positions.put(topic, client.seen.remove(topic).next - 1);
                    case "message" -> {
                        long offset = frame.number("offset");
                        message(client.seen.get(topic), frame);
                        client.shown
                                .computeIfAbsent(topic, ignored -> new HashSet<>())
                                .add(offset);
                        assertFalse(
                                client.takenBack.getOrDefault(topic, Set.of()).contains(offset),
                                "after its retraction");
                    }
                    case "retract" -> retracted(client, frame);
                    case "gap" -> gap(client.seen.get(topic), frame);
                    case "online" -> assertTrue(client.seen.containsKey(topic));
                    default -> throw new AssertionError(frame.text());
                }
            }
            client.connection.received.clear();
        }

        private void retracted(Client client, RecordingConnection.Frame frame) {
            Owed owed = client.seen.get(frame.topic());
            frame.json().get("offsets").forEach(offset -> {
                assertTrue(retracted.get(frame.topic()).contains(offset.longValue()), frame.text());
                client.takenBack
                        .computeIfAbsent(frame.topic(), ignored -> new HashSet<>())
                        .add(offset.longValue());
                if (client.shown.getOrDefault(frame.topic(), new HashSet<>()).remove(offset.longValue())) {
                    seen.add(offset.longValue() <= owed.since ? "taken back later" : "taken back");
                }
            });
        }

        private void message(Owed owed, RecordingConnection.Frame frame) {
            assertEquals(owed.next, frame.number("offset"), owed.topic);
            Published expected = published.get(owed.topic).get((int) owed.next - 1);
            assertTrue(frame.text().endsWith(",\"data\":" + expected.data + '}'), frame.text());
            delivered.get(namespace(owed.topic))[expected.priority.ordinal()]++;
            owed.next++;
        }

        private void gap(Owed owed, RecordingConnection.Frame frame) {
            assertEquals(owed.next, frame.number("from"), owed.topic);
            long to = frame.number("to");
            String reason = frame.json().get("reason").stringValue();
            seen.add(reason);
            if (!reason.equals("behind")) {
                assertTrue(to >= owed.next && to <= published.get(owed.topic).size());
                owed.next = to + 1;
                return;
            }
            assertTrue(to >= owed.next && to <= published.get(owed.topic).size());
            assertEquals(to - owed.next + 1, frame.number("count"));
            for (; owed.next <= to; owed.next++) {
                told.get(namespace(owed.topic))[
                        published
                                .get(owed.topic)
                                .get((int) owed.next - 1)
                                .priority
                                .ordinal()]++;
            }
        }

        // ------------------------------------------------------------ the books

        private void check() {
            clients.forEach(this::read);
            HubSnapshot snapshot = rig.snapshot();
            assertEquals(0, snapshot.greatestConservationError(), "conservation");
            assertEquals(
                    clients.stream().mapToLong(client -> client.open.size()).sum(), snapshot.subscriptions());
            boolean allAreTold = !brokeSome;
            for (RecordingConnection connection : rig.connections) {
                // A gap may be among what a socket holds.
                allAreTold &= connection.closeCode() == null && !connection.holds();
                assertTrue(connection.closeCode() == null || connection.closeCode() == CloseCode.SLOW_CONSUMER);
            }
            long gotten = 0;
            long written = snapshot.replayed();
            for (HubSnapshot.Namespace counters : snapshot.namespaces()) {
                for (int p = 0; p < PRIORITIES.length; p++) {
                    gotten += delivered.get(counters.name())[p];
                    written += counters.delivered().get(p);
                }
                // Where there is a history, what a slow one can't recover from it is told but wasn't owed.
                if (allAreTold && !List.of("game", "safe").contains(counters.name())) {
                    List<Long> behind = counters.shed().get(ShedReason.BEHIND.ordinal());
                    assertEquals(list(told.get(counters.name())), behind, "behind");
                }
            }
            assertEquals(written, gotten, "delivered");
            for (Stream topic : openStreams()) {
                // One frame may come on top: of who is online.
                long frames = topic.log.headFrame() - topic.log.firstFrame();
                assertTrue(frames <= topic.topic.rules.maxFrames() + 1, topic.log.toString());
            }
        }

        private Set<Topic> openTopics() {
            Set<Topic> open = new HashSet<>();
            for (Client client : clients) {
                client.connection.subscriptions.forEach(subscription -> open.add(subscription.stream.topic));
            }
            return open;
        }

        private Set<Stream> openStreams() {
            Set<Stream> open = new HashSet<>();
            openTopics().forEach(topic -> open.addAll(List.of(topic.streams())));
            return open;
        }

        private static List<Long> list(long[] counts) {
            return java.util.Arrays.stream(counts).boxed().toList();
        }

        private void comeToRest() {
            do {
                clients.stream()
                        .filter(client -> client.connection.isLost())
                        .toList()
                        .forEach(this::end);
                clients.forEach(client -> client.connection.stallNoMore());
                clients.forEach(client -> client.connection.drain());
                rig.loop.runUntilIdle();
                // Ends all windows.
                rig.loop.advance(200_000_000);
                rig.loop.runUntilIdle();
            } while (clients.stream().anyMatch(client -> client.connection.holds() || client.connection.isLost()));
            check();
            long spare = 0;
            for (Stream topic : openStreams()) {
                spare += topic.subscriptions.size() >= Stream.BUSY ? SegmentStore.MAX_SEGMENT_BYTES : 0;
            }
            assertTrue(rig.snapshot().logBytes() <= spare, "what all have read is dropped");
            for (Client client : clients) {
                for (Owed owed : client.open.values()) {
                    long end = published.get(owed.topic).size() + 1L;
                    if (owed.level == AttentionLevel.FULL) {
                        assertEquals(end, owed.next, "the end of " + owed.topic);
                    }
                    assertTrue(owed.next <= end, owed.topic);
                }
            }
            for (Client client : clients) {
                for (String topic : client.open.keySet()) {
                    for (long offset : client.shown.getOrDefault(topic, Set.of())) {
                        assertFalse(
                                retracted.get(topic).contains(offset), () -> "still shown: " + topic + " " + offset);
                    }
                }
            }
            HubSnapshot snapshot = rig.snapshot();
            assertEquals(0, snapshot.behindConnections());
            assertEquals(0, snapshot.behindSubscriptions());
            assertEquals(0, snapshot.queuedBytes());
            for (HubSnapshot.Namespace counters : snapshot.namespaces()) {
                assertEquals(List.of(0L, 0L, 0L, 0L), counters.inFlight());
                assertEquals(owed(counters.name()), counters.owed(), "owed");
            }
        }

        /** Counted the long way: every message that lies between a subscription's join and its end. */
        private List<Long> owed(String namespace) {
            long[] counts = new long[PRIORITIES.length];
            for (Owed owed : all) {
                if (namespace(owed.topic).equals(namespace)) {
                    List<Published> messages = published.get(owed.topic);
                    long end = owed.end < 0 ? messages.size() : owed.end;
                    for (Published message : messages.subList((int) owed.join, (int) end)) {
                        counts[message.priority.ordinal()]++;
                    }
                }
            }
            return list(counts);
        }
    }
}
