package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Many publishers at once, over both doors, and many subscribers over all loops: one order for all. */
class OrderIT {
    private static final int PUBLISHERS = 4;
    private static final int EACH = 250;
    private static final int TOTAL = 3 * PUBLISHERS * EACH;

    /** Four loops, so that each of them has subscribers and publishers of its own; and a log that nobody can fall off. */
    private static final String CONFIG =
            "server: {loops: 4}\nnamespaces: [{name: demo, publish: anyone, log: {size: " + (TOTAL + 1_000) + "}}]";

    @Test
    void allSubscribersSeeOneDenseOrder() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(CONFIG)) {
            ExecutorService threads = Executors.newCachedThreadPool();
            try {
                List<RawWebSocket> subscribers = new ArrayList<>();
                for (int i = 0; i < 13; i++) {
                    subscribers.add(gateway.subscriber("demo:order"));
                }
                List<Future<?>> publishing = new ArrayList<>();
                for (int p = 0; p < PUBLISHERS; p++) {
                    String name = "p" + p;
                    publishing.add(threads.submit(() -> publishOverHttp(gateway, "http-" + name)));
                    publishing.add(threads.submit(() -> publishInAStream(gateway, "stream-" + name)));
                    publishing.add(threads.submit(() -> publishOverWebSocket(gateway, "ws-" + name)));
                }
                List<Future<List<String>>> seen = new ArrayList<>();
                for (RawWebSocket subscriber : subscribers) {
                    seen.add(threads.submit(() -> read(subscriber)));
                }
                for (Future<?> publisher : publishing) {
                    publisher.get();
                }
                List<String> first = seen.get(0).get();
                for (Future<List<String>> other : seen) {
                    assertEquals(first, other.get());
                }
                assertEachPublishersOrder(first);
                for (RawWebSocket subscriber : subscribers) {
                    subscriber.close();
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static Void publishOverHttp(GatewayUnderTest gateway, String name) throws Exception {
        try (RawHttp http = gateway.backendSocket()) {
            for (int i = 0; i < EACH; i++) {
                String body = "{\"topic\":\"demo:order\",\"data\":\"" + name + " " + i + "\"}";
                http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                        + body.length() + "\n\n" + body);
                // Some wait for the answer, some pipeline.
                if (i % 10 == 9) {
                    for (int k = 0; k < 10; k++) {
                        assertEquals(200, http.answer().status());
                    }
                }
            }
        }
        return null;
    }

    private static Void publishInAStream(GatewayUnderTest gateway, String name) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < EACH; i++) {
            lines.append("{\"topic\":\"demo:order\",\"data\":\"")
                    .append(name)
                    .append(' ')
                    .append(i)
                    .append("\"}\n");
        }
        try (RawHttp http = gateway.backendSocket()) {
            http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\nContent-Length: "
                    + lines.length() + "\n\n");
            http.send(lines.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            List<String> answers = http.answer().body().lines().toList();
            assertEquals(EACH, answers.size());
            long offset = 0;
            for (String answer : answers) {
                long next = Long.parseLong(GatewayUnderTest.find("\"offset\":(\\d+)}", answer));
                assertTrue(next > offset, answer);
                offset = next;
            }
        }
        return null;
    }

    private static Void publishOverWebSocket(GatewayUnderTest gateway, String name) throws Exception {
        try (RawWebSocket socket = gateway.webSocket("")) {
            for (int i = 0; i < EACH; i++) {
                socket.say("{\"type\":\"publish\",\"id\":" + (i + 1) + ",\"topic\":\"demo:order\",\"data\":\"" + name
                        + " " + i + "\"}");
                if (i % 25 == 24) {
                    for (int k = i - 23; k <= i + 1; k++) {
                        assertTrue(socket.expect("published").contains("\"id\":" + k + ","));
                    }
                }
            }
        }
        return null;
    }

    private static List<String> read(RawWebSocket subscriber) throws Exception {
        List<String> seen = new ArrayList<>(TOTAL);
        for (int i = 1; i <= TOTAL; i++) {
            String message = subscriber.expect("message");
            assertTrue(message.contains("\"offset\":" + i + ","), message);
            seen.add(GatewayUnderTest.find("\"data\":\"([^\"]+)\"", message));
        }
        return seen;
    }

    private static void assertEachPublishersOrder(List<String> seen) {
        Map<String, Integer> next = new HashMap<>();
        for (String data : seen) {
            int space = data.indexOf(' ');
            int number = Integer.parseInt(data.substring(space + 1));
            assertEquals(next.getOrDefault(data.substring(0, space), 0), number, data);
            next.put(data.substring(0, space), number + 1);
        }
        assertEquals(3 * PUBLISHERS, next.size());
    }
}
