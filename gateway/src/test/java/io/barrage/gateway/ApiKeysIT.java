package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.RawHttp.Answer;
import io.barrage.gateway.auth.ApiKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What API keys are limited to, and how they are changed for others. */
class ApiKeysIT {
    private static final String SLOW = ApiKeys.generate();
    private static final String STEADY = ApiKeys.generate();
    private static final String STALLED = ApiKeys.generate();
    private static final String SCORES = ApiKeys.generate();
    private static final String OLD = ApiKeys.generate();
    private static final String NEW = ApiKeys.generate();

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start(@TempDir Path secrets) throws IOException {
        Path file = Files.writeString(secrets.resolve("key"), NEW + "\n");
        gateway = GatewayUnderTest.start("metrics: {open: true}\nbackend:\n  host: 127.0.0.1\n  port: 0\n  keys:\n"
                + key("slow", SLOW, "rate: 1/h") + key("steady", STEADY, "rate: 200/s")
                + key("stalled", STALLED, "rate: 1/h")
                + key("scores", SCORES, "topics: [\"score:*\", news]") + key("shop", OLD, "rate: none")
                + "    - {name: shop, file: \"" + file + "\", scopes: [publish]}\n");
    }

    private static String key(String name, String key, String more) {
        return "    - {name: " + name + ", hash: \"" + ApiKeys.hash(key) + "\", scopes: [publish], " + more + "}\n";
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static String head(String key, String type, int length) {
        return "POST /v1/publish HTTP/1.1\nHost: push.example\nAuthorization: Bearer " + key + "\nContent-Type: " + type
                + "\nContent-Length: " + length + "\n\n";
    }

    private static Answer publish(RawHttp http, String key, String body) throws IOException {
        return http.say(head(key, "application/json", body.length()) + body).answer();
    }

    private static Answer publish(String key, String body) throws IOException {
        try (RawHttp http = gateway.backendSocket()) {
            return publish(http, key, body);
        }
    }

    @Test
    void overItsRateAPublishIsRefused() throws Exception {
        try (RawHttp http = gateway.backendSocket()) {
            // All its targets come through together, and are paid for later.
            Answer taken = publish(http, SLOW, "{\"topics\":[\"rate:1\",\"rate:2\"],\"data\":1}");
            assertEquals(200, taken.status(), taken.body());
            Answer refused = publish(http, SLOW, "{\"topic\":\"rate:1\",\"data\":2}");
            assertEquals(429, refused.status(), refused.body());
            assertEquals("application/problem+json", refused.header("content-type"));
            assertTrue(refused.body().contains("\"code\":\"rate_limited\""), refused.body());
            assertTrue(refused.body().contains("API key 'slow' is over its rate: nothing was published"));
            int seconds = Integer.parseInt(refused.header("retry-after"));
            assertTrue(seconds > 3600 && seconds <= 7200, "two targets at one an hour: " + seconds);
            // Mistakes are told first, and the connection lives.
            assertEquals(400, publish(http, SLOW, "{}").status());
            assertEquals(
                    429,
                    publish(http, SLOW, "{\"topic\":\"rate:1\",\"data\":2}").status());
        }
        assertEquals(1, topicOffset("rate:1"));
        assertEquals(2, gateway.metric("barrage_key_limited_total{how=\"refused\",key=\"slow\""));
        assertEquals(0, gateway.metric("barrage_key_limited_total{how=\"refused\",key=\"steady\""));
    }

    /** The offset of a topic's last message: the next one's, less one. */
    private static long topicOffset(String topic) throws IOException {
        String answer = publish(OLD, "{\"topic\":\"" + topic + "\",\"data\":0}").body();
        return Long.parseLong(GatewayUnderTest.find("\"offset\":(\\d+)", answer)) - 1;
    }

    @Test
    void overItsRateAStreamIsReadMoreSlowly() throws Exception {
        int count = 400;
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i <= count; i++) {
            lines.append("{\"topic\":\"rate:stream\",\"data\":").append(i).append("}\n");
            if (i % 100 == 0) {
                lines.append("nonsense\n");
            }
        }
        // The last line may lack its newline; another request follows at once.
        lines.setLength(lines.length() - "\nnonsense\n".length());
        try (RawHttp http = gateway.backendSocket()) {
            // Each of its line ends is two characters there.
            int length = lines.length() + count + 2;
            http.say(head(STEADY, "application/x-ndjson", length) + lines + "GET /livez HTTP/1.1\nHost: a\n\n");
            String[] answers = http.answer().body().lines().toArray(String[]::new);
            assertEquals(count + 3, answers.length);
            int offset = 0;
            for (int i = 0; i < answers.length; i++) {
                assertTrue(answers[i].startsWith("{\"line\":" + (i + 1) + ","), answers[i]);
                if (i % 101 == 100) {
                    assertTrue(answers[i].contains("\"code\":\"bad_request\""), answers[i]);
                } else {
                    assertTrue(answers[i].endsWith("\"offset\":" + ++offset + "}"), answers[i]);
                }
            }
            assertEquals("ok\n", http.answer().body());
        }
        assertTrue(gateway.metric("barrage_key_limited_total{how=\"slowed\",key=\"steady\"") > 0);
        assertEquals(0, gateway.metric("barrage_key_limited_total{how=\"refused\",key=\"steady\""));
    }

