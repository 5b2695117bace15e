package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Dozens of clients that by chance publish, join and leave, read nothing for a while, vanish and come back, on a gateway that is
 * short of memory; in the end each has been told of every offset, and the gateway's books are right.
 */
class SoakIT {
    private static final long SEED = 20260117;
    private static final int STEPS = 700;
    private static final int CLIENTS = 28;

    /** Of those, they always read and never leave, so that what they are owed is known. */
    private static final int CALM = 4;

    private static final String HOT = "room:1";
    private static final String RELIABLE = "ledger:1";
    private static final String LOSSY = "chat:1";

    /** On it are the calm ones alone. */
    private static final String QUIET = "calm:1";

    private static final String[] PUBLIC = {HOT, RELIABLE, LOSSY};

    /** For half of the clients: a reliable topic closes whom the lossy ones would give gaps. */
    private static final String[] GAPS_ONLY = {HOT, LOSSY};

    private static final String[] LEVELS = {"full", "digest", "counts"};
    private static final String[] PRIORITIES = {
        "low",
        "low",
        "low",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "normal",
        "high",
        "critical"
    };

    private static final String CONFIG = """
            limits: {messageBytes: 4KiB}
            heartbeat: 5m
            memory: {log: 1MiB, pinned: 2MiB}
            namespaces:
              - name: room
                publish: anyone
                maxClientPriority: critical
                budget: 100/s
                coalesce: 10ms
                log: {size: 64, bytes: 64KiB}
              - name: ledger
                publish: anyone
                maxClientPriority: critical
                delivery: reliable
                log: {size: 128, bytes: 128KiB}
                history: {size: 4000, ttl: 10m}
              - name: chat
                publish: anyone
                maxClientPriority: critical
                log: {size: 32, bytes: 1MiB}
                history: {size: 200, ttl: 10m}
              - {name: calm, log: {size: 8192}}
            """;

    private final Random random = new Random(SEED);
    /** What stands at an offset, which must be the same for all. */
    private final Map<String, String> dataAt = new ConcurrentHashMap<>();

    private final List<Client> clients = new ArrayList<>();
    private int published;

    /** A client with a thread that reads. What the test asks of it and what it hears meet under its lock. */
    private final class Client {
        private final GatewayUnderTest gateway;
        private final Map<String, TopicAccount> accounts = new HashMap<>();
        /** Topics it is on, or has asked for. */
        private final Map<String, String> levels = new HashMap<>();

        /** Topics that it has left, and has heard so. */
        private final Set<String> left = new HashSet<>();

        private @Nullable RawWebSocket socket;
        private @Nullable Thread reader;
        private boolean paused;
        private boolean ended;
        private @Nullable Throwable failure;

        Client(GatewayUnderTest gateway) {
            this.gateway = gateway;
        }

        /** Connects, and goes on where it was on the topics that it was on. */
        void connect() throws IOException {
            StringBuilder query = new StringBuilder("?");
            for (String topic : levels.keySet()) {
                query.append("topic=").append(topic);
                TopicAccount account = accounts.get(topic);
                if (account != null && account.next() > 0) {
                    query.append("&since=").append(account.position());
                }
                query.append('&');
            }
            levels.replaceAll((topic, level) -> "full");
            RawWebSocket opened = RawWebSocket.openNarrow(gateway.clientsPort(), query.toString());
            opened.http().socket().setSoTimeout(0);
            synchronized (this) {
                socket = opened;
                paused = false;
                ended = false;
            }
            reader = new Thread(() -> read(opened), "reader");
            reader.start();
        }

        private void read(RawWebSocket from) {
            try {
                while (true) {
                    awaitReading();
                    RawWebSocket.Frame frame = from.frame();
                    if (frame.opcode() == RawWebSocket.CLOSE) {
                        assertEquals(4408, frame.closeCode(), frame.closeReason());
                        break;
                    }
                    take(frame.text());
                }
            } catch (IOException gone) {
                // It vanished, or the gateway gave it up without a word: the closes are counted in the metrics.
            } catch (Throwable e) {
                fail(e);
            }
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }

        private synchronized void fail(Throwable e) {
            failure = e;
        }

