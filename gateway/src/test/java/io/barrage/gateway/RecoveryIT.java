package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that come back: with all that they have missed, or with the news that this can't be had. */
@Timeout(90)
class RecoveryIT {
    private static final int RECONNECTS = 200;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("""
                limits: {messageBytes: 4KiB}
                namespaces:
                  - {name: room, presence: "off", history: {size: 50, ttl: 10m}}
                  - {name: short, presence: "off", history: {size: 5, ttl: 10m}}
                  - {name: brief, presence: "off", history: {size: 50, ttl: 1s}}
                  - {name: none, presence: "off"}
                  - {name: $user, subscribe: none, presence: "off", history: {size: 50, ttl: 10m}}
                  - {name: long, presence: "off", history: {size: 1000000, ttl: 10m}, log: {size: 64, bytes: 64KiB}}
                  - name: reliable
                    presence: "off"
                    delivery: reliable
                    log: {size: 32, bytes: 64KiB}
                    history: {size: 2000, ttl: 10m}
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static String epochOf(String topic) throws Exception {
        return GatewayUnderTest.find(
                "\"epoch\":\"(\\w+)\"",
                gateway.post("/v1/publish", "{\"topic\":\"" + topic + "\",\"data\":1}")
                        .body());
    }

    /** Publishes the numbers up to {@code last}, the first of which is there; gives the epoch. */
    private static String fill(String topic, int last) throws Exception {
        String epoch = epochOf(topic);
        for (int i = 2; i <= last; i++) {
            assertEquals(i, gateway.publish(topic, Integer.toString(i)));
        }
        return epoch;
    }

    private static void expect(RawWebSocket socket, long from, long through) throws IOException {
        for (long offset = from; offset <= through; offset++) {
            String frame = socket.expect("message");
            assertEquals(offset, TopicAccount.number(frame, "offset"), frame);
            assertEquals(Long.toString(offset), TopicAccount.data(frame));
        }
        socket.say("{\"type\":\"ping\",\"id\":9}");
        socket.expect("pong");
    }

    private static String subscribe(RawWebSocket socket, String topic, String rest) throws IOException {
        socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"" + topic + "\"" + rest + "}");
        return socket.expect("subscribed");
    }

    private static String since(String epoch, long offset) {
        return ",\"since\":{\"epoch\":\"" + epoch + "\",\"offset\":" + offset + "}";
    }

    @Test
    void queryAndFrameRecoverWhatCameSince() throws Exception {
        String epoch = fill("room:1", 20);
        try (RawWebSocket socket = gateway.webSocket("?topic=room:1&since=room:1@" + epoch + ":17")) {
            assertEquals(
                    "{\"type\":\"subscribed\",\"topic\":\"room:1\",\"epoch\":\"" + epoch
                            + "\",\"offset\":20,\"recovered\":true}",
                    socket.text());
            expect(socket, 18, 20);
        }
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "room:1", since(epoch, 0));
            assertTrue(subscribed.contains("\"offset\":20,\"recovered\":true"), subscribed);
            expect(socket, 1, 20);
            gateway.publish("room:1", "21");
            expect(socket, 21, 21);
        }
    }

    @Test
    void aUsersOwnTopicIsRecoveredByTheQuery() throws Exception {
        String own = "$user:u7";
        String push = "{\"user\":\"u7\",\"data\":1}";
        try (RawWebSocket socket = gateway.webSocket("?user=u7")) {
            socket.expect("subscribed");
            gateway.post("/v1/publish", push);
            socket.expect("message");
        }
        String epoch = GatewayUnderTest.find(
                "\"epoch\":\"(\\w+)\"", gateway.post("/v1/publish", push).body());
        gateway.post("/v1/publish", push);
        try (RawWebSocket socket = gateway.webSocket("?user=u7&since=" + own + "@" + epoch + ":1")) {
            String subscribed = socket.text();
            assertTrue(subscribed.contains("\"offset\":3,\"recovered\":true"), subscribed);
            for (long offset = 2; offset <= 3; offset++) {
                assertEquals(offset, TopicAccount.number(socket.expect("message"), "offset"));
            }
        }
        try (RawWebSocket socket = gateway.webSocket("?user=u8&since=" + own + "@" + epoch + ":1")) {
            String subscribed = socket.text();
            assertTrue(subscribed.startsWith("{\"type\":\"subscribed\",\"topic\":\"$user:u8\""), subscribed);
            assertFalse(subscribed.contains("recovered"), "nobody gets another's: " + subscribed);
        }
    }

    @Test
    void aSinceAtTheHeadIsRecoveredWithoutAnyHistory() throws Exception {
        String epoch = fill("none:1", 3);
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "none:1", since(epoch, 3));
            assertTrue(subscribed.contains("\"recovered\":true"), subscribed);
        }
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "none:1", since(epoch, 2));
            assertTrue(subscribed.contains("\"recovered\":false"), subscribed);
            expect(socket, 1, 0);
        }
    }

    @Test
    void whatCantBeRecoveredIsToldAndNothingOldFollows() throws Exception {
        String epoch = fill("short:1", 10);
        for (String since : new String[] {since(epoch, 4), since(epoch, 11), since("another1", 8), since(epoch, 0)}) {
            try (RawWebSocket socket = gateway.webSocket("")) {
                String subscribed = subscribe(socket, "short:1", since);
                assertTrue(subscribed.contains("\"offset\":10,\"recovered\":false"), since + ": " + subscribed);
                expect(socket, 1, 0);
            }
        }
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "short:1", since(epoch, 5));
            assertTrue(subscribed.contains("\"recovered\":true"), subscribed);
            expect(socket, 6, 10);
        }
    }

    @Test
    void theLastOnesComeToOneThatIsNewOrHasMissedTooMuch() throws Exception {
        String epoch = fill("room:last", 60);
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "room:last", ",\"last\":3");
            assertFalse(subscribed.contains("recovered"), subscribed);
            expect(socket, 58, 60);
        }
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "room:last", since(epoch, 2) + ",\"last\":1000");
            assertTrue(subscribed.contains("\"recovered\":false"), subscribed);
            expect(socket, 11, 60);
        }
        try (RawWebSocket socket = gateway.webSocket("")) {
            String subscribed = subscribe(socket, "room:last", since(epoch, 58) + ",\"last\":30");
            assertTrue(subscribed.contains("\"recovered\":true"), subscribed);
            expect(socket, 59, 60);
        }
    }

    @Test
    void historyForgetsAfterItsTime() throws Exception {
        String epoch = fill("brief:1", 5);
        GatewayUnderTest.await("the history is forgotten", () -> {
            try (RawWebSocket socket = gateway.webSocket("")) {
                return subscribe(socket, "brief:1", since(epoch, 4)).contains("\"recovered\":false");
            }
        });
    }

    @Test
    void reconnectsUnderLoadLoseNothingAndRepeatNothing() throws Exception {
        AtomicBoolean enough = new AtomicBoolean();
        AtomicLong published = new AtomicLong();
        CompletableFuture<Void> publisher = CompletableFuture.runAsync(
                () -> {
                    try {
                        while (!enough.get()) {
                            StringBuilder lines = new StringBuilder();
                            for (int i = 0; i < 5; i++) {
                                lines.append("{\"topic\":\"long:1\",\"data\":")
                                        .append(published.incrementAndGet())
                                        .append("}\n");
                            }
                            gateway.publishAll(lines.toString());
                        }
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                task -> new Thread(task, "publisher").start());
        Random random = new Random(7);
        TopicAccount account = new TopicAccount("long:1");
        String query = "?topic=long:1";
        try {
            for (int i = 0; i < RECONNECTS; i++) {
                RawWebSocket socket = gateway.webSocket(query);
                String subscribed = socket.expect("subscribed");
                assertTrue(i == 0 || subscribed.contains("\"recovered\":true"), subscribed);
                account.take(subscribed);
                read(socket, account, random.nextInt(40));
                if (random.nextBoolean()) {
                    socket.http().socket().setSoLinger(true, 0);
                }
                socket.close();
                query = "?topic=long:1&since=" + account.position();
            }
        } finally {
            enough.set(true);
        }
        publisher.get(20, TimeUnit.SECONDS);
        try (RawWebSocket socket = gateway.webSocket(query)) {
            account.take(socket.expect("subscribed"));
            read(socket, account, published.get() - account.next() + 1);
        }
        assertEquals(published.get(), account.next() - 1);
        assertEquals(0, account.gaps().size());
        assertTrue(account.messages() > RECONNECTS, () -> "no load: " + account);
    }

    private static void read(RawWebSocket socket, TopicAccount account, long count) throws IOException {
        for (long i = 0; i < count; i++) {
            String frame = socket.expect("message");
            account.take(frame);
            assertEquals(Long.toString(account.next() - 1), TopicAccount.data(frame));
        }
    }

    @Test
    void aReliableTopicClosesOneThatDoesntReadAndGivesItAllWhenItComesBack() throws Exception {
        int count = 1500;
        double closed = gateway.metric("barrage_closes_total{code=\"4408\"");
        TopicAccount account = new TopicAccount("reliable:1");
        try (RawWebSocket socket = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=reliable:1")) {
            socket.expect("welcome");
            account.take(socket.expect("subscribed"));
            gateway.publishAll(("{\"topic\":\"reliable:1\",\"data\":\"" + "x".repeat(1000) + "\"}\n").repeat(count));
            RawWebSocket.Frame frame = socket.frame();
            while (frame.opcode() == RawWebSocket.TEXT) {
                account.take(frame.text());
                frame = socket.frame();
            }
            assertEquals(4408, frame.closeCode());
        }
        assertEquals(closed + 1, gateway.metric("barrage_closes_total{code=\"4408\""));
        assertTrue(account.next() <= count, () -> "it wasn't behind: " + account);
        long before = account.next();
        try (RawWebSocket socket = gateway.webSocket("?topic=reliable:1&since=" + account.position())) {
            String subscribed = socket.expect("subscribed");
            assertTrue(subscribed.contains("\"offset\":" + count + ",\"recovered\":true"), subscribed);
            account.take(subscribed);
            while (account.next() <= count) {
                account.take(socket.text());
            }
        }
        assertEquals(count, account.messages(), () -> "from " + before);
        assertEquals(0, account.gaps().size());
    }
}
