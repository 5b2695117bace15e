package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Slow mode and repeats, at both doors alike. */
class SenderLimitsIT {
    /** So long that no test outlasts them. */
    private static final String RULES = """
            namespaces:
              - {name: slow, publish: anyone, limits: {perSender: 1/h}}
              - {name: once, publish: anyone, limits: {repeatWindow: 1h}}
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

    private static HttpResponse<String> publish(String topic, String sender, String more) throws Exception {
        return gateway.post("/v1/publish", "{\"topic\":\"" + topic + "\",\"sender\":\"" + sender + "\"," + more + "}");
    }

    private static void accepts(HttpResponse<String> answer) {
        assertEquals(200, answer.statusCode(), answer.body());
    }

    private static void refuses(String code, HttpResponse<String> answer) {
        assertEquals(429, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains("\"code\":\"" + code + "\""), answer.body());
        long seconds = Long.parseLong(answer.headers().firstValue("retry-after").orElse("none"));
        assertTrue(seconds > 3_000 && seconds <= 3_600, "retry-after: " + seconds);
    }

    @Test
    void slowModeHoldsForASendersBackendAndSockets() throws Exception {
        double before =
                gateway.metric("barrage_publishes_total{namespace=\"slow\",priority=\"normal\",result=\"limited\",}");
        try (RawWebSocket phone = gateway.webSocket("?user=u7");
                RawWebSocket laptop = gateway.webSocket("?user=u7")) {
            phone.expect("subscribed");
            laptop.expect("subscribed");
            phone.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"slow:1\",\"data\":1}");
            phone.expect("published");
            for (RawWebSocket socket : List.of(phone, laptop)) {
                socket.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"slow:1\",\"data\":2}");
                String error = socket.expect("error");
                assertTrue(
                        error.matches(
                                "\\{\"type\":\"error\",\"id\":2,\"topic\":\"slow:1\",\"code\":\"rate_limited\",\"message\":"
                                        + "\"a sender may publish 1/h on this topic \\(slow mode\\): try again in \\d+ ms\"}"),
                        error);
            }
            refuses("rate_limited", publish("slow:1", "u7", "\"data\":3"));
            // Another sender, another topic, nobody in particular, and what matters.
            accepts(publish("slow:1", "u8", "\"data\":3"));
            accepts(publish("slow:2", "u7", "\"data\":3"));
            assertEquals(3, gateway.publish("slow:1", "4"));
            assertEquals(4, gateway.publish("slow:1", "5"));
            accepts(publish("slow:1", "u7", "\"priority\":\"critical\",\"data\":3"));
            assertEquals(6, gateway.publish("slow:1", "6"));
        }
        assertEquals(
                3,
                gateway.metric("barrage_publishes_total{namespace=\"slow\",priority=\"normal\",result=\"limited\",}")
                        - before);
    }

    @Test
    void connectionsWithoutAUserHaveALimitEach() throws Exception {
        try (RawWebSocket one = gateway.webSocket("");
                RawWebSocket other = gateway.webSocket("")) {
            for (RawWebSocket socket : List.of(one, other)) {
                socket.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"slow:anonymous\",\"data\":1}");
                socket.expect("published");
                socket.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"slow:anonymous\",\"data\":1}");
                assertTrue(socket.expect("error").contains("\"code\":\"rate_limited\""));
            }
        }
    }

    @Test
    void linesOfAStreamAreLimitedEach() throws Exception {
        String body = """
                {"topic":"slow:stream","sender":"u1","data":1}
                {"topic":"slow:stream","sender":"u1","data":2}
                {"topic":"slow:stream","sender":"u2","data":3}
                """;
        try (RawHttp http = gateway.backendSocket()) {
            http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\nContent-Length: "
                    + body.length() + "\n\n");
            http.send(body.getBytes(UTF_8));
            List<String> lines = http.answer().body().lines().toList();
            assertTrue(lines.get(0).endsWith("\"offset\":1}"), lines.get(0));
            assertTrue(
                    lines.get(1)
                            .startsWith("{\"line\":2,\"topic\":\"slow:stream\",\"error\":{\"code\":\"rate_limited\","),
                    lines.get(1));
            assertTrue(lines.get(2).endsWith("\"offset\":2}"), lines.get(2));
        }
    }

    @Test
    void sameLineAgainIsRefused() throws Exception {
        accepts(publish("once:1", "u7", "\"data\":\"first\""));
        refuses("repeated", publish("once:1", "u7", "\"data\":\"first\""));
        accepts(publish("once:1", "u8", "\"data\":\"first\""));
        try (RawWebSocket socket = gateway.webSocket("?user=u7")) {
            socket.expect("subscribed");
            socket.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"once:1\",\"data\":\"first\"}");
            String error = socket.expect("error");
            assertTrue(error.contains("\"code\":\"repeated\"") && error.contains(" ms\""), error);
            socket.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"once:1\",\"data\":\"second\"}");
            socket.expect("published");
        }
        // Only the last line counts.
        accepts(publish("once:1", "u7", "\"data\":\"first\""));
    }

    @Test
    void repeatOfAMessageIdIsAnsweredAsBefore() throws Exception {
        String first =
                publish("slow:id", "u7", "\"messageId\":\"m\",\"data\":1").body();
        assertEquals(
                first.replace("}", ",\"duplicate\":true}"),
                publish("slow:id", "u7", "\"messageId\":\"m\",\"data\":1").body());
        refuses("rate_limited", publish("slow:id", "u7", "\"messageId\":\"n\",\"data\":1"));
        refuses("rate_limited", publish("slow:id", "u7", "\"messageId\":\"n\",\"data\":1"));
    }

    @Test
    void valuesArentLimited() throws Exception {
        for (int i = 0; i < 3; i++) {
            accepts(publish("slow:values", "u7", "\"key\":\"likes\",\"merge\":\"sum\",\"data\":1"));
        }
    }
}
