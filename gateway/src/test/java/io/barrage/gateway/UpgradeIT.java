package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.TEXT;
import static io.barrage.gateway.RawWebSocket.frame;
import static io.barrage.gateway.RawWebSocket.upgrade;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.RawHttp.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How WebSocket connections begin, and what is refused in HTTP before they do. */
class UpgradeIT {
    private static GatewayUnderTest gateway;
    private static GatewayUnderTest production;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("limits: {subscriptionsPerConnection: 3}");
        production = GatewayUnderTest.start("profile: production\nauth: none");
    }

    @AfterAll
    static void stop() {
        gateway.close();
        production.close();
    }

    private static Answer refusal(GatewayUnderTest of, String request) throws IOException {
        try (RawHttp socket = of.clientsSocket()) {
            Answer answer = socket.say(request).answer();
            if (answer.header("connection").contains("close")) {
                assertTrue(socket.isEnded());
            } else {
                // Nothing was wrong with the connection: it can still become a WebSocket.
                RawWebSocket.upgraded(socket.say(upgrade(""))).expect("welcome");
            }
            return answer;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Upgrade: websocket, Upgrade: h2c",
        "Upgrade: websocket, X: y",
        "'Connection: keep-alive, Upgrade', Connection: keep-alive",
        "Sec-WebSocket-Version: 13, Sec-WebSocket-Version: 8",
        "Sec-WebSocket-Version: 13, X: y"
    })
    void plainHttpIsToldToUpgrade(String part, String instead) throws IOException {
        Answer answer = refusal(gateway, upgrade("").replace(part, instead));
        assertEquals(426, answer.status());
        assertEquals("13", answer.header("sec-websocket-version"));
        assertEquals("websocket", answer.header("upgrade"));
        assertEquals("upgrade", answer.header("connection"));
        assertTrue(answer.body().contains("\"code\":\"upgrade_required\""), answer.body());
        assertTrue(answer.body().contains("WebSocket"), answer.body());
    }

    @Test
    void browserThatOpensTheUrlIsToldWhatToDo() throws IOException {
        Answer answer = refusal(gateway, "GET /ws HTTP/1.1\nHost: localhost\n\n");
        assertEquals(426, answer.status());
        assertTrue(answer.body().contains("new WebSocket("), answer.body());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Sec-WebSocket-Key: x",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=",
                "Sec-WebSocket-Key: ====",
                "X: y"
            })
    void badKeysAreRefused(String key) throws IOException {
        Answer answer = refusal(gateway, upgrade("").replace("Sec-WebSocket-Key: " + RawWebSocket.KEY, key));
        assertEquals(400, answer.status());
        assertTrue(answer.body().contains("Sec-WebSocket-Key"), answer.body());
    }

    @Test
    void malformedUpgradesAreRefused() throws IOException {
        assertEquals(
                400,
                refusal(gateway, upgrade("", "Sec-WebSocket-Key: " + RawWebSocket.KEY))
                        .status());
        assertEquals(
                400,
                refusal(gateway, upgrade("").replace("HTTP/1.1", "HTTP/1.0")).status());
        assertEquals(
                400, refusal(gateway, upgrade("", "Content-Length: 3") + "abc").status());
        assertEquals(
                400,
                refusal(gateway, upgrade("", "Transfer-Encoding: chunked") + "0\n\n")
                        .status());
        assertEquals(405, refusal(gateway, upgrade("").replace("GET", "POST")).status());
        assertEquals(400, refusal(gateway, upgrade("?topic=%zz")).status());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Sec-WebSocket-Protocol: barrage.v1",
                "Sec-WebSocket-Protocol: chat, barrage.v1",
                "Sec-WebSocket-Protocol:barrage.v1,token.abc",
                "Sec-WebSocket-Protocol: chat\nSec-WebSocket-Protocol: barrage.v1"
            })
    void subprotocolIsEchoed(String offer) throws IOException {
        try (RawHttp socket = gateway.clientsSocket()) {
            Answer answer = socket.say(upgrade("", offer)).answer();
            assertEquals(101, answer.status());
            assertEquals("barrage.v1", answer.header("sec-websocket-protocol"));
        }
    }

    @Test
    void withoutAnOfferNoSubprotocolIsNamed() throws IOException {
        try (RawHttp socket = gateway.clientsSocket()) {
            Answer answer = socket.say(upgrade("")).answer();
            assertEquals(101, answer.status());
            assertEquals("", answer.header("sec-websocket-protocol"));
            assertEquals("", answer.header("sec-websocket-extensions"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat", "barrage.v2", "barrage.v1x", "Barrage.V1", ""})
    void otherSubprotocolsAreRefused(String offer) throws IOException {
        Answer answer = refusal(gateway, upgrade("", "Sec-WebSocket-Protocol: " + offer));
        assertEquals(400, answer.status());
        assertTrue(answer.body().contains("barrage.v1"), answer.body());
    }

    @ParameterizedTest
    @CsvSource({
        "http://localhost, 101",
        "HTTP://LOCALHOST, 101",
        "https://localhost, 101",
        "http://localhost:81, 403",
        "http://evil.example, 403",
        "http://localhost.evil.example, 403",
        "http://localhost@evil.example, 403",
        "null, 403",
        "'', 403",
        "nonsense, 403"
    })
    void foreignPagesMayNotConnectOutsideOfDevelopment(String origin, int status) throws IOException {
        try (RawHttp socket = production.clientsSocket()) {
            Answer answer = socket.say(upgrade("", "Origin: " + origin)).answer();
            assertEquals(status, answer.status());
        }
        try (RawHttp socket = gateway.clientsSocket()) {
            assertEquals(
                    101, socket.say(upgrade("", "Origin: " + origin)).answer().status());
        }
    }

    @Test
    void listedPagesMayConnect() throws IOException {
        try (GatewayUnderTest listed = GatewayUnderTest.start("profile: production\nauth: none\nclients:\n"
                + "  {host: 127.0.0.1, port: 0, origins: ['https://live.example', 'http://x:81']}")) {
            assertEquals(101, status(listed, "https://live.example"));
            assertEquals(101, status(listed, "https://LIVE.example"));
            assertEquals(101, status(listed, "http://x:81"));
            assertEquals(403, status(listed, "http://localhost"));
            assertEquals(403, status(listed, "http://live.example"));
            assertEquals(403, status(listed, "https://live.example.evil"));
        }
    }

    private static int status(GatewayUnderTest of, String origin) throws IOException {
        try (RawHttp socket = of.clientsSocket()) {
            return socket.say(upgrade("", "Origin: " + origin)).answer().status();
        }
    }

    @Test
    void welcomeIsFirstAndThenEachTopicsSubscribed() throws IOException {
        try (RawWebSocket socket =
                RawWebSocket.open(gateway.clientsPort(), "?topic=up:1&topic=up:2&user=u7;x&topic=up%3A3")) {
            String welcome = socket.expect("welcome");
            assertTrue(
                    welcome.contains("\"user\":\"u7;x\",\"protocol\":\"barrage.v1\",\"heartbeatMs\":25000"), welcome);
            for (String topic : new String[] {"up:1", "up:2", "up:3", "$user:u7;x"}) {
                String subscribed = socket.expect("subscribed");
                assertTrue(subscribed.contains("\"topic\":\"" + topic + "\""), subscribed);
            }
        }
    }

    @Test
    void connectionsHaveDifferentIds() throws IOException {
        try (RawWebSocket one = RawWebSocket.open(gateway.clientsPort(), "");
                RawWebSocket two = RawWebSocket.open(gateway.clientsPort(), "")) {
            String first = GatewayUnderTest.find("\"connection\":\"([^\"]+)\"", one.expect("welcome"));
            String second = GatewayUnderTest.find("\"connection\":\"([^\"]+)\"", two.expect("welcome"));
            assertTrue(!first.equals(second), first);
        }
    }

    @Test
    void mistakesInTheQueryAreToldInFrames() throws IOException {
        try (RawWebSocket socket =
                gateway.webSocket("?topic=a+b&topic=up:1&topic=up:1&since=nonsense&topic=$user:u8")) {
            assertTrue(socket.expect("error").contains("topic@epoch:offset"));
            assertTrue(socket.expect("error").contains("' ' at 1"));
            assertTrue(socket.expect("subscribed").contains("\"topic\":\"up:1\""));
            assertTrue(socket.expect("error").contains("\"topic\":\"up:1\",\"code\":\"already_subscribed\""));
            assertTrue(socket.expect("error").contains("reserved"));
            socket.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void badUserIsToldAndClosed() throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=a/b")) {
            assertTrue(socket.expect("error").contains("'/' at 1"));
            assertEquals("bad_request", socket.expectClose(4400));
        }
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=a&user=b")) {
            assertTrue(socket.expect("error").contains("more than once"));
            socket.expectClose(4400);
        }
    }

    @Test
    void userIsNotTakenFromTheQueryOutsideOfDevelopment() throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(production.clientsPort(), "?user=u7")) {
            assertTrue(!socket.expect("welcome").contains("user"));
            socket.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void framesInTheUpgradesPacketComeAfterTheWelcome() throws IOException {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.writeBytes(upgrade("?topic=up:same").replace("\n", "\r\n").getBytes(UTF_8));
        packet.writeBytes(frame(FIN | PING, "hello"));
        packet.writeBytes(frame(FIN | TEXT, "{\"type\":\"ping\",\"id\":7}"));
        byte[] cut = frame(FIN | TEXT, "{\"type\":\"ping\",\"id\":8}");
        packet.write(cut, 0, 9);
        try (RawHttp http = gateway.clientsSocket().send(packet.toByteArray())) {
            RawWebSocket socket = RawWebSocket.upgraded(http);
            socket.expect("welcome");
            socket.expect("subscribed");
            socket.expectPong("hello");
            assertEquals("{\"type\":\"pong\",\"id\":7,\"online\":{\"up:same\":1}}", socket.text());
            http.send(java.util.Arrays.copyOfRange(cut, 9, cut.length));
            assertEquals("{\"type\":\"pong\",\"id\":8,\"online\":{\"up:same\":1}}", socket.text());
        }
    }

    @Test
    void violationInTheUpgradesPacketComesAfterTheWelcome() throws IOException {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.writeBytes(upgrade("").replace("\n", "\r\n").getBytes(UTF_8));
        packet.writeBytes(new byte[] {(byte) 0x81, 1, 'x'});
        try (RawHttp http = gateway.clientsSocket().send(packet.toByteArray())) {
            RawWebSocket socket = RawWebSocket.upgraded(http);
            socket.expect("welcome");
            socket.expectClose(1002);
        }
    }

    @Test
    void upgradeBehindOtherRequestsInTheSamePacket() throws IOException {
        String requests = "GET /nothing HTTP/1.1\nHost: localhost\n\n".repeat(3);
        try (RawHttp http = gateway.clientsSocket().say(requests + upgrade("?topic=up:behind"))) {
            for (int i = 0; i < 3; i++) {
                assertEquals(404, http.answer().status());
            }
            RawWebSocket socket = RawWebSocket.upgraded(http);
            socket.expect("welcome");
            socket.expect("subscribed");
            assertEquals(1, publishUp());
            assertTrue(socket.expect("message").contains("\"offset\":1"));
        }
    }

    private static long publishUp() throws IOException {
        try {
            return gateway.publish("up:behind", "1");
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void upgradeMayComeByteByByte() throws IOException {
        try (RawHttp http = gateway.clientsSocket()) {
            for (byte b : upgrade("?topic=up:slow").replace("\n", "\r\n").getBytes(UTF_8)) {
                http.send(new byte[] {b});
            }
            RawWebSocket socket = RawWebSocket.upgraded(http);
            socket.expect("welcome");
            socket.expect("subscribed");
        }
    }

    @Test
    void subscriptionsOfOneConnectionAreLimited() throws IOException {
        try (RawWebSocket socket = gateway.webSocket("?topic=up:1&topic=up:2&topic=up:3&topic=up:4")) {
            for (int i = 0; i < 3; i++) {
                socket.expect("subscribed");
            }
            assertTrue(socket.expect("error").contains("\"topic\":\"up:4\",\"code\":\"too_many_subscriptions\""));
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"up:5\"}");
            assertTrue(
                    socket.expect("error").contains("\"id\":1,\"topic\":\"up:5\",\"code\":\"too_many_subscriptions\""));
            socket.say("{\"type\":\"unsubscribe\",\"id\":2,\"topic\":\"up:1\"}").expect("unsubscribed");
            socket.say("{\"type\":\"subscribe\",\"id\":3,\"topic\":\"up:5\"}").expect("subscribed");
        }
    }

    @Test
    void connectionsAreLimited() throws Exception {
        try (GatewayUnderTest small = GatewayUnderTest.start("limits: {connections: 2}")) {
            RawWebSocket one = small.webSocket("");
            RawWebSocket two = small.webSocket("");
            try (RawWebSocket three = RawWebSocket.open(small.clientsPort(), "?topic=a&user=u7")) {
                String reason = three.expectClose(4429);
                assertTrue(reason.matches("too_many_connections retryAfterMs=\\d{4}"), reason);
            }
            one.close();
            GatewayUnderTest.await("one left", () -> small.metric("barrage_connections") == 1);
            try (RawWebSocket four = small.webSocket("")) {
                four.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
            }
            two.close();
            GatewayUnderTest.await("all left", () -> small.metric("barrage_connections") == 0);
            assertEquals(1, small.metric("barrage_closes_total{code=\"4429\""));
        }
    }
}
