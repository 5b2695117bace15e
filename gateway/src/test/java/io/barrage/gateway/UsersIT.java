package io.barrage.gateway;

import static io.barrage.gateway.auth.TokenFixture.SECRET;
import static io.barrage.gateway.auth.TokenFixture.token;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import java.io.Closeable;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a backend sees of a user's connections, and does to them, wherever they are: on either of two event loops. */
class UsersIT {
    private static final JsonMapper JSON = new JsonMapper();

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                limits: {subscriptionsPerConnection: 3}
                namespaces:
                  - {name: staff, subscribe: none, history: {size: 10}}
                """);
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    /** A user's connection that has been welcomed and is on the topic of its pushes, and what it is called. */
    private record Client(RawWebSocket socket, String id) implements Closeable {
        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private Client connect(String user) throws IOException {
        RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=" + user);
        String id = GatewayUnderTest.find("\"connection\":\"([^\"]+)\"", socket.expect("welcome"));
        socket.expect("subscribed");
        return new Client(socket, id);
    }

    private JsonNode show(String user) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get("/v1/users/" + user);
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    private String post(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.post("/v1/users/" + path, body);
        assertEquals(200, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static String done(int connections, int affected) {
        return "{\"user\":\"u7\",\"connections\":" + connections + ",\"affected\":" + affected + "}";
    }

    @Test
    void aUsersConnectionsAreListed() throws Exception {
        assertEquals("{\"user\":\"u7\",\"connections\":[]}", show("u7").toString());
        try (Client first = connect("u7");
                Client other = connect("u8");
                Client second = connect("u7")) {
            second.socket.say("{\"type\":\"subscribe\",\"topic\":\"room:1\"}").expect("subscribed");
            JsonNode found = show("u7");
            assertEquals("u7", found.get("user").asString());
            JsonNode connections = found.get("connections");
            assertEquals(2, connections.size());
            assertEquals(first.id, connections.get(0).get("connection").asString());
            assertEquals(second.id, connections.get(1).get("connection").asString());
            assertEquals("websocket", connections.get(1).get("transport").asString());
            assertTrue(connections.get(1).get("connectedMs").asLong() >= 0);
            assertEquals(
                    "127.0.0.1:" + second.socket.http().socket().getLocalPort(),
                    connections.get(1).get("address").asString());
            assertEquals("[]", connections.get(0).get("topics").toString());
            assertEquals("[\"room:1\"]", connections.get(1).get("topics").toString());
            assertFalse(connections.get(1).has("moreTopics"));
            assertEquals(
                    other.id,
                    show("u8").get("connections").get(0).get("connection").asString());
        }
    }

    @Test
    void aPushReachesAllConnectionsOfItsUserAndNobodyElse() throws Exception {
        List<Client> all = new ArrayList<>();
        List<Client> others = new ArrayList<>();
        try {
            for (int i = 0; i < 6; i++) {
                all.add(connect("u7"));
            }
            // Named like a topic, like that of the pushes, and almost the same.
            for (String user : List.of("u8", "$user:u7", "room:1", "U7", "u77")) {
                others.add(connect(user));
            }
            gateway.publish("room:1", "\"to a topic\"");
            assertEquals(
                    200,
                    gateway.post("/v1/publish", "{\"user\":\"u7\",\"data\":\"to u7\"}")
                            .statusCode());
            assertEquals(
                    200,
                    gateway.post(
                                    "/v1/publish",
                                    "{\"users\":[\"u8\",\"$user:u7\",\"room:1\",\"U7\",\"u77\"],\"data\":\"to others\"}")
                            .statusCode());
            for (Client client : all) {
                String message = client.socket.expect("message");
                assertTrue(message.contains("\"topic\":\"$user:u7\"") && message.endsWith("\"to u7\"}"), message);
            }
            for (Client client : others) {
                String message = client.socket.expect("message");
                assertTrue(message.endsWith("\"to others\"}"), message);
                String id = "\"id\":" + 9;
                client.socket.say("{\"type\":\"subscribe\"," + id + ",\"topic\":\"$user:u7\"}");
                String refusal = client.socket.expect("error");
                assertTrue(refusal.contains(id) && refusal.contains("bad_request"), refusal);
            }
            HttpResponse<String> refused = gateway.post("/v1/users/u8/subscribe", "{\"topic\":\"$user:u7\"}");
            assertEquals(400, refused.statusCode(), "not even by a backend");
        } finally {
            for (Client client : all) {
                client.close();
            }
            for (Client client : others) {
                client.close();
            }
        }
    }

    @Test
    void aBackendPutsAUserOnATopicAndTakesItOff() throws Exception {
        assertEquals(done(0, 0), post("u7/subscribe", "{\"topic\":\"staff:1\"}"));
        gateway.publish("staff:1", "1");
        gateway.publish("staff:1", "2");
        try (Client first = connect("u7");
                Client other = connect("u8");
                Client second = connect("u7")) {
            first.socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"staff:1\"}");
            assertTrue(first.socket.expect("error").contains("not_permitted"));
            assertEquals(done(2, 2), post("u7/subscribe", "{\"topic\":\"staff:1\",\"last\":1}"));
            for (Client client : List.of(first, second)) {
                String subscribed = client.socket.expect("subscribed");
                assertTrue(subscribed.contains("\"topic\":\"staff:1\"") && !subscribed.contains("\"id\""), subscribed);
                assertTrue(client.socket.expect("message").contains("\"offset\":2"));
            }
            gateway.publish("staff:1", "3");
            for (Client client : List.of(first, second)) {
                assertTrue(client.socket.expect("message").contains("\"offset\":3"));
            }
            assertEquals(
                    "{\"user\":\"u7\",\"connections\":2,\"affected\":0,\"refused\":{\"already_subscribed\":2}}",
                    post("u7/subscribe", "{\"topic\":\"staff:1\"}"));

            assertEquals(
                    done(1, 1),
                    post(
                            "u7/unsubscribe",
                            "{\"topic\":\"staff:1\",\"reason\":\"下班\",\"connection\":\"" + first.id + "\"}"));
            assertEquals(
                    "{\"type\":\"unsubscribed\",\"topic\":\"staff:1\",\"code\":\"by_backend\",\"reason\":\"下班\"}",
                    first.socket.text());
            assertEquals(
                    "{\"user\":\"u7\",\"connections\":2,\"affected\":1,\"refused\":{\"not_subscribed\":1}}",
                    post("u7/unsubscribe", "{\"topic\":\"staff:1\"}"));
            assertEquals(
                    "{\"type\":\"unsubscribed\",\"topic\":\"staff:1\",\"code\":\"by_backend\"}", second.socket.text());
            gateway.publish("staff:1", "4");
            post("u7/subscribe", "{\"topic\":\"staff:1\",\"since\":{\"epoch\":\"other\",\"offset\":1}}");
            for (Client client : List.of(first, second)) {
                assertTrue(client.socket.expect("subscribed").contains("\"recovered\":false"), "and not the message");
            }
            JsonNode untouched = show("u8").get("connections").get(0);
            assertEquals(other.id, untouched.get("connection").asString());
            assertEquals("[]", untouched.get("topics").toString());
        }
    }

    @Test
    void aBackendObeysTheLimitOfSubscriptions() throws Exception {
        try (Client full = connect("u7");
                Client empty = connect("u7")) {
            for (int i = 1; i <= 2; i++) {
                full.socket
                        .say("{\"type\":\"subscribe\",\"topic\":\"room:" + i + "\"}")
                        .expect("subscribed");
            }
            assertEquals(
                    "{\"user\":\"u7\",\"connections\":2,\"affected\":1,\"refused\":{\"too_many_subscriptions\":1}}",
                    post("u7/subscribe", "{\"topic\":\"room:3\"}"));
            assertTrue(empty.socket.expect("subscribed").contains("room:3"));
            assertEquals(
                    "[\"room:1\",\"room:2\"]",
                    show("u7").get("connections").get(0).get("topics").toString());
        }
    }

    @Test
    void aKickedUserIsToldWhetherToComeBack() throws Exception {
        try (Client first = connect("u7");
                Client second = connect("u7");
                Client third = connect("u7");
                Client other = connect("u8")) {
            assertEquals(done(0, 0), post("u7/disconnect", "{\"connection\":\"" + other.id + "\"}"));
            assertEquals(
                    done(1, 1), post("u7/disconnect", "{\"connection\":\"" + second.id + "\",\"reconnect\":true}"));
            String reason = second.socket.expectClose(4503);
            assertTrue(Pattern.matches("overloaded retryAfterMs=\\d{1,3}", reason), reason);
            assertEquals(done(2, 2), post("u7/disconnect", "{\"reason\":\"剧透太多\"}"));
            assertEquals("forbidden 剧透太多", first.socket.expectClose(4403));
            assertEquals("forbidden 剧透太多", third.socket.expectClose(4403));
            assertEquals(done(0, 0), post("u7/disconnect", "{}"));
            assertEquals(1, show("u8").get("connections").size());
        }
    }

    @Test
    void whoIsWelcomeCanBeKicked() throws Exception {
        for (int i = 0; i < 40; i++) {
            try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=u7&topic=room:1")) {
                socket.expect("welcome");
                // At once: what else comes with the welcome hasn't been read yet.
                assertEquals(done(1, 1), post("u7/disconnect", "{}"));
                socket.expect("subscribed");
                socket.expect("subscribed");
                assertEquals("forbidden", socket.expectClose(4403));
            }
        }
    }

    @Test
    void oneConnectionIsKickedByItsId() throws Exception {
        try (Client first = connect("u7");
                Client second = connect("u7");
                Client third = connect("u7")) {
            HttpResponse<String> answer = gateway.delete("/v1/connections/" + first.id + "?reason=spam");
            assertEquals(200, answer.statusCode());
            assertEquals("{\"connection\":\"" + first.id + "\",\"affected\":1}", answer.body());
            assertEquals("forbidden spam", first.socket.expectClose(4403));
            assertEquals(
                    200,
                    gateway.delete("/v1/connections/" + second.id + "?reconnect=true")
                            .statusCode());
            assertTrue(second.socket.expectClose(4503).startsWith("overloaded retryAfterMs="));
            for (String id : List.of(first.id, "x", "-", "1-1", third.id + "0", third.id.replace("-", "-0"), "%2F")) {
                HttpResponse<String> none = gateway.delete("/v1/connections/" + id);
                assertEquals(404, none.statusCode(), id);
                assertTrue(none.body().contains("\"code\":\"not_found\""), none.body());
            }
            for (String query : List.of("?reconnect=yes", "?reconnect=", "?reason=", "?why=spam")) {
                assertEquals(
                        400,
                        gateway.delete("/v1/connections/" + third.id + query).statusCode(),
                        query);
            }
            assertEquals(1, show("u7").get("connections").size());
        }
    }

    @Test
    void aMistakeIsNamed() throws Exception {
        refused(400, "u7/subscribe", "{}", "this request needs a field 'topic'");
        refused(400, "u7/unsubscribe", "{\"topic\":\"bad topic\"}", "a topic name consists of");
        refused(400, "u7/disconnect", "{\"reason\":\"" + "x".repeat(91) + "\"}", "a 'reason' has 1 to 90 bytes");
        refused(400, "u7/disconnect", "no", "not JSON");
        refused(400, "a%20b/disconnect", "{}", "a user's name is printable ASCII");
        refused(404, "u7/ban", "{}", "nothing is at");
        refused(413, "u7/disconnect", "{\"more\":\"" + "x".repeat(10_000) + "\"}", "the body is larger than");
        assertEquals(405, gateway.get("/v1/users/u7/disconnect").statusCode());
        assertEquals(405, gateway.delete("/v1/users/u7").statusCode());
        assertEquals(400, gateway.get("/v1/users/u7?limit=1").statusCode());
    }

    private void refused(int status, String path, String body, String detail) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.post("/v1/users/" + path, body);
        assertEquals(status, answer.statusCode(), answer.body());
        String found = JSON.readTree(answer.body()).get("detail").asString();
        assertTrue(found.startsWith(detail), found);
    }

    @Test
    void whatABackendWantsOutlivesARenewalAndAReload() throws Exception {
        String rules = "profile: production\nauth: {keys: [{kid: k1, alg: HS256, secret: " + SECRET + "}]}\n"
                + "namespaces: [{name: room, subscribe: token}, {name: staff, subscribe: ";
        try (GatewayUnderTest live = GatewayUnderTest.start(rules + "token}]");
                RawWebSocket socket = live.webSocket("?topic=room:1&token="
                        + token("\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:*\"]}", 600))) {
            socket.expect("subscribed");
            socket.expect("subscribed");
            assertEquals(
                    done(1, 1),
                    live.post("/v1/users/u7/subscribe", "{\"topic\":\"staff:1\"}")
                            .body());
            assertTrue(socket.expect("subscribed").contains("staff:1"));
            socket.say("{\"type\":\"auth\",\"id\":3,\"token\":\"" + token("\"sub\":\"u7\"", 600) + "\"}");
            socket.expect("authenticated");
            String taken = socket.expect("unsubscribed");
            assertTrue(taken.contains("room:1") && taken.contains("not_permitted"), taken);
            live.reload(rules + "none}]");
            live.publish("staff:1", "1");
            assertTrue(socket.expect("message").contains("staff:1"));
        }
    }

    @Test
    void controlIsAScopeOfItsOwn() throws Exception {
        String reader = ApiKeys.generate();
        String moderator = ApiKeys.generate();
        try (GatewayUnderTest keyed = GatewayUnderTest.start("metrics: {open: true}\n"
                + "backend:\n  host: 127.0.0.1\n  port: 0\n  keys:\n"
                + "    - {name: reader, hash: \"" + ApiKeys.hash(reader) + "\", scopes: [read]}\n"
                + "    - {name: moderator, hash: \"" + ApiKeys.hash(moderator) + "\", scopes: [control]}\n")) {
            for (String path : List.of("/v1/users/u7", "/v1/topics/room:1/presence")) {
                assertEquals(200, status(keyed, "GET", path, reader), path);
                assertEquals(403, status(keyed, "GET", path, moderator), path);
            }
            for (String action : List.of("subscribe", "unsubscribe", "disconnect")) {
                String path = "/v1/users/u7/" + action;
                assertEquals(200, status(keyed, "POST", path, moderator), path);
                assertEquals(403, status(keyed, "POST", path, reader), path);
                assertEquals(401, status(keyed, "POST", path, ApiKeys.generate()), path);
            }
            assertEquals(404, status(keyed, "DELETE", "/v1/connections/1-1", moderator));
            assertEquals(403, status(keyed, "DELETE", "/v1/connections/1-1", reader));
        }
    }

    private static int status(GatewayUnderTest gateway, String method, String path, String key) throws IOException {
        String body = method.equals("POST") ? "{\"topic\":\"room:1\"}" : "";
        try (RawHttp http = gateway.backendSocket()) {
            return http.say(method + " " + path + " HTTP/1.1\nHost: localhost\nAuthorization: Bearer " + key
                            + "\nContent-Type: application/json\nContent-Length: " + body.length() + "\n\n" + body)
                    .answer()
                    .status();
        }
    }
}
