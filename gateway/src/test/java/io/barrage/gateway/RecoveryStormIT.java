package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Hundreds of clients whose connections are cut thousands of times, at random moments and in rude ways, while messages are being
 * published: each comes back with its last position, and has in the end every message of its topics, in order and once.
 *
 * <p>The seed is printed; {@code -Dbarrage.storm.seed} takes it again. What each client does follows from it, though not how that
 * meets what the others do.
 */
@Timeout(180)
class RecoveryStormIT {
    private static final int CLIENTS = 240;
    private static final int CUTS_OF_EACH = 14;

    /** Clients of the reliable topic, which don't read until they have fallen off its log. */
    private static final int SLOW_CLIENTS = 10;

    private static final int CUTS_OF_SLOW = 3;

    /** So many messages without a look, more than their sockets and the topic's log take. */
    private static final int UNREAD = 250;

    private static final int BATCH = 5;

    private static final List<String> TOPICS = List.of("storm:1", "storm:2", "calm:1", "calm:2");
    private static final String RELIABLE = "safe:1";

    // Whoever is slow in a lossy namespace is told of gaps, and these logs are never so short. The reliable one's is.
    private static final String CONFIG = """
            limits: {messageBytes: 8KiB}
            heartbeat: 5m
            namespaces:
              - {name: storm, presence: "off", history: {size: 100000, ttl: 10m}, log: {size: 16384, bytes: 64MiB}}
              - name: calm
                presence: "off"
                coalesce: 10ms
                history: {size: 100000, ttl: 10m}
                log: {size: 16384, bytes: 64MiB}
              - name: safe
                presence: "off"
                delivery: reliable
                history: {size: 100000, ttl: 10m}
                log: {size: 32, bytes: 64KiB}
            """;

    private final LongAdder cuts = new LongAdder();
    private final LongAdder slowCloses = new LongAdder();
    private final LongAdder received = new LongAdder();
    private final Map<String, Publisher> publishers = new LinkedHashMap<>();
    /** Counts down with each client that won't be cut any more. */
    private final CountDownLatch storm = new CountDownLatch(CLIENTS + SLOW_CLIENTS);

    private final CompletableFuture<Void> calm = new CompletableFuture<>();
    private final AtomicInteger unfinished = new AtomicInteger(CLIENTS + SLOW_CLIENTS);

    /** What stands at an offset: different lengths, so that some of it is compressed. */
    private static String data(String topic, long offset) {
        int length = (int) (offset * 7919 % (topic.equals(RELIABLE) ? 6_000 : 500));
        return "\"" + offset + "x".repeat(length) + "\"";
    }

    /** Publishes to one topic as many messages as have been asked for, in small lots. */
    private static final class Publisher {
        private final GatewayUnderTest gateway;
        private final String topic;
        private final String epoch;
        private final Semaphore wanted = new Semaphore(0);
        private final AtomicBoolean enough = new AtomicBoolean();
        private long published;

        Publisher(GatewayUnderTest gateway, String topic) throws Exception {
            this.gateway = gateway;
            this.topic = topic;
            String first = gateway.post("/v1/publish", line(1)).body();
            this.epoch = GatewayUnderTest.find("\"epoch\":\"(\\w+)\"", first);
            this.published = 1;
        }

        private String line(long offset) {
            return "{\"topic\":\"" + topic + "\",\"data\":" + data(topic, offset) + "}\n";
        }

        void run() throws IOException, InterruptedException {
            while (true) {
                wanted.acquire();
                int lot = 1;
                while (lot < BATCH && wanted.tryAcquire()) {
                    lot++;
                }
                if (enough.get()) {
                    return;
                }
                long from = published() + 1;
                StringBuilder lines = new StringBuilder();
                for (long offset = from; offset < from + lot; offset++) {
                    lines.append(line(offset));
                }
                List<Long> offsets = gateway.publishAll(lines.toString());
                assertEquals(from, offsets.get(0), topic);
                synchronized (this) {
                    published += lot;
                    notifyAll();
                }
            }
        }

        synchronized long published() {
            return published;
        }

        synchronized void await(long offset) throws InterruptedException {
            while (published < offset) {
                wait();
            }
        }