    @Test
    void aStreamThatWaitsIsNotReadAndMayEnd() throws Exception {
        try (RawHttp http = gateway.backendSocket()) {
            String line = "{\"topic\":\"rate:stalled\",\"data\":1}\n";
            http.say(head(STALLED, "application/x-ndjson", 100 * line.length()) + line.repeat(3));
            http.begin();
            assertTrue(http.chunk().startsWith("{\"line\":1,"));
            GatewayUnderTest.await(
                    "it waits", () -> gateway.metric("barrage_key_limited_total{how=\"slowed\",key=\"stalled\"") >= 1);
        }
        // Closing the gateway looks whether something was left of it.
        assertEquals(1, topicOffset("rate:stalled"));
    }

    @Test
    void aKeyPublishesToItsTopicsOnly() throws Exception {
        assertEquals(200, publish(SCORES, "{\"topic\":\"score:7\",\"data\":1}").status());
        assertEquals(200, publish(SCORES, "{\"topic\":\"news\",\"data\":1}").status());
        Answer refused = publish(SCORES, "{\"topic\":\"room:7\",\"data\":1}");
        assertEquals(403, refused.status());
        assertTrue(
                refused.body()
                        .contains("\"code\":\"not_permitted\",\"detail\":\"API key 'scores' may not publish to"
                                + " 'room:7', but to [score:*, news]\""),
                refused.body());
        assertEquals(403, publish(SCORES, "{\"user\":\"u7\",\"data\":1}").status());
        assertEquals(
                403,
                publish(SCORES, "{\"topic\":\"room:7\",\"key\":\"a\",\"merge\":\"sum\",\"data\":1}")
                        .status());
        String many = publish(SCORES, "{\"topics\":[\"room:7\",\"score:8\"],\"data\":1}")
                .body();
        assertTrue(
                many.matches("\\{\"results\":\\[\\{\"topic\":\"room:7\",\"error\":\\{\"code\":\"not_permitted\".*"
                        + "\\{\"topic\":\"score:8\",\"epoch\":\"[a-z0-9]+\",\"offset\":1}]}"),
                many);
    }

    @Test
    void whileAKeyIsChangedBothAreTheSame() throws Exception {
        String body = "{\"topic\":\"rotation\",\"messageId\":\"m1\",\"data\":1}";
        assertTrue(publish(OLD, body).body().endsWith("\"offset\":1}"));
        assertTrue(publish(NEW, body).body().endsWith("\"offset\":1,\"duplicate\":true}"));
    }
}
