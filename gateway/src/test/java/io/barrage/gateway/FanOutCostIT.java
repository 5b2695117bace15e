package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.clients.ClientLimits;
import io.barrage.gateway.clients.ClientMetrics;
import io.barrage.gateway.clients.ClientRules;
import io.barrage.gateway.clients.ClientsDoor;
import io.barrage.gateway.clients.Forwarding;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.hooks.HookMetrics;
import io.barrage.gateway.hooks.HookRules;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubListener;
import io.barrage.gateway.hub.HubMemory;
import io.barrage.gateway.hub.HubSnapshot;
import io.barrage.gateway.hub.Loop;
import io.barrage.gateway.hub.TopicRules;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a message costs the event loop, without a clock: tasks, socket writes and allocated bytes, on real sockets. In a JVM of
 * its own, as {@link CostRig} says.
 */
@Timeout(120)
class FanOutCostIT {
    private static final int FEW = 16;
    private static final int MANY = 200;
    private static final int BATCH = 32;
    private static final int WARM_UP_ROUNDS = 125;
    private static final int MEASURED_ROUNDS = 75;
    private static final int MESSAGES_PER_ROUND = 20;

    /** What wakes the loop and lets it poll once more, and the drain behind that. */
    private static final int TASKS = 2;

    private static final AtomicLong submitted = new AtomicLong();
    private static CostRig rig;
    private static Hub hub;
    private static Subscribers subscribers;