        void end() {
            enough.set(true);
            wanted.release();
        }
    }

    /** One client's view: the next offset of each of its topics. For one thread. */
    private final class Client {
        private final GatewayUnderTest gateway;
        private final Random random;
        private final Map<String, Long> next = new LinkedHashMap<>();
        /** Where each of its topics ended when it was last put on it. */
        private final Map<String, Long> heads = new LinkedHashMap<>();

        private final boolean batch;
        private final boolean deflate;
        private final boolean narrow;

        Client(GatewayUnderTest gateway, long seed, List<String> topics, boolean narrow) {
            this.gateway = gateway;
            this.random = new Random(seed);
            this.batch = random.nextBoolean();
            this.deflate = !narrow && random.nextBoolean();
            this.narrow = narrow;
            topics.forEach(topic -> next.put(topic, 1L));
        }

        private String position(String topic) {
            return publishers.get(topic).epoch + ":" + (next.get(topic) - 1);
        }

        private String query() {
            StringBuilder query = new StringBuilder("?batch=").append(batch ? 1 : 0);
            next.keySet().forEach(topic -> query.append("&topic=")
                    .append(topic)
                    .append("&since=")
                    .append(topic)
                    .append('@')
                    .append(position(topic)));
            return query.toString();
        }

        private byte[] subscribe(String topic) {
            return RawWebSocket.frame(
                    RawWebSocket.FIN | RawWebSocket.TEXT,
                    "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"" + topic + "\",\"since\":{\"epoch\":\""
                            + publishers.get(topic).epoch + "\",\"offset\":" + (next.get(topic) - 1) + "}}");
        }

        private RawWebSocket open(String query) throws IOException {
            if (narrow) {
                return RawWebSocket.openNarrow(gateway.clientsPort(), query);
            }
            return deflate
                    ? RawWebSocket.open(gateway.clientsPort(), query, RawWebSocket.DEFLATE)
                    : RawWebSocket.open(gateway.clientsPort(), query);
        }

        private String anyTopic() {
            return List.copyOf(next.keySet()).get(random.nextInt(next.size()));
        }

        void runThroughTheStorm() throws Exception {
            for (int i = 0; i < CUTS_OF_EACH; i++) {
                liveAndBeCut();
                cuts.increment();
            }
        }

        private void liveAndBeCut() throws Exception {
            switch (random.nextInt(8)) {
                case 0 -> {
                    // Before the gateway has answered.
                    try (RawHttp http = new RawHttp(gateway.clientsPort())) {
                        http.say(RawWebSocket.upgrade(query()));
                        cut(http);
                    }
                }
                case 1 -> {
                    // It asks, and doesn't wait for the answer; or asks for half.
                    try (RawWebSocket socket = open("?batch=" + (batch ? 1 : 0))) {
                        byte[] frame = subscribe(anyTopic());
                        int length = random.nextBoolean() ? frame.length : random.nextInt(frame.length);
                        socket.send(java.util.Arrays.copyOf(frame, length));
                        cut(socket.http());
                    }
                }
                case 2 -> {
                    try (RawWebSocket socket = connect()) {
                        // Right behind the answers to the subscriptions.
                        cut(socket.http());
                    }
                }
                case 3, 4 -> {
                    try (RawWebSocket socket = connect()) {
                        // In the midst of what it has missed, and of a frame.
                        for (int left = random.nextInt(missed() + 1); missed() > left; ) {
                            take(socket.text());
                        }
                        if (missed() > 0) {
                            socket.http().in().skip(1 + random.nextInt(40));
                        }
                        cut(socket.http());
                    }
                }
                default -> {
                    try (RawWebSocket socket = connect()) {
                        // Between messages that are being published now.
                        String topic = anyTopic();
                        Publisher publisher = publishers.get(topic);
                        int wanted = 1 + random.nextInt(4);
                        long through = publisher.published() + wanted;
                        publisher.wanted.release(wanted);
                        while (next.get(topic) <= through) {
                            take(socket.text());
                        }
                        cut(socket.http());
                    }
                }
            }
        }

