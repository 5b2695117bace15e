package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.RawHttp.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/1.1 at both doors: what is refused and how, and what becomes of the connection. */
class HttpDoorIT {
    private static final String PUBLISH =
            "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\n";

    private static GatewayUnderTest gateway;
    /** For the tests of what takes too long. */
    private static GatewayUnderTest hurried;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("limits: {bodyBytes: 128KiB}");
        hurried = GatewayUnderTest.start("limits: {requestTimeout: 1s, keepAliveTimeout: 2s}");
    }

    @AfterAll
    static void stop() {
        gateway.close();
        hurried.close();
    }

    private static String publish(String json) {
        return PUBLISH + "Content-Length: " + json.getBytes(UTF_8).length + "\n\n" + json;
    }

    private static String request(String method, String path, String... headers) {
        StringBuilder text = new StringBuilder(method + ' ' + path + " HTTP/1.1\nHost: localhost\n");
        for (String header : headers) {
            text.append(header).append('\n');
        }
        return text.append('\n').toString();
    }

    private static void assertProblem(int status, String code, String detail, Answer answer) {
        assertEquals(status, answer.status(), answer.body());
        assertEquals("application/problem+json", answer.header("content-type"));
        assertTrue(answer.body().contains("\"code\":\"" + code + "\""), answer.body());
        assertTrue(answer.body().contains("\"status\":" + status), answer.body());
        assertTrue(answer.body().contains(detail), answer.body());
    }

    // ---------------------------------------------------------------- refusals

    @Test
    void unknownPathsSayWhatThereIs() throws IOException {
        try (RawHttp backend = gateway.backendSocket();
                RawHttp clients = gateway.clientsSocket()) {
            backend.say(request("GET", "/v1/publsh"));
            assertProblem(404, "not_found", "/v1/publish", backend.answer());
            clients.say(request("GET", "/v1/publish"));
            assertProblem(404, "not_found", "the backend's listener, on another port", clients.answer());
            clients.say(request("GET", "/chat"));
            assertProblem(404, "not_found", "WebSocket clients connect to /ws", clients.answer());
            clients.say("GET /%1b[31m" + "x".repeat(500) + " HTTP/1.1\nHost: localhost\n\n");
            Answer long404 = clients.answer();
            assertProblem(404, "not_found", "\\\\u001b[31mxxx", long404);
            assertTrue(long404.body().length() < 400, long404.body());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v1/publish, POST",
        "DELETE, /v1/publish, POST",
        "POST, /metrics, 'GET, HEAD'",
        "PUT, /v1/node, 'GET, HEAD'",
        "GET, /v1/node/drain, POST",
        "BREW, /healthz, 'GET, HEAD'"
    })
    void wrongMethodsSayWhichAreRight(String method, String path, String allowed) throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(method + " " + path + " HTTP/1.1\nHost: localhost\n\n");
            Answer answer = backend.answer();
            assertProblem(405, "method_not_allowed", "it takes " + allowed, answer);
            assertEquals(allowed, answer.header("allow"));
            // Nothing was wrong with the connection.
            backend.say(request("GET", "/healthz"));
            assertEquals(200, backend.answer().status());
        }
    }

    @Test
    void badJsonIsRefusedWithItsPlaceAndTheConnectionLives() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(publish("{\"topic\":\"a\",\"data\":oops}"));
            Answer answer = backend.answer();
            assertProblem(400, "bad_request", "not JSON at line 1, column 21", answer);
            assertEquals("", answer.header("connection"));
            backend.say(publish("{\"topic\":\"http:after\",\"data\":1}"));
            assertEquals(200, backend.answer().status());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x"})
    void otherContentTypesAreRefused(String type) throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("POST /v1/publish HTTP/1.1\nHost: localhost\n"
                    + (type.isEmpty() ? "" : "Content-Type: " + type + "\n") + "Content-Length: 2\n\n{}");
            assertProblem(415, "unsupported_media_type", "application/x-ndjson", backend.answer());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json; charset=utf-8", "Application/JSON", "application/json;x=y"})
    void contentTypesMayHaveParameters(String type) throws IOException {
        String json = "{\"topic\":\"http:type\",\"data\":1}";
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: " + type + "\nContent-Length: "
                    + json.length() + "\n\n" + json);
            assertEquals(200, backend.answer().status());
        }
    }

    @Test
    void compressedBodiesAreRefused() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(PUBLISH + "Content-Encoding: gzip\nContent-Length: 2\n\n{}");
            assertProblem(415, "unsupported_media_type", "Content-Encoding", backend.answer());
        }
    }

    @Test
    void drainTakesNothingThatAFormSends() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            String form = "Content-Type: application/x-www-form-urlencoded\nContent-Length: 0";
            backend.say(request("POST", "/v1/node/drain", form));
            assertProblem(415, "unsupported_media_type", "no body", backend.answer());
            backend.say(request("GET", "/readyz"));
            assertEquals(200, backend.answer().status());
        }
    }

    @Test
    void bodyOverTheLimitIsRefusedBeforeItIsSent() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(PUBLISH + "Content-Length: 131073\n\n");
            assertProblem(413, "too_large", "131072 bytes", backend.answer());
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void bodyOverTheLimitIsRefusedWhileItIsSent() throws Exception {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(PUBLISH + "Content-Length: 8000000\n\n");
            // All of it: the answer must arrive though nobody wants the rest.
            backend.send(new byte[8_000_000]);
            assertProblem(413, "too_large", "131072 bytes", backend.answer());
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void chunkedBodyOverTheLimitIsRefused() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(PUBLISH + "Transfer-Encoding: chunked\n\n");
            byte[] chunk = ("8000\r\n" + "x".repeat(0x8000) + "\r\n").getBytes(ISO_8859_1);
            for (int i = 0; i < 40; i++) {
                backend.send(chunk);
            }
            Answer answer = backend.answer();
            assertProblem(413, "too_large", "131072 bytes", answer);
            assertEquals("close", answer.header("connection"));
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void bodyOfExactlyTheLimitIsTaken() throws IOException {
        String start = "{\"topic\":\"http:exact\",\"x\":\"";
        String end = "\",\"data\":1}";
        String json = start + "x".repeat(128 * 1024 - start.length() - end.length()) + end;
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(publish(json));
            assertEquals(200, backend.answer().status());
            backend.say(publish(json + " "));
            assertEquals(413, backend.answer().status());
        }
    }

    @Test
    void messageOverItsLimitIsRefused() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            String data = "\"" + "x".repeat(64 * 1024 - 2) + "\"";
            backend.say(publish("{\"topic\":\"http:big\",\"data\":" + data + "}"));
            assertEquals(200, backend.answer().status());
            backend.say(publish("{\"topic\":\"http:big\",\"data\": 1" + "1".repeat(64 * 1024) + "}"));
            assertProblem(413, "too_large", "at most 65536 bytes, this has 65537", backend.answer());
        }
    }

    @Test
    void tooLongLinesAndHeadersAreRefused() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("GET /" + "x".repeat(16 * 1024) + " HTTP/1.1\nHost: localhost\n\n");
            assertProblem(414, "uri_too_long", "16384", backend.answer());
            assertTrue(backend.isEnded());
        }
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("GET /healthz HTTP/1.1\nHost: localhost\nX: " + "x".repeat(16 * 1024) + "\n\n");
            assertProblem(431, "headers_too_large", "16384", backend.answer());
            assertTrue(backend.isEnded());
        }
        try (RawHttp backend = gateway.backendSocket()) {
            StringBuilder many = new StringBuilder("GET /healthz HTTP/1.1\nHost: localhost\n");
            for (int i = 0; i < 2000; i++) {
                many.append("X-").append(i).append(": x\n");
            }
            backend.say(many + "\n");
            assertProblem(431, "headers_too_large", "16384", backend.answer());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /healthz HTTP/1.1\n\n",
                "GET /healthz HTTP/1.1\nHost: a\nHost: b\n\n",
                "GET /healthz\n\n",
                "GET  HTTP/1.1\nHost: localhost\n\n",
                "nonsense\n\n",
                "GET /healthz HTTP/1.1\nHost: localhost\nno colon\n\n",
                "GET /healthz HTTP/1.1\nHost: localhost\nA b: c\n\n",
                "GET /healthz HTTP/1.1\nHost : localhost\n\n",
                "GET /%zz HTTP/1.1\nHost: localhost\n\n",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Length: -1\n\n",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Length: 1x\n\n",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Length: 2\nContent-Length: 3\n\n{}",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nTransfer-Encoding: gzip\n\n",
                "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\nxyz\n",
                "GET http://elsewhere/healthz HTTP/1.1\nHost: localhost\n\n",
                "GET /healthz HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}"
            })
    void whatIsNoGoodRequestIsRefused(String request) throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(request);
            assertProblem(400, "bad_request", "", backend.answer());
        }
    }

    @Test
    void absoluteTargetsAreTaken() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("GET http://LOCALHOST/healthz?x HTTP/1.1\nHost: localhost\n\n");
            assertEquals("ok\n", backend.answer().body());
        }
    }

    // ---------------------------------------------------------------- methods and versions

    @Test
    void headHasTheLengthAndNoBody() throws IOException {
        try (RawHttp backend = gateway.backendSocket();
                RawHttp clients = gateway.clientsSocket()) {
            backend.say(request("HEAD", "/healthz") + request("HEAD", "/nothing") + request("GET", "/healthz"));
            assertEquals("3", backend.head().header("content-length"));
            Answer missing = backend.head();
            assertEquals(404, missing.status());
            assertTrue(Integer.parseInt(missing.header("content-length")) > 50);
            assertEquals("ok\n", backend.answer().body());

            clients.say(request("HEAD", "/client/barrage.js"));
            String length = clients.head().header("content-length");
            clients.say(request("GET", "/client/barrage.js"));
            assertEquals(length, clients.answer().header("content-length"));
        }
    }

    @Test
    void filesMayBeLoadedByAllowedPages() throws IOException {
        try (RawHttp clients = gateway.clientsSocket()) {
            clients.say(request("GET", "/client/barrage.js", "Origin: https://live.example"));
            Answer answer = clients.answer();
            assertEquals("https://live.example", answer.header("access-control-allow-origin"));
            assertEquals("origin", answer.header("vary"));
            assertEquals("text/javascript; charset=utf-8", answer.header("content-type"));
            clients.say(request("GET", "/client/barrage.js"));
            assertEquals("", clients.answer().header("access-control-allow-origin"));
        }
    }

    @Test
    void filesAreNotSentTwice() throws IOException {
        try (RawHttp clients = gateway.clientsSocket()) {
            clients.say(request("GET", "/client/barrage.js"));
            String tag = clients.answer().header("etag");
            clients.say("GET /client/barrage.js HTTP/1.1\nHost: localhost\nIf-None-Match: " + tag + "\n\n");
            Answer unchanged = clients.answer();
            assertEquals(304, unchanged.status());
            assertEquals("", unchanged.header("content-length"));
            clients.say(request("GET", "/client/barrage.js"));
            assertEquals(200, clients.answer().status());
        }
    }

    @Test
    void oldClientsAreAnsweredAndClosed() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("GET /healthz HTTP/1.0\nHost: localhost\n\n");
            Answer answer = backend.answer();
            assertEquals("ok\n", answer.body());
            assertEquals("close", answer.header("connection"));
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void oldClientsMayKeepTheConnection() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            for (int i = 0; i < 3; i++) {
                backend.say("GET /healthz HTTP/1.0\nHost: localhost\nConnection: keep-alive\n\n");
                Answer answer = backend.answer();
                assertEquals("ok\n", answer.body());
                assertEquals("keep-alive", answer.header("connection"));
            }
        }
    }

    @Test
    void closesWhenAsked() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n");
            Answer answer = backend.answer();
            assertEquals(200, answer.status());
            assertEquals("close", answer.header("connection"));
            assertTrue(backend.isEnded());
        }
    }

    // ---------------------------------------------------------------- bodies

    @Test
    void bodyIsAskedForWhereTheClientWaits() throws IOException {
        String json = "{\"topic\":\"http:expect\",\"data\":1}";
        try (RawHttp backend = gateway.backendSocket()) {
            for (int i = 0; i < 2; i++) {
                backend.say(PUBLISH + "Expect: 100-continue\nContent-Length: " + json.length() + "\n\n");
                assertEquals(100, backend.answer().status());
                backend.say(json);
                assertEquals(200, backend.answer().status());
            }
        }
    }

    @Test
    void bodyIsNotAskedForIfItWillBeRefused() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(PUBLISH + "Expect: 100-continue\nContent-Length: 99999999\n\n");
            assertEquals(413, backend.answer().status());
            assertTrue(backend.isEnded());
        }
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say("POST /nothing HTTP/1.1\nHost: localhost\nExpect: 100-continue\nContent-Length: 5\n\n");
            assertEquals(404, backend.answer().status());
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void bodyMayComeByteByByte() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            for (byte b : publish("{\"topic\":\"http:bytes\",\"data\":\"\u5f39\"}")
                    .replace("\n", "\r\n")
                    .getBytes(UTF_8)) {
                backend.send(new byte[] {b});
            }
            assertEquals(200, backend.answer().status());
            String chunked = PUBLISH
                    + "Transfer-Encoding: chunked\n\n8;x=y\n{\"topic\"\n12\n:\"http:bytes\",\"dat\n5\na\":1}\n0\nX: y\n\n";
            for (byte b : chunked.replace("\n", "\r\n").getBytes(UTF_8)) {
                backend.send(new byte[] {b});
            }
            assertEquals(200, backend.answer().status());
        }
    }

    // ---------------------------------------------------------------- many requests on one connection

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        List<String> requests = new ArrayList<>();
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            switch (i % 6) {
                case 0 -> add(requests, statuses, publish("{\"topic\":\"http:pipe\",\"data\":" + i + "}"), 200);
                // Answered by another loop: what follows waits.
                case 1 -> add(requests, statuses, request("GET", "/livez"), 200);
                case 2 -> add(requests, statuses, request("GET", "/nothing"), 404);
                case 3 -> add(requests, statuses, publish("{\"topic\":\"a b\",\"data\":1}"), 400);
                case 4 -> add(requests, statuses, request("DELETE", "/metrics"), 405);
                default -> add(requests, statuses, request("GET", "/v1/node"), 200);
            }
        }
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(String.join("", requests));
            List<Integer> answered = new ArrayList<>();
            long offset = 0;
            for (int i = 0; i < requests.size(); i++) {
                Answer answer = backend.answer();
                answered.add(answer.status());
                if (i % 6 == 0) {
                    long next = Long.parseLong(GatewayUnderTest.find("\"offset\":(\\d+)", answer.body()));
                    assertEquals(offset + 1, next);
                    offset = next;
                }
            }
            assertEquals(statuses, answered);
        }
    }

    private static void add(List<String> requests, List<Integer> statuses, String request, int status) {
        requests.add(request);
        statuses.add(status);
    }

    @Test
    void answerBehindOneThatWaitedIsFlushed() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(request("GET", "/livez") + request("GET", "/nothing"));
            assertEquals(200, backend.answer().status());
            assertEquals(404, backend.answer().status());
        }
    }

    @Test
    void moreRequestsInAPacketThanAreHeldEndTheConnection() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(request("GET", "/livez").repeat(1000));
            int answers = 1;
            while (backend.answer().header("connection").isEmpty()) {
                answers++;
            }
            assertTrue(answers < 1000, "all were answered, so this test is about nothing");
            assertTrue(backend.isEnded());
        }
        try (RawHttp backend = gateway.backendSocket()) {
            // Those that are answered at once aren't held.
            backend.say(request("GET", "/nothing").repeat(1000));
            for (int i = 0; i < 1000; i++) {
                assertEquals(404, backend.answer().status());
            }
        }
    }

    @Test
    void requestBehindARefusedBodyIsNotAnswered() throws IOException {
        try (RawHttp backend = gateway.backendSocket()) {
            backend.say(request("POST", "/nothing", "Content-Length: 4") + "GET " + request("GET", "/healthz"));
            Answer answer = backend.answer();
            assertEquals(404, answer.status());
            assertEquals("close", answer.header("connection"));
            assertTrue(backend.isEnded());
        }
    }

    @Test
    void clientThatGoesAwayInTheMiddleIsForgotten() throws Exception {
        for (String begun : List.of(
                "GET /hea",
                PUBLISH,
                PUBLISH + "Content-Length: 10\n\n{\"to",
                PUBLISH + "Transfer-Encoding: chunked\n\n5\n{")) {
            try (RawHttp backend = gateway.backendSocket()) {
                backend.say(begun);
            }
        }
        assertEquals(200, gateway.get("/healthz").statusCode());
    }

    // ---------------------------------------------------------------- time

    @Test
    void halfRequestsAreTimedOut() throws IOException {
        List<RawHttp> sockets = new ArrayList<>();
        long start = System.nanoTime();
        for (String begun : List.of(
                "G",
                "GET /healthz HTTP/1.1\nHost: local",
                PUBLISH + "Content-Length: 10\n\n",
                PUBLISH + "Content-Length: 10\n\n{\"top",
                PUBLISH + "Transfer-Encoding: chunked\n\n5\n{")) {
            sockets.add(hurried.backendSocket().say(begun));
            // Also behind a whole one.
            RawHttp second = hurried.backendSocket().say(request("GET", "/healthz"));
            assertEquals(200, second.answer().status());
            sockets.add(second.say(begun));
            RawHttp inOnePacket = hurried.backendSocket().say(request("GET", "/healthz") + begun);
            assertEquals(200, inOnePacket.answer().status());
            sockets.add(inOnePacket);
        }
        for (RawHttp socket : sockets) {
            assertProblem(408, "request_timeout", "in time", socket.answer());
            assertTrue(socket.isEnded());
            socket.close();
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis >= 900, "too early: " + millis + " ms");
    }

    @Test
    void halfRequestAfterAnIdleTimeHasTheTimeOfRequests() throws Exception {
        try (GatewayUnderTest patient = GatewayUnderTest.start("limits: {requestTimeout: 1s, keepAliveTimeout: 60s}");
                RawHttp idle = patient.backendSocket().say(request("GET", "/healthz"));
                RawHttp clock = patient.backendSocket().say("G")) {
            assertEquals(200, idle.answer().status());
            // By now the other connection has been idle for the time of a request too.
            assertEquals(408, clock.answer().status());
            long start = System.nanoTime();
            idle.say("GET /hea");
            assertEquals(408, idle.answer().status());
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(millis >= 900 && millis < 10_000, millis + " ms");
        }
    }

    @Test
    void drippedHeadIsTimedOut() throws Exception {
        try (RawHttp backend = hurried.backendSocket()) {
            long start = System.nanoTime();
            backend.say("GET /healthz HTTP/1.1\nHost: localhost\n");
            backend.socket().setSoTimeout(50);
            int dripped = 0;
            while (true) {
                try {
                    Answer answer = backend.answer();
                    assertEquals(408, answer.status());
                    break;
                } catch (java.net.SocketTimeoutException nothingYet) {
                    assertTrue(++dripped < 200, "a head that never ends is never refused");
                    backend.say("X: y\n");
                }
            }
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(dripped > 0 && millis >= 900, "too early: " + millis + " ms");
        }
    }

    @Test
    void silentConnectionsAreClosedWithoutAWord() throws IOException {
        try (RawHttp fresh = hurried.backendSocket();
                RawHttp idle = hurried.clientsSocket()) {
            idle.say(request("GET", "/nothing"));
            assertEquals(404, idle.answer().status());
            assertTrue(fresh.isEnded());
            assertTrue(idle.isEnded());
        }
    }
}