    @BeforeAll
    static void start() throws Exception {
        rig = new CostRig();
        hub = new Hub(
                List.of(new Timeless(new EventLoopOfShard(rig.loop))),
                rig.broker,
                topic -> new TopicRules(topic.namespace(), 1024, 1 << 20, false, 0, 0, false),
                new HubMemory(16 << 20, 64 << 20, 64 << 20),
                PooledByteBufAllocator.DEFAULT,
                HubListener.NOOP);
        ClientsDoor door = new ClientsDoor(
                () -> new ClientRules(
                        true,
                        List.of(),
                        true,
                        Duration.ofHours(1),
                        Duration.ofHours(1),
                        65_536,
                        0,
                        100,
                        ClientLimits.NONE,
                        Forwarding.NONE,
                        Duration.ofHours(1)),
                () -> new Namespaces(List.of(ConfigReader.parse(NamespaceConfig.class, "name: default"))),
                () -> TokenVerifier.of(AuthConfig.NONE),
                new Hooks(() -> HookRules.NONE, TopicName::namespace, "n", () -> 1 << 16, HookMetrics.NOOP),
                rig.broker,
                ignored -> hub.shards().get(0),
                ClientMetrics.NOOP,
                "test");
        subscribers = new Subscribers(rig.open(
                "clients", door, Map.of(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1, 1))));
    }

    @AfterAll
    static void stop() throws Exception {
        subscribers.close();
        rig.close();
    }

    /**
     * Publishes the same number of messages to a topic with few subscriptions and to one with many. What a publish costs once
     * (its task, the encoding) is in both figures, so what is left of their difference is what a delivery costs: (bytes with
     * many - bytes with few) / (200 - 16) / messages. The least of many rounds counts: what the JVM allocates now and then
     * for itself comes on top of some rounds only.
     */
    @Test
    void allocatesNothingPerDelivery() throws Exception {
        subscribers.connect(FEW, "cost:few");
        subscribers.connect(MANY, "cost:many");
        check("one topic", List.of("cost:few"), List.of("cost:many"));
    }

    /** The same with connections on several topics, whose runs are copied into one write. */
    @Test
    void allocatesNothingPerDeliveryOfSeveralTopics() throws Exception {
        subscribers.connect(FEW, "merge:few1", "merge:few2");
        subscribers.connect(MANY, "merge:many1", "merge:many2");
        check("two topics", List.of("merge:few1", "merge:few2"), List.of("merge:many1", "merge:many2"));
    }

    private static void check(String what, List<String> few, List<String> many) throws Exception {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            round(few, FEW);
            round(many, MANY);
        }
        long least = Long.MAX_VALUE;
        long leastOfMany = Long.MAX_VALUE;
        for (int i = 0; i < MEASURED_ROUNDS; i++) {
            least = Math.min(least, round(few, FEW));
            leastOfMany = Math.min(leastOfMany, round(many, MANY));
        }
        long deliveries = (long) MESSAGES_PER_ROUND * (MANY - FEW);
        System.out.printf(
                "%s: %d B per publish to %d, %d B to %d: %.3f B per delivery%n",
                what,
                least / MESSAGES_PER_ROUND,
                FEW,
                leastOfMany / MESSAGES_PER_ROUND,
                MANY,
                (double) (leastOfMany - least) / deliveries);
        assertEquals(0, (leastOfMany - least) / deliveries, what);
    }

    /** Bytes that the loop allocates for so many publishes, each delivered before the next, in one drain and one write each. */
    private static long round(List<String> topics, int subscriptions) throws Exception {
        HubSnapshot before = snapshot();
        long tasks = submitted.get();
        long allocated = rig.allocatedBytes();
        for (int i = 0; i < MESSAGES_PER_ROUND; i++) {
            // While the loop is busy: else it may deliver before the publisher has woken it, and then wakes for
            // nothing.
            atOnce(() -> topics.forEach(topic -> publish(topic, subscriptions)));
            subscribers.awaitAll();
        }
        long bytes = rig.allocatedBytes() - allocated;
        assertEquals(TASKS * MESSAGES_PER_ROUND, submittedByNow() - tasks);
        HubSnapshot after = snapshot();
        assertEquals((long) MESSAGES_PER_ROUND * subscriptions, after.socketWrites() - before.socketWrites());
        assertEquals(MESSAGES_PER_ROUND, after.drains() - before.drains());
        return bytes;
    }

    @Test
    void writesEachSocketOnceForAllThatWaits() throws Exception {
        subscribers.connect(MANY, "batch:1");
        HubSnapshot before = snapshot();
        atOnce(() -> {
            for (int i = 0; i < BATCH; i++) {
                publish("batch:1", MANY);
            }
        });
        subscribers.awaitAll();
        HubSnapshot after = snapshot();
        assertEquals(MANY, after.socketWrites() - before.socketWrites());
        assertEquals(BATCH * MANY, after.messagesWritten() - before.messagesWritten());
    }

    @Test
    void takesOneDrainForAllThatWaits() throws Exception {
        subscribers.connect(FEW, "task:1");
        for (int i = 0; i < MEASURED_ROUNDS; i++) {
            HubSnapshot before = snapshot();
            long tasks = submitted.get();
            atOnce(() -> {
                for (int k = 0; k < BATCH; k++) {
                    publish("task:1", FEW);
                }
            });
            subscribers.awaitAll();
            assertEquals(TASKS, submittedByNow() - tasks);
            assertEquals(1, snapshot().drains() - before.drains());
        }
    }

    // ---------------------------------------------------------------- the gateway's side

    /**
     * A loop that counts what the hub submits to it. Its clock stands still, so that no walk ever takes longer than a slice may,
     * however busy the machine.
     */
    private record Timeless(EventLoopOfShard real) implements Loop {
        @Override
        public boolean inLoop() {
            return real.inLoop();
        }

        @Override
        public void execute(Runnable task) {
            submitted.incrementAndGet();
            real.execute(task);
        }

        @Override
        public void executeAfterIo(Runnable task) {
            submitted.incrementAndGet();
            real.executeAfterIo(task);
        }

        @Override
        public void executeAfter(Runnable task, long nanos) {
            submitted.incrementAndGet();
            real.executeAfter(task, nanos);
        }

        @Override
        public long nanoTime() {
            return 1;
        }
    }

    private static void publish(String topic, int subscriptions) {
        byte[] data = "\"0123456789012345678901234567890123456789\"".getBytes(StandardCharsets.US_ASCII);
        Message.Draft draft = new Message.Draft(
                TopicName.of(topic), data, Priority.NORMAL, "u7", 1_700_000_000_000L, System.nanoTime());
        PublishResult.Accepted accepted = assertInstanceOf(
                PublishResult.Accepted.class, rig.broker.publish(draft, null).join());
        subscribers.expect((long) subscriptions * WebSocketFrames.length(draft.at(accepted.offset())));
    }

    /** Publishes while the loop is busy, so that all of it waits when the loop gets to it. */
    private static void atOnce(Runnable publishes) throws Exception {
        CountDownLatch busy = new CountDownLatch(1);
        AtomicBoolean free = new AtomicBoolean();
        rig.loop.execute(() -> {
            busy.countDown();
            // A latch would allocate, on the thread that is measured.
            while (!free.get()) {
                Thread.onSpinWait();
            }
        });
        busy.await();
        publishes.run();
        free.set(true);
    }

    /** Once the loop is through with what delivered the last message; a snapshot would submit a task of its own. */
    private static long submittedByNow() throws Exception {
        return rig.loop.submit(submitted::get).get();
    }

    private static HubSnapshot snapshot() throws Exception {
        return hub.snapshot().get();
    }

    // ---------------------------------------------------------------- the clients' side

    /** Sockets that are read and counted by the test's own thread. Confined to it. */
    private static final class Subscribers implements AutoCloseable {
        private static final long TIMEOUT_MILLIS = 30_000;
        private static final Pattern SUBSCRIBED = Pattern.compile("\\{\"type\":\"subscribed\"[^}]*}");

        private final int port;
        private final Selector selector = open();
        private final List<SocketChannel> all = new ArrayList<>();
        private final ByteBuffer into = ByteBuffer.allocateDirect(64 * 1024);
        private long expected;
        private long received;

        Subscribers(int port) {
            this.port = port;
        }

        private static Selector open() {
            try {
                return Selector.open();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void connect(int count, String... topics) throws Exception {
            String query = "topic=" + String.join("&topic=", topics);
            byte[] upgrade = ("GET /ws?" + query + " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                            + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < count; i++) {
                SocketChannel channel =
                        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                channel.write(ByteBuffer.wrap(upgrade));
                // The answer, welcome and a subscribed for each topic.
                String answer = "";
                while (!SUBSCRIBED
                        .matcher(answer)
                        .results()
                        .skip(topics.length - 1)
                        .findAny()
                        .isPresent()) {
                    into.clear();
                    if (channel.read(into) < 0) {
                        throw new AssertionError("closed: " + answer);
                    }
                    into.flip();
                    answer += StandardCharsets.ISO_8859_1.decode(into);
                }
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ);
                all.add(channel);
            }
        }

        void expect(long bytes) {
            expected += bytes;
        }

        void awaitAll() throws IOException {
            while (received < expected) {
                if (selector.select(this::read, TIMEOUT_MILLIS) == 0) {
                    throw new AssertionError("received " + received + " of " + expected + " bytes");
                }
            }
            assertEquals(expected, received);
        }

        private void read(SelectionKey key) {
            try {
                into.clear();
                int count = ((SocketChannel) key.channel()).read(into);
                if (count < 0) {
                    throw new AssertionError("the gateway closed a subscriber");
                }
                received += count;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() throws IOException {
            for (SocketChannel channel : all) {
                channel.close();
            }
            selector.close();
        }
    }
}