        /** How many messages are still to come of those that it was promised on coming back. */
        private int missed() {
            long sum = 0;
            for (String topic : next.keySet()) {
                sum += Math.max(0, heads.get(topic) + 1 - next.get(topic));
            }
            return (int) sum;
        }

        private boolean hasAll() {
            return next.entrySet().stream()
                    .allMatch(topic ->
                            topic.getValue() > publishers.get(topic.getKey()).published());
        }

        /** Without a close frame; every other time without so much as TCP's farewell. */
        private void cut(RawHttp http) throws IOException {
            if (random.nextBoolean()) {
                http.socket().setSoLinger(true, 0);
            }
        }

        /** Connects and is on all its topics, which have promised to tell all that it has missed. */
        private RawWebSocket connect() throws IOException {
            boolean byQuery = random.nextBoolean();
            RawWebSocket socket = open(byQuery ? query() : "?batch=" + (batch ? 1 : 0));
            if (!byQuery) {
                for (String topic : next.keySet()) {
                    socket.send(subscribe(topic));
                }
            }
            socket.expect("welcome");
            for (int subscribed = 0; subscribed < next.size(); ) {
                String text = socket.text();
                if (text.startsWith("{\"type\":\"subscribed\"")) {
                    assertTrue(text.contains("\"recovered\":true"), () -> text + " from " + next);
                    heads.put(
                            GatewayUnderTest.find("\"topic\":\"([^\"]+)\"", text), TopicAccount.number(text, "offset"));
                    subscribed++;
                } else {
                    take(text);
                }
            }
            return socket;
        }

        /** Takes a frame with messages. */
        private void take(String text) {
            String topic = GatewayUnderTest.find("\"topic\":\"([^\"]+)\"", text);
            if (text.startsWith("{\"type\":\"message\",")) {
                take(topic, text);
                return;
            }
            assertTrue(text.startsWith("{\"type\":\"messages\","), text);
            String[] elements = text.split("\\{\"offset\":", -1);
            for (int i = 1; i < elements.length; i++) {
                String element = elements[i].substring(0, elements[i].length() - (i < elements.length - 1 ? 1 : 2));
                take(topic, "{\"offset\":" + element);
            }
        }

        private void take(String topic, String message) {
            long expected = next.get(topic);
            assertEquals(expected, TopicAccount.number(message, "offset"), topic);
            assertEquals(data(topic, expected), TopicAccount.data(message), topic);
            next.put(topic, expected + 1);
            received.increment();
        }

        /** Reads nothing until so much has been published that the gateway has closed it, and hears of it late. */
        void fallOffTheLog() throws Exception {
            for (int i = 0; i < CUTS_OF_SLOW; i++) {
                try (RawWebSocket socket = connect()) {
                    Publisher publisher = publishers.get(RELIABLE);
                    long through = publisher.published() + UNREAD;
                    publisher.wanted.release(UNREAD);
                    publisher.await(through);
                    readToTheEnd(socket, through);
                }
                cuts.increment();
            }
        }

        private void readToTheEnd(RawWebSocket socket, long through) throws IOException {
            try {
                while (next.get(RELIABLE) <= through) {
                    RawWebSocket.Frame frame = socket.frame();
                    if (frame.opcode() == RawWebSocket.CLOSE) {
                        assertEquals(4408, frame.closeCode());
                        slowCloses.increment();
                        return;
                    }
                    take(frame.text());
                }
            } catch (java.io.EOFException | SocketException ignored) {
                // Closed without a word, which it wouldn't have read.
                slowCloses.increment();
            }
        }

        /** The last time: reads to the very end. */
        void comeToRest() throws Exception {
            while (!hasAll()) {
                try (RawWebSocket socket = connect()) {
                    while (!hasAll()) {
                        RawWebSocket.Frame frame = socket.frame();
                        if (frame.opcode() == RawWebSocket.CLOSE) {
                            assertEquals(RELIABLE, next.keySet().iterator().next(), frame.closeReason());
                            break;
                        }
                        take(frame.text());
                    }
                } catch (java.io.EOFException | SocketException e) {
                    if (!next.containsKey(RELIABLE)) {
                        throw e;
                    }
                }
            }
        }
    }

