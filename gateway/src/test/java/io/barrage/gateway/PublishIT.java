package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What backends publish, in single requests and in streams, and who gets it. */
class PublishIT {
    private static final String STREAM =
            "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\n";

    /** A line may have a message's bytes and 4 KiB for what is around it. */
    private static final int MAX_LINE = 64 * 1024 + 4 * 1024;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("");
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    // ---------------------------------------------------------------- single requests

    @Test
    void oneTargetHasOneAnswer() throws Exception {
        HttpResponse<String> answer = gateway.post("/v1/publish", "{\"topic\":\"pub:one\",\"data\":{}}");
        assertEquals(200, answer.statusCode());
        assertEquals(
                "application/json", answer.headers().firstValue("content-type").orElse(""));
        assertTrue(
                answer.body().matches("\\{\"topic\":\"pub:one\",\"epoch\":\"[a-z0-9]{1,32}\",\"offset\":1}"),
                answer.body());
        HttpResponse<String> refused = gateway.post("/v1/publish", "{\"topic\":\"pub one\",\"data\":{}}");
        assertEquals(400, refused.statusCode());
        assertEquals(
                "application/problem+json",
                refused.headers().firstValue("content-type").orElse(""));
    }

    @Test
    void manyTargetsAreAnsweredInOrderAndEachByItself() throws Exception {
        HttpResponse<String> answer = gateway.post(
                "/v1/publish", "{\"topics\":[\"pub:b\",\"a b\",\"pub:a\",\"pub:b\",\"$user:x\"],\"data\":{}}");
        assertEquals(200, answer.statusCode());
        String epoch = "\"epoch\":\"[a-z0-9]+\",";
        assertTrue(
                answer.body()
                        .matches(
                                "\\{\"results\":\\[\\{\"topic\":\"pub:b\"," + epoch + "\"offset\":1},"
                                        + "\\{\"topic\":\"a b\",\"error\":\\{\"code\":\"bad_request\",\"message\":\"[^\"]+\"}},"
                                        + "\\{\"topic\":\"pub:a\"," + epoch + "\"offset\":1},"
                                        + "\\{\"topic\":\"pub:b\"," + epoch + "\"offset\":2},"
                                        + "\\{\"topic\":\"\\$user:x\",\"error\":\\{\"code\":\"bad_request\",\"message\":\"[^\"]+\"}}]}"),
                answer.body());
        assertTrue(gateway.post("/v1/publish", "{\"topics\":[\"pub:list\"],\"data\":1}")
                .body()
                .startsWith("{\"results\":["));
    }

    @Test
    void targetsMayBeAThousand() throws Exception {
        String topics =
                IntStream.range(0, 1000).mapToObj(i -> "\"pub:k" + i + "\"").collect(Collectors.joining(","));
        String body = gateway.post("/v1/publish", "{\"topics\":[" + topics + "],\"data\":1}")
                .body();
        assertEquals(1000, body.split("\"offset\":1}", -1).length - 1);
        assertEquals(
                400,
                gateway.post("/v1/publish", "{\"topics\":[" + topics + ",\"x\"],\"data\":1}")
                        .statusCode());
    }

    @Test
    void repeatsInAStreamAreAnsweredInTheirPlaces() throws Exception {
        String line = "{\"topic\":\"pub:again\",\"messageId\":\"m1\",\"data\":1}\n";
        String several = "{\"topics\":[\"pub:again\",\"pub:again2\",\"pub:again\"],\"messageId\":\"m2\",\"data\":1}\n";
        List<String> answers = gateway.postLines(line + line.replace("1}", "2}") + several + several + line)
                .body()
                .lines()
                .map(answer -> answer.replaceAll("\"epoch\":\"[a-z0-9]+\",", ""))
                .toList();
        String one = "\"topic\":\"pub:again\",\"offset\":1";
        String two = "{\"topic\":\"pub:again\",\"offset\":2";
        String other = "{\"topic\":\"pub:again2\",\"offset\":1";
        String again = ",\"duplicate\":true}";
        assertEquals(
                List.of(
                        "{\"line\":1," + one + "}",
                        "{\"line\":2," + one + again,
                        "{\"line\":3,\"results\":[" + two + "}," + other + "}," + two + again + "]}",
                        "{\"line\":4,\"results\":[" + two + again + "," + other + again + "," + two + again + "]}",
                        "{\"line\":5," + one + again),
                answers);
    }

