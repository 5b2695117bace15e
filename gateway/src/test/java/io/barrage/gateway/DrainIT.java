package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a node ends: it says so at once, lets its connections go one by one, and stops. */
class DrainIT {
    /** Few connections need little time: so many that the drain lasts three seconds, in which all else is looked at. */
    private static final int CONNECTIONS = 600;

    @Test
    void drainLetsEverybodyGoAndStops() throws Exception {
        GatewayUnderTest gateway = GatewayUnderTest.start("drain: {deadline: 20s, spread: 5s}");
        List<RawWebSocket> sockets = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            sockets.add(gateway.webSocket(""));
        }
        try (RawHttp late = gateway.clientsSocket();
                RawHttp idle = gateway.backendSocket()) {
            // Both are connections before the drain, and the first not yet a WebSocket.
            late.say("GET /nothing HTTP/1.1\nHost: localhost\n\n").answer();
            idle.say("GET /readyz HTTP/1.1\nHost: localhost\n\n");
            assertEquals(200, idle.answer().status());

            HttpResponse<String> answer = gateway.post("/v1/node/drain", "{}");
            assertEquals(202, answer.statusCode());
            assertEquals("{\"draining\":true}", answer.body());
            assertEquals(202, gateway.post("/v1/node/drain", "").statusCode(), "again does no harm");

            idle.say("GET /readyz HTTP/1.1\nHost: localhost\n\n");
            RawHttp.Answer ready = idle.answer();
            assertEquals(503, ready.status());
            assertTrue(ready.body().contains("\"code\":\"draining\""), ready.body());
            assertEquals("1", ready.header("retry-after"));
            assertEquals(200, gateway.get("/livez").statusCode());
            assertTrue(gateway.get("/v1/node").body().contains("\"draining\":true"));
            GatewayUnderTest.await("the port is closed", () -> {
                try (RawHttp refused = gateway.clientsSocket()) {
                    return refused.isEnded();
                } catch (ConnectException e) {
                    return true;
                }
            });
            RawWebSocket newcomer = RawWebSocket.upgraded(late.say(RawWebSocket.upgrade("?topic=a")));
            String hint = GatewayUnderTest.find("reconnectAfterMs\":(\\d+)", newcomer.expect("goaway"));
            assertTrue(Integer.parseInt(hint) >= 500 && Integer.parseInt(hint) < 1_500, hint);
            assertEquals("going_away retryAfterMs=" + hint, newcomer.expectClose(1001));
        }
        List<Long> hints = new ArrayList<>();
        for (RawWebSocket socket : sockets) {
            String goaway = socket.expect("goaway");
            assertTrue(
                    goaway.matches("\\{\"type\":\"goaway\",\"reason\":\"draining\",\"reconnectAfterMs\":\\d+}"),
                    goaway);
            hints.add(Long.parseLong(GatewayUnderTest.find("reconnectAfterMs\":(\\d+)", goaway)));
            assertEquals("going_away", socket.expectClose(1001));
        }
        long most = CONNECTIONS * 5L;
        assertTrue(hints.stream().allMatch(hint -> hint <= most), hints.toString());
        assertTrue(hints.stream().distinct().count() > CONNECTIONS / 4, "spread, not all at once: " + hints);
        gateway.gateway().awaitClosed();
        assertThrows(IOException.class, () -> gateway.get("/livez"));
        gateway.close();
    }

    @Test
    @Timeout(15)
    void drainOfAnEmptyNodeStopsAtOnce() throws Exception {
        GatewayUnderTest gateway = GatewayUnderTest.start("");
        try (RawHttp http = gateway.backendSocket()) {
            http.say("POST /v1/node/drain HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n");
            assertEquals(202, http.answer().status());
            gateway.gateway().awaitClosed();
            assertTrue(http.isEnded());
        }
        gateway.close();
    }

    @Test
    @Timeout(15)
    void drainDoesntWaitForOneThatNeitherReadsNorLeaves() throws Exception {
        GatewayUnderTest gateway =
                GatewayUnderTest.start("drain: {deadline: 1s, spread: 0s}\nlimits: {messageBytes: 16KiB}");
        try (RawWebSocket stuck = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=a")) {
            stuck.expect("welcome");
            stuck.expect("subscribed");
            for (int i = 0; i < 100; i++) {
                gateway.publish("a", "\"" + "x".repeat(10_000) + "\"");
            }
            assertEquals(1, gateway.metric("barrage_behind_connections"));
            gateway.gateway().drainAndAwait();
            assertTrue(gateway.gateway().isClosed());
        }
        gateway.close();
    }

    // More than once: when a loop is told to end at the wrong moment, it left its sockets open once in four times.
    @RepeatedTest(6)
    @Timeout(15)
    void closeTellsThoseWhoAreThere() throws Exception {
        GatewayUnderTest gateway = GatewayUnderTest.start("");
        try (RawWebSocket socket = gateway.subscriber("a")) {
            gateway.close();
            socket.expectClose(1001);
        }
    }
}
