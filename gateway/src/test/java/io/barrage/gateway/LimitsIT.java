package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.PONG;
import static io.barrage.gateway.RawWebSocket.TEXT;
import static io.barrage.gateway.RawWebSocket.frame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whoever is over a limit is told so by a code of its own, is counted, and takes nothing from the others. */
class LimitsIT {
    private static final String PROXIED = "clients: {host: 127.0.0.1, port: 0, trustedProxies: [127.0.0.1]}\n";

    private static double limited(GatewayUnderTest gateway, String limit) throws Exception {
        return gateway.metric("barrage_limited_total{limit=\"" + limit + "\"");
    }

    private static RawWebSocket from(GatewayUnderTest gateway, String address, String query) throws Exception {
        return RawWebSocket.open(gateway.clientsPort(), query, "X-Forwarded-For: " + address);
    }

    /** About five seconds: not all at once. */
    private static void assertComesBackLater(String limit, String reason) {
        assertTrue(reason.matches(limit + " retryAfterMs=\\d{4}"), reason);
        int millis = Integer.parseInt(GatewayUnderTest.find("retryAfterMs=(\\d+)", reason));
        assertTrue(millis >= 2_500 && millis < 7_500, reason);
    }

    @Test
    void connectionsOfANode() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {connections: 1}");
                RawWebSocket one = gateway.webSocket("");
                RawWebSocket two = RawWebSocket.open(gateway.clientsPort(), "")) {
            assertComesBackLater("too_many_connections", two.expectClose(4429));
            assertEquals(1, limited(gateway, "connections"));
            one.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void connectionsOfAUser() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {connectionsPerUser: 2}");
                RawWebSocket other = gateway.webSocket("?user=u8");
                RawWebSocket nobody = gateway.webSocket("");
                RawWebSocket one = gateway.webSocket("?user=u7")) {
            try (RawWebSocket two = gateway.webSocket("?user=u7");
                    RawWebSocket three = RawWebSocket.open(gateway.clientsPort(), "?user=u7&topic=room:1")) {
                two.expect("subscribed");
                assertComesBackLater("too_many_connections_of_user", three.expectClose(4429));
            }
            assertEquals(1, limited(gateway, "connections_per_user"));
            assertEquals(1, gateway.metric("barrage_closes_total{code=\"4429\""));
            GatewayUnderTest.await("the second has left", () -> gateway.metric("barrage_connections") == 3);
            gateway.webSocket("?user=u7").close();
            one.expect("subscribed");
            other.expect("subscribed");
            nobody.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void connectionsOfAnAddress() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(PROXIED + "limits: {connectionsPerAddress: 1}");
                RawWebSocket local = gateway.webSocket("");
                RawWebSocket alsoLocal = gateway.webSocket("");
                RawWebSocket one = from(gateway, "203.0.113.7", "");
                RawWebSocket two = from(gateway, "203.0.113.8", "");
                // What the client has written itself stands before what the proxy adds.
                RawWebSocket spoofing = from(gateway, "198.51.100.1, 127.0.0.1, 203.0.113.7", "")) {
            one.expect("welcome");
            two.expect("welcome");
            assertComesBackLater("too_many_connections_of_address", spoofing.expectClose(4429));
            assertEquals(1, limited(gateway, "connections_per_address"));
            String list = gateway.get("/v1/connections").body();
            assertTrue(list.contains("203.0.113.7") && list.contains("203.0.113.8"), list);
            assertTrue(!list.contains("198.51.100.1"), list);
            local.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
            alsoLocal.say("{\"type\":\"ping\",\"id\":1}").expect("pong");

            gateway.reload(PROXIED + "limits: {connectionsPerAddress: 2}");
            try (RawWebSocket again = from(gateway, "203.0.113.7", "")) {
                again.expect("welcome");
            }
        }
    }

    @Test
    void loopbackCountsWhereToldTo() throws Exception {
        try (GatewayUnderTest gateway =
                        GatewayUnderTest.start("limits: {connectionsPerAddress: 1, countLoopback: true}");
                RawWebSocket one = gateway.webSocket("");
                // Nobody is believed without being trusted.
                RawWebSocket two = from(gateway, "203.0.113.7", "")) {
            assertComesBackLater("too_many_connections_of_address", two.expectClose(4429));
            one.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void handshakesOfANode() throws Exception {
        // A third one in an hour's twelfth part is as good as never.
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {handshakes: 12/h}");
                RawWebSocket one = gateway.webSocket("");
                RawHttp two = gateway.clientsSocket()) {
            RawHttp.Answer refused = two.say(RawWebSocket.upgrade("")).answer();
            assertEquals(503, refused.status());
            assertTrue(refused.body().contains("\"code\":\"overloaded\""), refused.body());
            int retryAfter = Integer.parseInt(refused.header("retry-after"));
            assertTrue(retryAfter >= 1 && retryAfter <= 5, refused.header("retry-after"));
            assertEquals(1, limited(gateway, "handshakes"));
            assertEquals(1, gateway.metric("barrage_upgrades_refused_total{code=\"overloaded\""));
            one.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
            gateway.reload("");
            // On the same connection: it was refused, not closed.
            two.say(RawWebSocket.upgrade(""));
            RawWebSocket.upgraded(two).expect("welcome");
        }
    }

    @Test
    void handshakesOfAnAddress() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(PROXIED + "limits: {handshakesPerAddress: 12/h}");
                RawWebSocket local = gateway.webSocket("");
                RawWebSocket one = from(gateway, "203.0.113.7", "");
                RawWebSocket other = from(gateway, "203.0.113.8", "");
                RawHttp two = gateway.clientsSocket()) {
            RawHttp.Answer refused = two.say(RawWebSocket.upgrade("", "X-Forwarded-For: 203.0.113.7"))
                    .answer();
            assertEquals(503, refused.status());
            assertEquals(1, limited(gateway, "handshakes_per_address"));
            gateway.webSocket("").close();
            one.expect("welcome");
            other.expect("welcome");
            local.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void whoSpeaksTooFastIsReadMoreSlowlyAndLosesNothing() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(
                        "limits: {requests: 50/s, inbound: none}\nnamespaces: [{name: room, publish: anyone}]");
                RawWebSocket socket = gateway.webSocket("")) {
            byte[][] pings = new byte[120][];
            for (int i = 0; i < pings.length; i++) {
                pings[i] = frame(FIN | PING, Integer.toString(i));
            }
            socket.send(pings);
            int answered = 0;
            List<String> told = new ArrayList<>();
            while (answered < pings.length) {
                RawWebSocket.Frame frame = socket.frame();
                if (frame.opcode() == PONG) {
                    assertEquals(Integer.toString(answered), frame.text());
                    answered++;
                } else {
                    told.add(frame.text());
                }
            }
            assertEquals(
                    List.of(
                            "{\"type\":\"error\",\"code\":\"rate_limited\",\"message\":\"more than 50/s frames that aren't"
                                    + " publishes: this connection is read more slowly\"}"),
                    told);
            assertTrue(limited(gateway, "requests") >= 1);
            // Publishes are none of them, however many they are.
            byte[][] publishes = new byte[500][];
            for (int i = 0; i < publishes.length; i++) {
                publishes[i] = frame(
                        FIN | TEXT, "{\"type\":\"publish\",\"id\":" + (i + 1) + ",\"topic\":\"room:1\",\"data\":1}");
            }
            double before = limited(gateway, "inbound");
            socket.send(publishes);
            for (int i = 0; i < publishes.length; i++) {
                assertTrue(socket.expect("published").contains("\"id\":" + (i + 1) + ","));
            }
            assertEquals(before, limited(gateway, "inbound"));
        }
    }

    @Test
    void publishesCountWhereFramesAreLimited() throws Exception {
        try (GatewayUnderTest gateway =
                        GatewayUnderTest.start("limits: {inbound: 20/s}\nnamespaces: [{name: room, publish: anyone}]");
                RawWebSocket socket = gateway.webSocket("")) {
            byte[][] publishes = new byte[30][];
            for (int i = 0; i < publishes.length; i++) {
                publishes[i] = frame(
                        FIN | TEXT, "{\"type\":\"publish\",\"id\":" + (i + 1) + ",\"topic\":\"room:1\",\"data\":1}");
            }
            socket.send(publishes);
            int published = 0;
            int told = 0;
            while (published < publishes.length) {
                String text = socket.text();
                if (text.contains("rate_limited")) {
                    told++;
                } else {
                    published++;
                    assertTrue(text.contains("\"offset\":" + published), text);
                }
            }
            assertEquals(1, told);
            assertTrue(limited(gateway, "inbound") >= 1);
        }
    }

    @Test
    void whoPublishesInALoopIsReadMoreSlowlyByDefault() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("namespaces: [{name: room, publish: anyone}]");
                RawWebSocket other = gateway.webSocket("");
                RawWebSocket socket = gateway.webSocket("")) {
            byte[][] publishes = new byte[3_000][];
            for (int i = 0; i < publishes.length; i++) {
                publishes[i] = frame(
                        FIN | TEXT, "{\"type\":\"publish\",\"id\":" + (i + 1) + ",\"topic\":\"room:1\",\"data\":1}");
            }
            socket.send(publishes);
            String text = socket.text();
            while (text.startsWith("{\"type\":\"published\"")) {
                text = socket.text();
            }
            assertTrue(text.contains("\"code\":\"rate_limited\"") && text.contains("more than 500/s frames"), text);
            assertTrue(limited(gateway, "inbound") >= 1);
            other.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void whoIsFarTooFastIsClosed() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {requests: 10/s}");
                RawWebSocket other = gateway.webSocket("");
                RawWebSocket socket = gateway.webSocket("")) {
            byte[][] pings = new byte[1_000][];
            java.util.Arrays.fill(pings, frame(FIN | PING, ""));
            socket.send(pings);
            RawWebSocket.Frame frame = socket.frame();
            while (frame.opcode() != RawWebSocket.CLOSE) {
                frame = socket.frame();
            }
            assertEquals(4429, frame.closeCode());
            assertComesBackLater("rate_limited", frame.closeReason());
            assertEquals(2, limited(gateway, "requests"), "a pause and the close");
            assertEquals(0, limited(gateway, "inbound"));
            other.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void sizesOfRequests() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {messageBytes: 1KiB, bodyBytes: 4KiB}")) {
            try (RawHttp http = gateway.clientsSocket()) {
                RawHttp.Answer answer = http.say(
                                "GET /ws?topic=" + "x".repeat(17_000) + " HTTP/1.1\nHost: localhost\n\n")
                        .answer();
                assertEquals(414, answer.status());
                assertTrue(answer.body().contains("\"code\":\"uri_too_long\""), answer.body());
            }
            try (RawHttp http = gateway.clientsSocket()) {
                RawHttp.Answer answer = http.say(RawWebSocket.upgrade("", "X-Long: " + "x".repeat(17_000)))
                        .answer();
                assertEquals(431, answer.status());
                assertTrue(answer.body().contains("\"code\":\"headers_too_large\""), answer.body());
            }
            String body = "{\"topic\":\"room:1\",\"data\":\"" + "x".repeat(5_000) + "\"}";
            assertEquals(413, gateway.post("/v1/publish", body).statusCode());
            try (RawWebSocket socket = gateway.webSocket("")) {
                socket.say(
                        "{\"type\":\"publish\",\"id\":1,\"topic\":\"demo:1\",\"data\":\"" + "x".repeat(2_000) + "\"}");
                assertTrue(socket.expect("error").contains("\"code\":\"too_large\""));
                socket.say("x".repeat(10_000));
                socket.expectClose(1009);
            }
            String line = "{\"topic\":\"room:1\",\"data\":\"" + "x".repeat(2_000) + "\"}\n";
            assertEquals(200, gateway.postLines(line + "x".repeat(10_000)).statusCode());
            assertEquals(1, limited(gateway, "url"));
            assertEquals(1, limited(gateway, "headers"));
            assertEquals(3, limited(gateway, "body"), "a body, a line's data and a line");
            assertEquals(2, limited(gateway, "message"));
            assertEquals(1, gateway.metric("barrage_closes_total{code=\"1009\""));
        }
    }

    @Test
    void subscriptionsOfAConnection() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {subscriptionsPerConnection: 1}");
                RawWebSocket socket = gateway.subscriber("room:1")) {
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:2\"}");
            assertTrue(socket.expect("error").contains("\"code\":\"too_many_subscriptions\""));
            assertEquals(1, limited(gateway, "subscriptions"));
            gateway.reload("limits: {subscriptionsPerConnection: 2}");
            socket.say("{\"type\":\"subscribe\",\"id\":2,\"topic\":\"room:2\"}");
            socket.expect("subscribed");
        }
    }
}