        private synchronized void awaitReading() throws IOException {
            while (paused) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    throw new IOException("told to end", e);
                }
            }
        }

        private synchronized void take(String frame) {
            if (TopicAccount.isOf("error", frame)) {
                String code = GatewayUnderTest.find("\"code\":\"(\\w+)\"", frame);
                assertTrue(code.equals("rate_limited") || code.equals("overloaded"), frame);
                return;
            }
            if (TopicAccount.isOf("welcome", frame) || TopicAccount.isOf("online", frame)) {
                return;
            }
            String topic = GatewayUnderTest.find("\"topic\":\"([^\"]+)\"", frame);
            if (TopicAccount.isOf("unsubscribed", frame)) {
                left.add(topic);
                return;
            }
            if (TopicAccount.isOf("subscribed", frame)) {
                left.remove(topic);
            }
            assertFalse(left.contains(topic), frame);
            TopicAccount account = accounts.computeIfAbsent(topic, TopicAccount::new);
            account.take(frame);
            if (TopicAccount.isOf("message", frame) && TopicAccount.number(frame, "offset") > 0) {
                String data = TopicAccount.data(frame);
                String before = dataAt.putIfAbsent(topic + "@" + (account.next() - 1), data);
                assertTrue(before == null || before.equals(data), () -> "another message at one offset: " + frame);
            }
        }

        synchronized void pause(boolean on) {
            paused = on;
            notifyAll();
        }

        synchronized boolean isReading() {
            return !paused && !ended;
        }

        synchronized boolean isEnded() {
            return ended;
        }

        /** Says something; that the gateway has ended the connection meanwhile is no mistake. */
        void say(String text) {
            try {
                open().say(text);
            } catch (IOException gone) {
                // The reader sees it.
            }
        }

        private RawWebSocket open() {
            return java.util.Objects.requireNonNull(socket, "not connected yet");
        }

        synchronized boolean hasAll(String topic, long head) {
            TopicAccount account = accounts.get(topic);
            return account != null && account.next() > head;
        }

        synchronized TopicAccount account(String topic) {
            return java.util.Objects.requireNonNull(accounts.get(topic), topic);
        }

        void subscribe(String topic) {
            String since;
            synchronized (this) {
                TopicAccount account = accounts.get(topic);
                // Before it has heard that it has left, messages still come, and the position isn't known.
                since = account == null || !left.contains(topic) ? "" : ",\"since\":" + account.since();
            }
            levels.put(topic, "full");
            say("{\"type\":\"subscribe\",\"topic\":\"" + topic + "\"" + since + "}");
        }

        /** Leaves; what is still on its way until the gateway says so counts. */
        void unsubscribe(String topic) {
            levels.remove(topic);
            say("{\"type\":\"unsubscribe\",\"topic\":\"" + topic + "\"}");
        }

        void attend(String topic, String level) {
            levels.put(topic, level);
            say("{\"type\":\"attention\",\"topic\":\"" + topic + "\",\"level\":\"" + level + "\"}");
        }

        /** Ends with a reset, whatever is on its way. */
        void vanish() throws IOException, InterruptedException {
            pause(false);
            open().http().socket().setSoLinger(true, 0);
            end();
        }

        /** Waits for the reader's end. */
        void end() throws IOException, InterruptedException {
            java.util.Objects.requireNonNull(reader, "not connected yet").interrupt();
            open().close();
            java.util.Objects.requireNonNull(reader, "not connected yet").join();
        }

        synchronized void check() {
            if (failure != null) {
                throw new AssertionError("a client was told something wrong: " + accounts, failure);
            }
        }
    }

    @Test
    @Timeout(120)
    void everybodyIsToldOfEveryOffsetWhateverHappens() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(CONFIG)) {
            try {
                for (int i = 0; i < CLIENTS; i++) {
                    Client client = new Client(gateway);
                    clients.add(client);
                    for (String topic : topicsOf(i)) {
                        client.levels.put(topic, "full");
                    }
                    client.connect();
                }
                GatewayUnderTest.await(
                        "all are there",
                        () -> gateway.metric("barrage_subscriptions")
                                == clients.stream()
                                        .mapToInt(client -> client.levels.size())
                                        .sum());
                for (int step = 0; step < STEPS; step++) {
                    step(gateway);
                }
                finish(gateway);
            } finally {
                for (Client client : clients) {
                    client.vanish();
                }
            }
        }
    }

    private static String[] topicsOf(int client) {
        if (client < CALM) {
            return new String[] {QUIET, HOT};
        }
        return client % 2 == 0 ? PUBLIC : GAPS_ONLY;
    }

    private void step(GatewayUnderTest gateway) throws Exception {
        Client any = clients.get(random.nextInt(CLIENTS));
        Client wild = clients.get(CALM + random.nextInt(CLIENTS - CALM));
        wild.check();
        int dice = random.nextInt(100);
        if (wild.isEnded()) {
            wild.end();
            wild.connect();
        } else if (dice < 35) {
            publishAsBackend(gateway);
        } else if (dice < 55) {
            publishAsClient(wild);
        } else if (dice < 65) {
            wild.pause(wild.isReading());
        } else if (dice < 70) {
            wild.vanish();
            wild.connect();
        } else if (dice < 85) {
            String topic = oneOf(new ArrayList<>(any.levels.keySet()));
            if (topic != null) {
                any.attend(topic, LEVELS[random.nextInt(LEVELS.length)]);
            }
        } else {
            String[] topics = topicsOf(clients.indexOf(wild));
            String topic = topics[random.nextInt(topics.length)];
            if (!wild.levels.containsKey(topic)) {
                wild.subscribe(topic);
            } else if (wild.isReading()) {
                wild.unsubscribe(topic);
            }
        }
    }

    private @Nullable String oneOf(List<String> all) {
        // The map's order is no part of the seed.
        all.sort(null);
        return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    private String message(String topic, String type) {
        String padding = "x".repeat(random.nextInt(1500));
        return "{" + type + "\"topic\":\"" + topic + "\",\"priority\":\""
                + PRIORITIES[random.nextInt(PRIORITIES.length)] + "\",\"data\":\"" + published++ + padding + "\"}";
    }

    private void publishAsBackend(GatewayUnderTest gateway) throws IOException, InterruptedException {
        String topic = random.nextInt(4) == 0 ? QUIET : PUBLIC[random.nextInt(PUBLIC.length)];
        StringBuilder lines = new StringBuilder();
        int count = 1 + random.nextInt(60);
        for (int i = 0; i < count; i++) {
            lines.append(message(topic, "")).append('\n');
        }
        HttpResponse<String> answers = gateway.postLines(lines.toString());
        answers.body()
                .lines()
                .forEach(answer -> assertTrue(
                        answer.contains("\"offset\":")
                                || answer.contains("\"shed\":\"budget\"")
                                || answer.contains("\"rate_limited\"")
                                || answer.contains("\"overloaded\""),
                        answer));
    }

    private void publishAsClient(Client client) {
        if (!client.isReading()) {
            return; // It would have to read the gateway's refusals.
        }
        String topic = PUBLIC[random.nextInt(PUBLIC.length)];
        int count = 1 + random.nextInt(20);
        for (int i = 0; i < count; i++) {
            client.say(message(topic, "\"type\":\"publish\","));
        }
    }

    /** Lets everybody read everything, and compares. */
    private void finish(GatewayUnderTest gateway) throws Exception {
        Map<String, Long> heads = new HashMap<>();
        for (Client client : clients) {
            client.pause(false);
            for (String topic : client.levels.keySet()) {
                client.attend(topic, "full");
            }
        }
        for (String topic : new String[] {HOT, RELIABLE, LOSSY, QUIET}) {
            heads.put(topic, publishLast(gateway, topic));
        }
        for (Client client : clients) {
            GatewayUnderTest.await("a client has read all: " + heads, () -> {
                client.check();
                if (client.isEnded()) {
                    client.end();
                    client.connect();
                }
                return client.levels.keySet().stream().allMatch(topic -> client.hasAll(topic, heads.get(topic)));
            });
        }
        GatewayUnderTest.await("nothing is on its way", () -> gateway.metric("barrage_behind_subscriptions") == 0);
        assertEquals(0, gateway.metric("barrage_conservation_error"));
        assertEquals(
                gateway.metric("barrage_closes_total{code=\"4408\""),
                gateway.metric("barrage_closes_total"),
                "closes of other codes");
        assertEquals(
                (double) heads.get(QUIET) * CALM,
                gateway.metric("barrage_deliveries_total{namespace=\"calm\"")
                        + gateway.metric("barrage_shed_total{namespace=\"calm\""),
                "what those were owed that never left");
        double hidden = gateway.metric("barrage_hidden_total{namespace=\"room\"");
        for (Client calm : clients.subList(0, CALM)) {
            GatewayUnderTest.await(
                    "all hidden messages are told: " + hidden + ", " + calm.account(HOT),
                    () -> calm.account(HOT).hidden() == hidden);
            assertEquals(0, calm.account(QUIET).missed("behind"));
        }
        // Of what this is about, enough must have happened.
        assertTrue(gateway.metric("barrage_closes_total{code=\"4408\"") > 0, "nobody was too slow");
        assertTrue(hidden > 0, "nothing was hidden");
        for (String reason : List.of("behind", "attention", "disconnected")) {
            assertTrue(shedOf(gateway, reason) > 0, () -> "nothing was shed for the reason " + reason);
        }
        assertTrue(gateway.metric("barrage_replayed_messages_total") > 0, "nothing was recovered");
    }

    private static double shedOf(GatewayUnderTest gateway, String reason) throws IOException, InterruptedException {
        double sum = 0;
        for (String priority : List.of("low", "normal", "high", "critical")) {
            for (String namespace : List.of("room", "ledger", "chat", "calm")) {
                sum += gateway.metric("barrage_shed_total{namespace=\"" + namespace + "\",priority=\"" + priority
                        + "\",reason=\"" + reason + "\"");
            }
        }
        return sum;
    }

    /** Publishes a message that all must see, as soon as the room takes it. */
    private static long publishLast(GatewayUnderTest gateway, String topic) throws IOException, InterruptedException {
        while (true) {
            String answer = gateway.post(
                            "/v1/publish", "{\"topic\":\"" + topic + "\",\"priority\":\"critical\",\"data\":\"last\"}")
                    .body();
            if (answer.contains("\"offset\":")) {
                return TopicAccount.number(answer, "offset");
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
