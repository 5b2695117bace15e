package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Likes, scores and leaderboards: merged exactly, told seldom, seen from outside. */
class ValuesIT {
    private static final String RULES = """
            limits: {inbound: none}
            namespaces:
              - {name: room, publish: none, publishValues: anyone, interval: 100ms}
              - {name: fast, publishValues: anyone, interval: 10ms}
              - {name: quiet, publish: anyone, publishValues: anyone, interval: 1h}
              - {name: closed, publish: anyone}
            """;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start(RULES);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static String change(String topic, String key, String merge, String data) {
        return "{\"topic\":\"" + topic + "\",\"key\":\"" + key + "\",\"merge\":\"" + merge + "\",\"data\":" + data
                + "}";
    }

    private static void publish(String topic, String key, String merge, String data) throws Exception {
        HttpResponse<String> answer = gateway.post("/v1/publish", change(topic, key, merge, data));
        assertEquals("{\"topic\":\"" + topic + "\",\"key\":\"" + key + "\"}", answer.body());
        assertEquals(200, answer.statusCode());
    }

    private static String value(String topic, String key, String data) {
        return "{\"type\":\"value\",\"topic\":\"" + topic + "\",\"key\":\"" + key + "\",\"data\":" + data + "}";
    }

    /** All values of a key until the one that is awaited. */
    private static List<String> until(RawWebSocket viewer, String last) throws IOException {
        List<String> frames = new ArrayList<>();
        do {
            frames.add(viewer.expect("value"));
        } while (!frames.get(frames.size() - 1).equals(last));
        return frames;
    }

