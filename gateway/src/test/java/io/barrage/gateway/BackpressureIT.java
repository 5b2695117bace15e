package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that don't read: what waits for them is bounded, and they are told exactly what they missed. */
class BackpressureIT {
    private static final String PADDING = "x".repeat(1000);

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("""
                limits: {messageBytes: 4KiB, requests: none, inbound: none}
                namespaces:
                  - {name: slow, presence: "off", log: {size: 64, bytes: 64KiB}}
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    // ---------------------------------------------------------------- answers that nobody reads

    /** Writes without end on a thread of its own, and counts. */
    private static final class Writer {
        private final AtomicInteger written = new AtomicInteger();
        private final CompletableFuture<Void> done;

        Writer(RawHttp http, byte[] piece, int count) {
            done = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int i = 0; i < count; i++) {
                                http.send(piece);
                                written.incrementAndGet();
                            }
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    task -> new Thread(task, "writer").start());
        }

        /** Returns when nothing more is taken for a while; fails if everything is. */
        void awaitStuck() throws ExecutionException, InterruptedException {
            int before;
            do {
                before = written.get();
                try {
                    done.get(300, TimeUnit.MILLISECONDS);
                    throw new AssertionError("the gateway takes everything from one that reads nothing");
                } catch (TimeoutException stillWriting) {
                    // As it should be, if it doesn't get on.
                }
                // Where a window is closed the kernel still probes it with a little now and then.
            } while (written.get() - before > 10);
        }
    }

    @Test
    void gatewayStopsReadingPingsOfOneThatReadsNoPongs() throws Exception {
        int count = 1_000;
        ByteArrayOutputStream pings = new ByteArrayOutputStream();
        for (int i = 0; i < 25; i++) {
            pings.writeBytes(frame(FIN | PING, "p".repeat(120) + (char) ('a' + i)));
        }
        try (RawWebSocket socket = RawWebSocket.openNarrow(gateway.clientsPort(), "")) {
            socket.expect("welcome");
            socket.http().socket().setSendBufferSize(16 * 1024);
            Writer writer = new Writer(socket.http(), pings.toByteArray(), count);
            writer.awaitStuck();
            for (int i = 0; i < count * 25; i++) {
                socket.expectPong("p".repeat(120) + (char) ('a' + i % 25));
            }
            writer.done.get(20, TimeUnit.SECONDS);
            socket.say("{\"type\":\"ping\",\"id\":1}");
            assertEquals("{\"type\":\"pong\",\"id\":1}", socket.text());
        }
    }

    @Test
    void gatewayStopsReadingAStreamOfOneThatReadsNoAnswers() throws Exception {
        int count = 1_200;
        byte[] lines = "{\"topic\":\"flood:1\",\"data\":1}\n".repeat(100).getBytes(UTF_8);
        try (RawHttp http = new RawHttp(gateway.backendPort(), 4 * 1024)) {
            http.socket().setSendBufferSize(16 * 1024);
            http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\nContent-Length: "
                    + (long) count * lines.length + "\n\n");
            Writer writer = new Writer(http, lines, count);
            writer.awaitStuck();
            assertEquals(200, http.begin().status());
            StringBuilder rest = new StringBuilder();
            long line = 0;
            while (line < count * 100L) {
                rest.append(http.chunk());
                int from = 0;
                for (int end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", from)) {
                    line++;
                    String answer = rest.substring(from, end);
                    assertTrue(
                            answer.startsWith("{\"line\":" + line + ",") && answer.endsWith("\"offset\":" + line + "}"),
                            answer);
                    from = end + 1;
                }
                rest.delete(0, from);
            }
            assertEquals("", http.chunk());
            writer.done.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void pipelinedAnswersThatNobodyReadsStopTheReading() throws Exception {
        byte[] request = ("GET /client/barrage.js HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + PADDING + "\r\n\r\n")
                .getBytes(UTF_8);
        try (RawHttp http = new RawHttp(gateway.clientsPort(), 4 * 1024)) {
            http.socket().setSendBufferSize(16 * 1024);
            Writer writer = new Writer(http, request, 100_000);
            writer.awaitStuck();
            int taken = writer.written.get();
            String script = null;
            // As long as it reads it gets whole answers, and more of its requests are taken.
            while (script == null || writer.written.get() == taken) {
                RawHttp.Answer answer = http.answer();
                assertEquals(200, answer.status());
                script = script == null ? answer.body() : script;
                assertEquals(script, answer.body());
            }
        }
    }

    // ---------------------------------------------------------------- messages that nobody reads

    /** What a subscriber gets of a topic: every offset once, as a message or within a gap, in order. */
    private static final class Seen {
        private final Map<String, Long> offsets = new HashMap<>();
        private long messages;
        private long missed;
        private int gaps;

        void take(String text) {
            String topic = GatewayUnderTest.find("\"topic\":\"([^\"]+)\"", text);
            long next = offsets.getOrDefault(topic, 0L) + 1;
            if (text.startsWith("{\"type\":\"message\"")) {
                assertEquals(next, number("offset", text), text);
                offsets.put(topic, next);
                messages++;
            } else {
                assertTrue(text.startsWith("{\"type\":\"gap\""), text);
                assertEquals(next, number("from", text), text);
                long to = number("to", text);
                assertEquals(to - next + 1, number("count", text), text);
                assertTrue(text.endsWith("\"reason\":\"behind\"}"), text);
                offsets.put(topic, to);
                missed += to - next + 1;
                gaps++;
            }
        }

        private static long number(String field, String text) {
            return Long.parseLong(GatewayUnderTest.find("\"" + field + "\":(\\d+)", text));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void subscriberThatDoesntReadIsToldExactlyWhatItMissed(int topics) throws Exception {
        StringBuilder query = new StringBuilder("?");
        for (int t = 0; t < topics; t++) {
            query.append("&topic=slow:").append(topics).append('-').append(t);
        }
        int rounds = 1000;
        double shedBefore = gateway.metric("barrage_shed_total{namespace=\"slow\"");
        try (RawWebSocket slow = RawWebSocket.openNarrow(gateway.clientsPort(), query.toString());
                RawWebSocket healthy = gateway.webSocket(query.toString())) {
            slow.expect("welcome");
            for (int t = 0; t < topics; t++) {
                slow.expect("subscribed");
                healthy.expect("subscribed");
            }
            Seen all = new Seen();
            for (int i = 0; i < rounds; i++) {
                for (int t = 0; t < topics; t++) {
                    gateway.publish("slow:" + topics + "-" + t, "\"" + PADDING + "\"");
                }
                for (int t = 0; t < topics; t++) {
                    all.take(healthy.text());
                }
            }
            assertEquals(0, all.missed, "one that reads misses nothing");
            assertEquals(1, gateway.metric("barrage_behind_connections"));
            assertTrue(gateway.metric("barrage_log_bytes") <= topics * 3 * 64 * 1024, "a bounded log");
            assertTrue(gateway.metric("barrage_pinned_bytes") <= topics * 128 * 1024, "a run in flight, not more");

            Seen some = new Seen();
            // Nothing more is published: what was held back comes by itself when it is read.
            while (some.messages + some.missed < (long) rounds * topics) {
                some.take(slow.text());
            }
            assertTrue(some.missed > 0 && some.gaps >= topics, "it fell behind, or this tests nothing");
            GatewayUnderTest.await("all has drained", () -> gateway.metric("barrage_behind_connections") == 0);
            assertEquals(shedBefore + some.missed, gateway.metric("barrage_shed_total{namespace=\"slow\""));
            assertEquals(0, gateway.metric("barrage_conservation_error"));

            // And on as if nothing had been.
            for (int t = 0; t < topics; t++) {
                gateway.publish("slow:" + topics + "-" + t, "1");
                some.take(slow.text());
                all.take(healthy.text());
            }
        }
    }

    @Test
    void pongsComeBetweenTheMessagesOfOneThatIsBehind() throws Exception {
        try (RawWebSocket slow = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=slow:pong")) {
            slow.expect("welcome");
            slow.expect("subscribed");
            for (int i = 0; i < 1000; i++) {
                gateway.publish("slow:pong", "\"" + PADDING + "\"");
            }
            assertEquals(1, gateway.metric("barrage_behind_connections"));
            for (int i = 0; i < 200; i++) {
                slow.send(frame(FIN | PING, Integer.toString(i)));
            }
            Seen seen = new Seen();
            int pongs = 0;
            while (pongs < 200 || seen.messages + seen.missed < 1000) {
                RawWebSocket.Frame next = slow.frame();
                if (next.opcode() == RawWebSocket.PONG) {
                    assertEquals(Integer.toString(pongs++), next.text());
                } else {
                    seen.take(next.text());
                }
            }
        }
    }

    @Test
    void subscriberThatLeavesWhileBehindIsAccountedFor() throws Exception {
        double disconnected =
                gateway.metric("barrage_shed_total{namespace=\"slow\",priority=\"normal\",reason=\"disconnected\"");
        RawWebSocket slow = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=slow:leave");
        slow.expect("welcome");
        slow.expect("subscribed");
        for (int i = 0; i < 1000; i++) {
            gateway.publish("slow:leave", "\"" + PADDING + "\"");
        }
        assertEquals(1, gateway.metric("barrage_behind_connections"));
        slow.http().socket().setSoLinger(true, 0);
        slow.close();
        GatewayUnderTest.await("it is gone", () -> gateway.metric("barrage_behind_connections") == 0);
        assertTrue(gateway.metric("barrage_shed_total{namespace=\"slow\",priority=\"normal\",reason=\"disconnected\"")
                > disconnected);
        assertEquals(0, gateway.metric("barrage_conservation_error"));
    }
}