    /** What a thread does. */
    private interface Work {
        void run() throws Exception;
    }

    private static CompletableFuture<Void> start(String name, Work work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                        done.complete(null);
                    } catch (Throwable e) {
                        done.completeExceptionally(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        return done;
    }

    private CompletableFuture<Void> start(String name, Client client, Work work) {
        return start(name, () -> {
            try {
                work.run();
            } finally {
                storm.countDown();
            }
            calm.get();
            client.comeToRest();
            unfinished.decrementAndGet();
        });
    }

    @Test
    void everyClientHasEveryMessageOnceAndInOrder() throws Exception {
        long seed = Long.getLong("barrage.storm.seed", System.nanoTime());
        System.out.println("RecoveryStormIT: -Dbarrage.storm.seed=" + seed);
        long began = System.nanoTime();
        try (GatewayUnderTest gateway = GatewayUnderTest.start(CONFIG)) {
            Random random = new Random(seed);
            List<CompletableFuture<Void>> publishing = new ArrayList<>();
            for (String topic : List.of(TOPICS.get(0), TOPICS.get(1), TOPICS.get(2), TOPICS.get(3), RELIABLE)) {
                Publisher publisher = new Publisher(gateway, topic);
                publishers.put(topic, publisher);
                publishing.add(start("publisher of " + topic, publisher::run));
            }
            List<CompletableFuture<Void>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                // Every fourth is on two topics.
                List<String> topics = i % 4 == 0
                        ? List.of(TOPICS.get(i / 4 % 4), TOPICS.get((i / 4 + 1) % 4))
                        : List.of(TOPICS.get(i % 4));
                Client client = new Client(gateway, random.nextLong(), topics, false);
                clients.add(start("client " + i, client, client::runThroughTheStorm));
            }
            for (int i = 0; i < SLOW_CLIENTS; i++) {
                Client client = new Client(gateway, random.nextLong(), List.of(RELIABLE), true);
                clients.add(start("slow client " + i, client, client::fallOffTheLog));
            }
            failEarly(publishing, clients, () -> storm.await(100, TimeUnit.MILLISECONDS));
            publishers.values().forEach(Publisher::end);
            all(publishing).get(20, TimeUnit.SECONDS);
            double stormSeconds = (System.nanoTime() - began) / 1e9;
            calm.complete(null);
            failEarly(publishing, clients, () -> unfinished.get() == 0);
            all(clients).get(20, TimeUnit.SECONDS);
            long published =
                    publishers.values().stream().mapToLong(Publisher::published).sum();
            System.out.printf(
                    "RecoveryStormIT: %d cuts, %d messages published in %.1f s, %d received, %d closed for slowness,"
                            + " all caught up after %.1f s%n",
                    cuts.sum(),
                    published,
                    stormSeconds,
                    received.sum(),
                    slowCloses.sum(),
                    (System.nanoTime() - began) / 1e9);
            assertTrue(cuts.sum() >= 3_000, cuts + " cuts");
            assertTrue(slowCloses.sum() > 0, "nobody was slow");
            assertTrue(gateway.metric("barrage_replayed_messages_total") > 0, "nobody recovered anything");
        }
    }

    private interface Condition {
        boolean holds() throws InterruptedException;
    }

    /** Waits for a condition, or for the first failure, which is the test's. */
    private static void failEarly(
            List<CompletableFuture<Void>> publishing, List<CompletableFuture<Void>> clients, Condition condition)
            throws Exception {
        List<CompletableFuture<Void>> both = new ArrayList<>(publishing);
        both.addAll(clients);
        while (!condition.holds()) {
            for (CompletableFuture<Void> one : both) {
                if (one.isCompletedExceptionally()) {
                    try {
                        one.get();
                    } catch (ExecutionException e) {
                        throw new AssertionError("see the seed", e.getCause());
                    }
                }
            }
            Thread.onSpinWait();
        }
    }

    private static CompletableFuture<Void> all(List<CompletableFuture<Void>> some) {
        return CompletableFuture.allOf(some.toArray(CompletableFuture[]::new));
    }
}