    /** So many likes as one stream; gives the answers. */
    private static List<String> stream(String topic, int likes) throws IOException {
        String body = (change(topic, "likes", "sum", "1") + "\n").repeat(likes);
        try (RawHttp http = gateway.backendSocket()) {
            http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\nContent-Length: "
                    + body.length() + "\n\n");
            http.send(body.getBytes(UTF_8));
            return http.answer().body().lines().toList();
        }
    }

    @Test
    void likesOfManyPublishersAddUpExactly() throws Exception {
        int streams = 3;
        int perStream = 3_000;
        int sockets = 2;
        int perSocket = 500;
        int total = streams * perStream + sockets * perSocket;
        double before = gateway.metric("barrage_values_told_total{namespace=\"room\",}");
        double publishesBefore = gateway.metric("barrage_values_total{namespace=\"room\",result=\"accepted\",}");
        ExecutorService publishers = Executors.newFixedThreadPool(streams + sockets);
        try (RawWebSocket viewer = gateway.subscriber("room:likes");
                RawWebSocket other = gateway.subscriber("room:likes")) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                done.add(publishers.submit(() -> {
                    List<String> answers = stream("room:likes", perStream);
                    assertEquals(perStream, answers.size());
                    assertEquals(
                            "{\"line\":" + perStream + ",\"topic\":\"room:likes\",\"key\":\"likes\"}",
                            answers.get(perStream - 1));
                    return null;
                }));
            }
            for (int i = 0; i < sockets; i++) {
                done.add(publishers.submit(() -> {
                    try (RawWebSocket socket = gateway.webSocket("")) {
                        String like =
                                change("room:likes", "likes", "sum", "1").replaceFirst("\\{", "{\"type\":\"publish\",");
                        for (int k = 1; k < perSocket; k++) {
                            socket.say(like);
                        }
                        socket.say(like.replaceFirst("\\{", "{\"id\":4,"));
                        assertEquals(
                                "{\"type\":\"published\",\"id\":4,\"topic\":\"room:likes\",\"key\":\"likes\"}",
                                socket.text());
                    }
                    return null;
                }));
            }
            String last = value("room:likes", "likes", Integer.toString(total));
            List<String> frames = until(viewer, last);
            await(done);
            assertEquals(frames, until(other, last));
            // By the gateway's own count, not by the clock of a busy machine.
            int told = (int) (gateway.metric("barrage_values_told_total{namespace=\"room\",}") - before);
            assertEquals(told, frames.size());
            assertTrue(told < total / 10, told + " frames of " + total + " likes");
            assertEquals(
                    total,
                    gateway.metric("barrage_values_total{namespace=\"room\",result=\"accepted\",}") - publishesBefore);
            long seen = 0;
            for (String frame : frames) {
                long likes = Long.parseLong(GatewayUnderTest.find("\"data\":(\\d+)", frame));
                assertTrue(likes > seen, frames.toString());
                seen = likes;
            }
            try (RawWebSocket newcomer = gateway.subscriber("room:likes")) {
                assertEquals(last, newcomer.text());
            }
        } finally {
            publishers.shutdownNow();
        }
    }

    private static void await(List<Future<?>> all) throws InterruptedException, ExecutionException {
        for (Future<?> one : all) {
            one.get();
        }
    }

    @Test
    void valueIsToldAtOnceAndThenNotBeforeItsInterval() throws Exception {
        try (RawWebSocket viewer = gateway.subscriber("quiet:1")) {
            assertEquals(1_000, stream("quiet:1", 1_000).size());
            publish("quiet:1", "other", "last", "\"x\"");
            gateway.publish("quiet:1", "\"a message\"");
            assertEquals(value("quiet:1", "likes", "1"), viewer.text());
            // Each key has an interval of its own, and messages wait for none.
            assertEquals(value("quiet:1", "other", "\"x\""), viewer.text());
            assertTrue(viewer.expect("message").contains("\"offset\":1,"));
            // Newcomers are told what the others know, or they would see the sum twice.
            try (RawWebSocket newcomer = gateway.subscriber("quiet:1")) {
                assertEquals(value("quiet:1", "likes", "1"), newcomer.text());
                assertEquals(value("quiet:1", "other", "\"x\""), newcomer.text());
            }
        }
    }

    @Test
    void firstViewerIsToldWhatHappenedBefore() throws Exception {
        publish("quiet:2", "best", "max", "1.5");
        publish("quiet:2", "best", "max", "17");
        publish("quiet:2", "best", "max", "16.9");
        publish("quiet:2", "gone", "last", "1");
        publish("quiet:2", "gone", "last", "null");
        try (RawWebSocket viewer = gateway.subscriber("quiet:2")) {
            assertEquals(value("quiet:2", "best", "17"), viewer.text());
            gateway.publish("quiet:2", "1");
            viewer.expect("message");
        }
    }

    @Test
    void leaderboardKeepsItsEntriesBytes() throws Exception {
        try (RawWebSocket viewer = gateway.subscriber("fast:top")) {
            List<String> best = IntStream.range(0, 12)
                    .mapToObj(i -> "{ \"id\":\"u" + i + "\", \"score\":" + (100 - i) + ", \"name\": \"\\u0041\" }")
                    .toList();
            for (int i = 11; i >= 0; i--) {
                publish("fast:top", "board", "top", best.get(i));
            }
            until(viewer, value("fast:top", "board", "[" + String.join(",", best.subList(0, 10)) + "]"));
        }
    }

    @Test
    void removedKeyIsToldAsNullAndNoNewcomerHearsOfIt() throws Exception {
        try (RawWebSocket viewer = gateway.subscriber("fast:gone")) {
            publish("fast:gone", "poll", "last", "{\"open\":true}");
            assertEquals(value("fast:gone", "poll", "{\"open\":true}"), viewer.text());
            publish("fast:gone", "poll", "sum", "null");
            assertEquals(value("fast:gone", "poll", "null"), viewer.text());
            try (RawWebSocket newcomer = gateway.subscriber("fast:gone")) {
                gateway.publish("fast:gone", "1");
                newcomer.expect("message");
            }
            // It may begin anew, and be merged otherwise.
            publish("fast:gone", "poll", "max", "3");
            viewer.expect("message");
            assertEquals(value("fast:gone", "poll", "3"), viewer.text());
        }
    }

    @Test
    void repeatIsMergedOnce() throws Exception {
        String like = change("fast:id", "likes", "sum", "5").replaceFirst("\\{", "{\"messageId\":\"m1\",");
        gateway.post("/v1/publish", like);
        assertEquals(
                "{\"topic\":\"fast:id\",\"key\":\"likes\",\"duplicate\":true}",
                gateway.post("/v1/publish", like).body());
        try (RawWebSocket viewer = gateway.subscriber("fast:id")) {
            assertEquals(value("fast:id", "likes", "5"), viewer.text());
            viewer.say(like.replaceFirst("\\{", "{\"type\":\"publish\",\"id\":1,"));
            // A client's ids aren't a backend's; the answer and the value come in either order.
            List<String> both = List.of(viewer.text(), viewer.text());
            assertTrue(both.contains(value("fast:id", "likes", "10")), both.toString());
            assertTrue(
                    both.contains("{\"type\":\"published\",\"id\":1,\"topic\":\"fast:id\",\"key\":\"likes\"}"),
                    both.toString());
            viewer.say(like.replaceFirst("\\{", "{\"type\":\"publish\",\"id\":2,"));
            assertEquals(
                    "{\"type\":\"published\",\"id\":2,\"topic\":\"fast:id\",\"key\":\"likes\",\"duplicate\":true}",
                    viewer.text());
        }
    }

    @Test
    void aMessageWithAValuesIdIsAPublishersBug() throws Exception {
        String id = "{\"messageId\":\"m2\",";
        gateway.post("/v1/publish", change("fast:bug", "likes", "sum", "5").replaceFirst("\\{", id));
        double limited = gateway.metric(publishes("limited"));
        double invalid = gateway.metric(publishes("invalid"));
        assertEquals(
                400,
                gateway.post("/v1/publish", id + "\"topic\":\"fast:bug\",\"data\":1}")
                        .statusCode());
        assertEquals(limited, gateway.metric(publishes("limited")), "no rule is against it");
        assertEquals(invalid + 1, gateway.metric(publishes("invalid")));
    }

    private static String publishes(String result) {
        return "barrage_publishes_total{namespace=\"fast\",priority=\"normal\",result=\"" + result + "\"";
    }

    @Test
    void manyTargetsAreMergedEach() throws Exception {
        String body = gateway.post(
                        "/v1/publish",
                        "{\"topics\":[\"fast:a\",\"fast:b\",\"a b\"],\"key\":\"k\",\"merge\":\"sum\",\"data\":0.1}")
                .body();
        assertTrue(
                body.startsWith(
                        "{\"results\":[{\"topic\":\"fast:a\",\"key\":\"k\"},{\"topic\":\"fast:b\",\"key\":\"k\"},"
                                + "{\"topic\":\"a b\",\"error\":"),
                body);
        publish("fast:b", "k", "sum", "0.2");
        try (RawWebSocket viewer = gateway.webSocket("?topic=fast:a&topic=fast:b")) {
            viewer.expect("subscribed");
            assertEquals(value("fast:a", "k", "0.1"), viewer.text());
            viewer.expect("subscribed");
            assertEquals(value("fast:b", "k", "0.3"), viewer.text());
        }
    }

    @Test
    void whatCantBeMergedIsRefusedAndChangesNothing() throws Exception {
        publish("fast:bad", "k", "sum", "1");
        for (String bad : List.of(
                change("fast:bad", "k", "max", "1"),
                change("fast:bad", "k", "sum", "\"1\""),
                change("fast:bad", "k", "sum", "1e999999"),
                change("fast:bad", "a/b", "sum", "1"),
                "{\"topic\":\"fast:bad\",\"key\":\"k\",\"data\":1}")) {
            HttpResponse<String> answer = gateway.post("/v1/publish", bad);
            assertEquals(400, answer.statusCode(), answer.body());
            assertTrue(answer.body().contains("\"code\":\"bad_request\""), answer.body());
        }
        assertTrue(gateway.post("/v1/publish", change("fast:bad", "k", "max", "1"))
                .body()
                .contains("key 'k' is merged by 'sum', not by 'max'"));
        for (int i = 1; i < 64; i++) {
            publish("fast:bad", "k" + i, "sum", "1");
        }
        HttpResponse<String> full = gateway.post("/v1/publish", change("fast:bad", "k64", "sum", "1"));
        assertEquals(429, full.statusCode());
        assertTrue(
                full.body().contains("\"code\":\"rate_limited\"") && full.body().contains("64 keys"), full.body());
        try (RawWebSocket viewer = gateway.subscriber("fast:bad")) {
            assertEquals(value("fast:bad", "k", "1"), viewer.text());
        }
    }

    @Test
    void clientsMayChangeValuesOnlyWhereTheRulesSaySo() throws Exception {
        try (RawWebSocket client = gateway.webSocket("")) {
            client.say(
                    "{\"type\":\"publish\",\"id\":1,\"topic\":\"closed:1\",\"key\":\"k\",\"merge\":\"sum\",\"data\":1}");
            assertEquals(
                    "{\"type\":\"error\",\"id\":1,\"topic\":\"closed:1\",\"code\":\"not_permitted\","
                            + "\"message\":\"this connection may not publish values to this topic\"}",
                    client.text());
            client.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"room:x\",\"data\":1}");
            assertTrue(client.expect("error").contains("\"code\":\"not_permitted\""));
            client.say(
                    "{\"type\":\"publish\",\"id\":3,\"topic\":\"room:x\",\"key\":\"k\",\"merge\":\"sum\",\"data\":1}");
            client.expect("published");
            client.say(
                    "{\"type\":\"publish\",\"id\":4,\"topic\":\"room:x\",\"key\":\"k\",\"merge\":\"top\",\"data\":1}");
            assertTrue(client.expect("error").contains("\"code\":\"bad_request\""));
        }
    }
}