    @Test
    void whatManyConnectionsRepeatAtATimeIsPublishedOnce() throws Exception {
        int count = 16;
        List<RawHttp> sockets = new ArrayList<>();
        try (RawWebSocket listener = gateway.subscriber("pub:race")) {
            for (int i = 0; i < count; i++) {
                sockets.add(gateway.backendSocket());
            }
            for (int round = 1; round <= 20; round++) {
                String body = "{\"topic\":\"pub:race\",\"messageId\":\"m" + round + "\",\"data\":1}";
                String request =
                        "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                                + body.length() + "\n\n" + body;
                // On both event loops, and nobody waits for another's answer.
                for (RawHttp socket : sockets) {
                    socket.say(request);
                }
                int firsts = 0;
                for (RawHttp socket : sockets) {
                    String answer = socket.answer().body();
                    assertTrue(answer.contains("\"offset\":" + round), answer);
                    firsts += answer.contains("\"duplicate\":true") ? 0 : 1;
                }
                assertEquals(1, firsts);
                assertTrue(listener.expect("message").contains("\"offset\":" + round + ","));
            }
        } finally {
            for (RawHttp socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void messageIdsRepeatTheFirstAnswer() throws Exception {
        try (RawWebSocket listener = gateway.subscriber("pub:id")) {
            String publish = "{\"topic\":\"pub:id\",\"messageId\":\"m1\",\"data\":1}";
            String first = gateway.post("/v1/publish", publish).body();
            assertEquals(
                    first.replace("}", ",\"duplicate\":true}"),
                    gateway.post("/v1/publish", publish).body());
            assertEquals(
                    first.replace("}", ",\"duplicate\":true}"),
                    gateway.post("/v1/publish", publish.replace("\"data\":1", "\"data\":2"))
                            .body());
            // An id is one topic's.
            assertTrue(gateway.post("/v1/publish", publish.replace("pub:id", "pub:id2"))
                    .body()
                    .endsWith("\"offset\":1}"));
            assertTrue(gateway.post("/v1/publish", publish.replace("m1", "m2"))
                    .body()
                    .endsWith("\"offset\":2}"));
            assertTrue(listener.expect("message").contains("\"offset\":1,"));
            assertTrue(listener.expect("message").contains("\"offset\":2,"));
        }
    }

    @Test
    void dataReachesSubscribersByteForByte() throws Exception {
        try (RawWebSocket listener = gateway.subscriber("pub:bytes")) {
            for (String data : List.of(
                    "{ \"b\" :1, \"a\":\t[ ] }",
                    "1e400",
                    "\"\\u0041\\/\u5f39\u5e55\ud83d\ude80\"",
                    "{\"a\":1,\"a\":2}",
                    "\"" + "x".repeat(125) + "\"",
                    "\"" + "y".repeat(65_000) + "\"")) {
                gateway.post(
                        "/v1/publish",
                        "{\"topic\":\"pub:bytes\",\"priority\":\"critical\",\"sender\":\"s\",\"data\": " + data + " }");
                String message = listener.expect("message");
                assertTrue(
                        message.endsWith(",\"sender\":\"s\",\"priority\":\"critical\",\"data\":" + data + "}"),
                        message);
            }
        }
    }

    @Test
    void userIsReachedOnAllConnectionsAndNobodyElse() throws Exception {
        try (RawWebSocket phone = gateway.webSocket("?user=u7");
                RawWebSocket laptop = gateway.webSocket("?topic=pub:room&user=u7");
                RawWebSocket other = gateway.webSocket("?user=u8");
                RawWebSocket nobody = gateway.webSocket("?topic=pub:room")) {
            phone.expect("subscribed");
            laptop.expect("subscribed");
            laptop.expect("subscribed");
            other.expect("subscribed");
            nobody.expect("subscribed");
            nobody.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"$user:u7\"}")
                    .expect("error");

            HttpResponse<String> answer = gateway.post("/v1/publish", "{\"user\":\"u7\",\"data\":\"private\"}");
            assertTrue(answer.body().startsWith("{\"topic\":\"$user:u7\",\"epoch\":"), answer.body());
            for (RawWebSocket socket : List.of(phone, laptop)) {
                String message = socket.expect("message");
                assertTrue(message.startsWith("{\"type\":\"message\",\"topic\":\"$user:u7\",\"offset\":1,"), message);
            }
            // The next thing that the others hear is this.
            gateway.post("/v1/publish", "{\"users\":[\"u8\",\"u9\"],\"data\":\"for u8\"}");
            gateway.publish("pub:room", "\"for the room\"");
            assertTrue(other.expect("message").endsWith("\"data\":\"for u8\"}"));
            assertTrue(nobody.expect("message").endsWith("\"data\":\"for the room\"}"));
            assertTrue(laptop.expect("message").endsWith("\"data\":\"for the room\"}"));
        }
    }

    // ---------------------------------------------------------------- streams

    private static void sayChunk(RawHttp http, String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        http.send((Integer.toHexString(bytes.length) + "\r\n" + text + "\r\n").getBytes(UTF_8));
    }

    private static String nextLine(RawHttp http) throws IOException {
        String chunk = http.chunk();
        assertTrue(chunk.endsWith("\n"), chunk);
        return chunk;
    }

    @Test
    void streamIsAnsweredWhileItIsOpen() throws Exception {
        try (RawHttp http = gateway.backendSocket().say(STREAM + "Transfer-Encoding: chunked\n\n");
                RawWebSocket listener = gateway.subscriber("pub:stream")) {
            RawHttp.Answer head = http.begin();
            assertEquals(200, head.status());
            assertEquals("application/x-ndjson", head.header("content-type"));
            assertEquals("chunked", head.header("transfer-encoding"));
            for (int i = 1; i <= 3; i++) {
                sayChunk(http, "{\"topic\":\"pub:stream\",\"data\":" + i + "}\n");
                assertTrue(nextLine(http).startsWith("{\"line\":" + i + ",\"topic\":\"pub:stream\",\"epoch\":"));
                assertTrue(listener.expect("message").endsWith("\"data\":" + i + "}"));
            }
            http.say("0\n\n");
            assertEquals("", http.chunk());
            // The connection lives on.
            http.say("GET /healthz HTTP/1.1\nHost: localhost\n\n");
            assertEquals(200, http.answer().status());
        }
    }

    @Test
    void badLinesAreAnsweredAndDontEndTheStream() throws Exception {
        String longest = "{\"topic\":\"pub:lines\",\"x\":\"" + "x".repeat(MAX_LINE) + "\",\"data\":1}";
        String body = "{\"topic\":\"pub:lines\",\"data\":1}\n" // 1
                + "oops\n"
                + "\n" // 3: blank
                + "  \t \r\n"
                + "{\"topic\":\"pub:lines\",\"data\":2}\r\n" // 5
                + longest + "\n"
                + "{\"topic\":\"a b\",\"data\":1}\n" // 7
                + "{\"topics\":[\"pub:lines\",\"a b\"],\"data\":3}\n"
                + "\u00ff\u00fe\n" // 9: fine as UTF-8, but no JSON
                + "{\"topic\":\"pub:lines\",\"data\":\"" + "x".repeat(64 * 1024) + "\"}\n"
                + "{\"topic\":\"pub:lines\",\"data\":4}"; // 11: without a newline
        try (RawHttp http = gateway.backendSocket()) {
            http.say(STREAM + "Content-Length: " + body.getBytes(UTF_8).length + "\n\n");
            http.send(body.getBytes(UTF_8));
            List<String> lines = http.answer().body().lines().toList();
            assertEquals(9, lines.size(), () -> String.join("\n", lines));
            assertTrue(
                    lines.get(0).matches("\\{\"line\":1,\"topic\":\"pub:lines\",\"epoch\":\"\\w+\",\"offset\":1}"),
                    lines.get(0));
            assertTrue(lines.get(1)
                    .startsWith("{\"line\":2,\"error\":{\"code\":\"bad_request\",\"message\":\"not JSON at line 1"));
            assertTrue(lines.get(2).matches("\\{\"line\":5,.*\"offset\":2}"), lines.get(2));
            assertTrue(lines.get(3).startsWith("{\"line\":6,\"error\":{\"code\":\"too_large\""), lines.get(3));
            assertTrue(
                    lines.get(4).startsWith("{\"line\":7,\"topic\":\"a b\",\"error\":{\"code\":\"bad_request\""),
                    lines.get(4));
            assertTrue(
                    lines.get(5)
                            .matches(
                                    "\\{\"line\":8,\"results\":\\[\\{.*\"offset\":3},\\{\"topic\":\"a b\",\"error\".*}]}"),
                    lines.get(5));
            assertTrue(lines.get(6).startsWith("{\"line\":9,\"error\""), lines.get(6));
            assertTrue(lines.get(7).startsWith("{\"line\":10,\"error\":{\"code\":\"too_large\""), lines.get(7));
            assertTrue(lines.get(8).matches("\\{\"line\":11,.*\"offset\":4}"), lines.get(8));
        }
    }

    @Test
    void linesMayBeCutAnywhere() throws Exception {
        String body = "{\"topic\":\"pub:cut\",\"data\":\"\u5f39\"}\r\n".repeat(5);
        try (RawHttp http = gateway.backendSocket().say(STREAM + "Transfer-Encoding: chunked\n\n")) {
            http.begin();
            for (byte b : body.getBytes(UTF_8)) {
                http.send(new byte[] {'1', '\r', '\n', b, '\r', '\n'});
            }
            http.say("0\n\n");
            for (int i = 1; i <= 5; i++) {
                assertTrue(nextLine(http).matches("\\{\"line\":" + i + ",.*\"offset\":" + i + "}\n"));
            }
            assertEquals("", http.chunk());
        }
    }

    @Test
    void streamIsAskedForWhereTheClientWaits() throws IOException {
        String line = "{\"topic\":\"pub:expect\",\"data\":1}\n";
        try (RawHttp http = gateway.backendSocket()) {
            http.say(STREAM + "Expect: 100-continue\nContent-Length: " + line.length() + "\n\n");
            assertEquals(100, http.answer().status());
            http.say(line.strip() + " ");
            assertTrue(http.answer().body().endsWith("\"offset\":1}\n"));
        }
    }

    @Test
    void oldClientsMayStream() throws IOException {
        String line = "{\"topic\":\"pub:old\",\"data\":1}\n";
        try (RawHttp http = gateway.backendSocket()) {
            http.say(STREAM.replace("1.1", "1.0") + "Content-Length: " + (2 * line.length()) + "\n\n");
            http.send(line.repeat(2).getBytes(UTF_8));
            RawHttp.Answer answer = http.answer();
            assertEquals("", answer.header("transfer-encoding"));
            assertEquals("close", answer.header("connection"));
            assertEquals(2, answer.body().lines().count());
        }
    }

    @Test
    void emptyStreamHasAnEmptyAnswer() throws IOException {
        try (RawHttp http = gateway.backendSocket()) {
            http.say(STREAM + "Content-Length: 0\n\n");
            assertEquals("", http.answer().body());
            http.say(STREAM + "Content-Length: 2\n\n\n");
            assertEquals("", http.answer().body());
        }
    }

    @Test
    void malformedStreamEndsWithoutAnEnd() throws IOException {
        try (RawHttp http = gateway.backendSocket().say(STREAM + "Transfer-Encoding: chunked\n\n")) {
            http.begin();
            sayChunk(http, "{\"topic\":\"pub:broken\",\"data\":1}\n");
            assertTrue(nextLine(http).endsWith("\"offset\":1}\n"));
            http.say("xyz\n");
            // Not the empty chunk of an orderly end.
            assertTrue(http.isEnded());
        }
    }

    @Test
    void requestsBehindAStreamAreAnsweredBehindIt() throws IOException {
        String line = "{\"topic\":\"pub:behind\",\"data\":1}\n";
        try (RawHttp http = gateway.backendSocket()) {
            String stream = STREAM + "Transfer-Encoding: chunked\n\n" + Integer.toHexString(line.length() + 1) + "\n"
                    + line + "\n0\n\n";
            http.say(stream + "GET /livez HTTP/1.1\nHost: localhost\n\n" + stream);
            assertTrue(http.answer().body().endsWith("\"offset\":1}\n"));
            assertEquals("ok\n", http.answer().body());
            assertTrue(http.answer().body().endsWith("\"offset\":2}\n"));
        }
    }

    @Test
    void streamThatBreaksOffLosesOnlyItsHalfLine() throws Exception {
        try (RawHttp http = gateway.backendSocket().say(STREAM + "Transfer-Encoding: chunked\n\n")) {
            http.begin();
            sayChunk(http, "{\"topic\":\"pub:off\",\"data\":1}\n{\"topic\":\"pub:off\",\"data\":2}");
            assertTrue(nextLine(http).endsWith("\"offset\":1}\n"));
            http.socket().shutdownOutput();
            assertTrue(http.isEnded());
        }
        assertEquals(2, gateway.publish("pub:off", "3"));
    }
}
