package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Live topics and open connections follow the rules of a configuration that was read anew. */
class ReloadIT {
    private static String say(int id, String topic) {
        return "{\"type\":\"publish\",\"id\":" + id + ",\"topic\":\"" + topic + "\",\"data\":" + id + "}";
    }

    @Test
    void aBudgetHidesAtOnce() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("namespaces: [{name: room}]");
                RawWebSocket viewer = gateway.subscriber("room:1")) {
            for (int i = 1; i <= 20; i++) {
                assertEquals(i, gateway.publish("room:1", "1"));
                viewer.expect("message");
            }
            gateway.reload("namespaces: [{name: room, budget: 1/h}]");
            assertEquals(21, gateway.publish("room:1", "2"));
            viewer.expect("message");
            String hidden = gateway.post("/v1/publish", "{\"topic\":\"room:1\",\"data\":3}")
                    .body();
            assertTrue(hidden.contains("\"shed\":\"budget\""), hidden);
            gateway.reload("namespaces: [{name: room}]");
            assertEquals(22, gateway.publish("room:1", "4"));
            String shown = viewer.text();
            if (shown.startsWith("{\"type\":\"gap\"")) {
                assertTrue(shown.contains("\"reason\":\"hidden\""), shown);
                shown = viewer.text();
            }
            assertTrue(shown.contains("\"offset\":22"), shown);
        }
    }

    @Test
    void whoMayPublishChangesAtOnce() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("namespaces: [{name: room, publish: anyone}]");
                RawWebSocket client = gateway.subscriber("room:1")) {
            client.say(say(1, "room:1"));
            client.expect("published");
            client.expect("message");
            gateway.reload("namespaces: [{name: room, publish: none}]");
            client.say(say(2, "room:1"));
            String refused = client.expect("error");
            assertTrue(refused.contains("\"id\":2") && refused.contains("not_permitted"), refused);
            gateway.reload("namespaces: [{name: room, publish: anyone}]");
            client.say(say(3, "room:1"));
            client.expect("published");
            assertTrue(client.expect("message").contains("\"offset\":2"));
        }
    }

    @Test
    void whoMayNotSubscribeAnyMoreIsTakenOff() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("namespaces: [{name: room}, {name: other}]");
                RawWebSocket client = gateway.webSocket("?topic=room:1&topic=other:1&user=u7")) {
            client.expect("subscribed");
            client.expect("subscribed");
            client.expect("subscribed");
            gateway.reload("namespaces: [{name: room, subscribe: none}, {name: other}]");
            String off = client.expect("unsubscribed");
            assertTrue(off.contains("\"topic\":\"room:1\"") && off.contains("not_permitted"), off);
            gateway.publish("room:1", "1");
            gateway.publish("other:1", "2");
            assertTrue(client.expect("message").contains("\"topic\":\"other:1\""));
            gateway.post("/v1/publish", "{\"user\":\"u7\",\"data\":3}");
            assertTrue(client.expect("message").contains("$user:u7"));
        }
    }

    @Test
    void historyGrowsFromThenOnAndOffsetsGoOn() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("namespaces: [{name: room}]");
                RawWebSocket before = gateway.webSocket("?topic=room:1")) {
            String epoch = GatewayUnderTest.find("\"epoch\":\"(\\w+)\"", before.expect("subscribed"));
            gateway.publish("room:1", "1");
            before.expect("message");
            gateway.reload("namespaces: [{name: room, history: {size: 10}}]");
            gateway.publish("room:1", "2");
            gateway.publish("room:1", "3");
            before.expect("message");
            before.expect("message");
            try (RawWebSocket late = gateway.webSocket("?topic=room:1&since=room:1@" + epoch + ":1")) {
                String subscribed = late.expect("subscribed");
                assertTrue(
                        subscribed.contains("\"recovered\":true") && subscribed.contains("\"epoch\":\"" + epoch),
                        subscribed);
                assertTrue(late.expect("message").contains("\"offset\":2"));
                assertTrue(late.expect("message").contains("\"offset\":3"));
            }
            gateway.reload("namespaces: [{name: room, history: {size: 1}}]");
            try (RawWebSocket late = gateway.webSocket("?topic=room:1&since=room:1@" + epoch + ":1")) {
                assertTrue(late.expect("subscribed").contains("\"recovered\":false"));
            }
        }
    }

    @Test
    void slowModeRemembersWhoSpoke() throws Exception {
        String open = "namespaces: [{name: room, publish: anyone, limits: {perSender: 1000/s}}]";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(open);
                RawWebSocket client = gateway.webSocket("?user=u7")) {
            client.expect("subscribed");
            client.say(say(1, "room:1"));
            client.expect("published");
            gateway.reload(
                    "namespaces: [{name: room, publish: anyone, limits: {perSender: 1000/s, repeatWindow: 1h}}]");
            client.say(say(2, "room:1"));
            client.expect("published");
            client.say(say(2, "room:1"));
            assertTrue(client.expect("error").contains("\"code\":\"repeated\""));
            gateway.reload("namespaces: [{name: room, publish: anyone, limits: {perSender: 1/h}}]");
            client.say(say(3, "room:1"));
            client.expect("published");
            client.say(say(4, "room:1"));
            assertTrue(client.expect("error").contains("\"code\":\"rate_limited\""));
            gateway.reload(open);
            client.say(say(5, "room:1"));
            client.expect("published");
        }
    }

    @Test
    void topicsMoveToTheirOwnNamespaceAndBack() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start("memory: {queue: 64MiB}");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket stalled = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=room:1")) {
            String data = "\"" + "x".repeat(60_000) + "\"";
            // More than a socket takes that nobody reads: some of it is on its way while the namespace changes.
            for (int i = 0; i < 40; i++) {
                gateway.publish("room:1", data);
                viewer.expect("message");
            }
            GatewayUnderTest.await("one is behind", () -> gateway.metric("barrage_behind_connections") > 0);
            gateway.reload("namespaces: [{name: room, log: {size: 20, bytes: 256KiB}}]");
            assertEquals(0, gateway.metric("barrage_conservation_error"));
            gateway.publish("room:1", "1");
            viewer.expect("message");
            assertEquals(
                    1,
                    gateway.metric(
                            "barrage_publishes_total{namespace=\"room\",priority=\"normal\",result=\"accepted\""));
            assertEquals(
                    40,
                    gateway.metric(
                            "barrage_publishes_total{namespace=\"default\",priority=\"normal\",result=\"accepted\""));
            gateway.reload("");
            gateway.publish("room:1", "2");
            viewer.expect("message");
            assertEquals(
                    41,
                    gateway.metric(
                            "barrage_publishes_total{namespace=\"default\",priority=\"normal\",result=\"accepted\""));
            assertEquals(0, gateway.metric("barrage_conservation_error"));
            stalled.expect("welcome");
            long last = 0;
            List<String> gaps = new ArrayList<>();
            while (last < 42) {
                String text = stalled.text();
                if (text.startsWith("{\"type\":\"gap\"")) {
                    gaps.add(text);
                    last = Long.parseLong(GatewayUnderTest.find("\"to\":(\\d+)", text));
                } else if (text.startsWith("{\"type\":\"message\"")) {
                    long offset = Long.parseLong(GatewayUnderTest.find("\"offset\":(\\d+)", text));
                    assertEquals(last + 1, offset, gaps.toString());
                    last = offset;
                }
            }
        }
    }

    @Test
    void coalescingAndPresenceFollow() throws Exception {
        try (GatewayUnderTest gateway =
                        GatewayUnderTest.start("namespaces: [{name: room, coalesce: 1m, coalesceMax: 1m}]");
                RawWebSocket viewer = gateway.subscriber("room:1")) {
            gateway.publish("room:1", "1");
            viewer.expect("message");
            gateway.publish("room:1", "2");
            gateway.reload("namespaces: [{name: room, presence: off}]");
            // It waits no more for the rest of the old window.
            viewer.expect("message");
            gateway.publish("room:1", "3");
            viewer.expect("message");
            try (RawWebSocket other = gateway.webSocket("?topic=room:1")) {
                assertTrue(!other.expect("subscribed").contains("online"));
            }
        }
    }

    @Test
    void keysChangeWithoutAPause() throws Exception {
        String one = "hash: " + io.barrage.gateway.auth.ApiKeys.hash("one");
        String two = "hash: " + io.barrage.gateway.auth.ApiKeys.hash("two");
        String backend = "metrics: {open: true}\nbackend: {host: 127.0.0.1, port: 0, keys: [%s]}";
        String entry = "{name: %s, %s, scopes: [read]}";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(backend.formatted(entry.formatted("a", one)))) {
            assertEquals(200, status(gateway, "one"));
            assertEquals(401, status(gateway, "two"));
            gateway.reload(backend.formatted(entry.formatted("a", one) + ", " + entry.formatted("b", two)));
            assertEquals(200, status(gateway, "one"));
            assertEquals(200, status(gateway, "two"));
            gateway.reload(backend.formatted(entry.formatted("b", two)));
            assertEquals(401, status(gateway, "one"));
            assertEquals(200, status(gateway, "two"));
        }
    }

    private static int status(GatewayUnderTest gateway, String key) throws Exception {
        try (RawHttp http = gateway.backendSocket()) {
            return http.say("GET /v1/node HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + key + "\n\n")
                    .answer()
                    .status();
        }
    }

    @Test
    void theLogChangesItsLevel() throws Exception {
        org.slf4j.Logger log = org.slf4j.LoggerFactory.getLogger("io.barrage.gateway.Something");
        try (GatewayUnderTest gateway = GatewayUnderTest.start("log: {level: info}")) {
            gateway.reload("log: {level: error}");
            assertTrue(!log.isWarnEnabled());
            gateway.reload("log: {level: info}");
            assertTrue(log.isInfoEnabled() && !log.isDebugEnabled());
        }
    }

    @Test
    void originsChange() throws Exception {
        String clients = "clients: {host: 127.0.0.1, port: 0, origins: [\"%s\"]}";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(clients.formatted("https://a.example"))) {
            assertEquals(101, upgrade(gateway, "https://A.example"));
            assertEquals(403, upgrade(gateway, "https://b.example"));
            gateway.reload(clients.formatted("https://b.example"));
            assertEquals(403, upgrade(gateway, "https://a.example"));
            assertEquals(101, upgrade(gateway, "https://b.example"));
        }
    }

    private static int upgrade(GatewayUnderTest gateway, String origin) throws Exception {
        try (RawHttp http = gateway.clientsSocket()) {
            return http.say(RawWebSocket.upgrade("", "Origin: " + origin))
                    .answer()
                    .status();
        }
    }
}
