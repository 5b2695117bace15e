package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code GET /v1/connections}: operators see who is connected, and who is slow. */
class ConnectionsIT {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String PATH = "/v1/connections";

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                namespaces:
                  - {name: slow, presence: "off", log: {size: 4096, bytes: 8MiB}}
                """);
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    private JsonNode list(String query) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get(PATH + query);
        assertEquals(200, answer.statusCode(), answer.body());
        assertEquals(
                "application/json", answer.headers().firstValue("content-type").orElseThrow());
        return JSON.readTree(answer.body());
    }

    private static List<String> ids(JsonNode answer) {
        List<String> ids = new ArrayList<>();
        answer.get("connections")
                .forEach(connection -> ids.add(connection.get("connection").asString()));
        return ids;
    }

    /** A WebSocket that has been welcomed, and what it is called. */
    private record Client(RawWebSocket socket, String id) implements Closeable {
        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private Client connect(String query) throws IOException {
        RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), query);
        return welcomed(socket);
    }

    private static Client welcomed(RawWebSocket socket) throws IOException {
        return new Client(socket, GatewayUnderTest.find("\"connection\":\"([^\"]+)\"", socket.expect("welcome")));
    }

    private static String address(Client client) {
        return "127.0.0.1:" + client.socket.http().socket().getLocalPort();
    }

    @Test
    void theOneThatDoesntReadIsFirst() throws Exception {
        try (RawWebSocket healthySocket = RawWebSocket.open(gateway.clientsPort(), "?topic=slow:1&user=fast");
                RawWebSocket stalledSocket =
                        RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=slow:1&topic=slow:2&user=u7")) {
            Client healthy = welcomed(healthySocket);
            Client stalled = welcomed(stalledSocket);
            // Their topics, and the pushes to their users.
            for (int i = 0; i < 2; i++) {
                healthySocket.expect("subscribed");
            }
            for (int i = 0; i < 3; i++) {
                stalledSocket.expect("subscribed");
            }
            String padding = "\"" + "x".repeat(1000) + "\"";
            int published = 0;
            // The kernel takes some for it first; then it must show.
            JsonNode connections = list("?sort=behind").get("connections");
            while (connections.get(0).path("behind").path("messages").asLong(0) <= 50) {
                for (int i = 0; i < 50; i++, published++) {
                    gateway.publish("slow:1", padding);
                    healthySocket.expect("message");
                }
                assertTrue(published <= 3000, "one that reads nothing is never behind");
                connections = list("?sort=behind").get("connections");
            }

            assertEquals(2, connections.size());
            JsonNode first = connections.get(0);
            assertEquals(stalled.id, first.get("connection").asString());
            assertEquals("u7", first.get("user").asString());
            assertEquals(address(stalled), first.get("address").asString());
            assertEquals("websocket", first.get("transport").asString());
            assertEquals(3, first.get("subscriptions").asInt(), "two topics, and the pushes to u7");
            JsonNode behind = first.get("behind");
            long messages = behind.get("messages").asLong();
            assertTrue(messages > 50 && messages <= published, behind.toString());
            assertTrue(behind.get("bytes").asLong() > 50 * 1000, behind.toString());
            assertTrue(behind.get("bytes").asLong() < messages * 1200, behind.toString());
            assertEquals("[\"slow:1\"]", behind.get("topics").toString());
            assertFalse(behind.has("moreTopics"));
            JsonNode second = connections.get(1);
            assertEquals(healthy.id, second.get("connection").asString());
            assertEquals("fast", second.get("user").asString());
            assertEquals(address(healthy), second.get("address").asString());
            assertFalse(second.has("behind"), second.toString());

            long forMs = behind.get("forMs").asLong();
            GatewayUnderTest.await("it has been stalled for longer", () -> stalledFor(stalled) > forMs);
            assertEquals(List.of(stalled.id), ids(list("?sort=behind&limit=1")));
            assertEquals(List.of(stalled.id), ids(list("?sort=behind&topic=slow:2")));
            assertEquals(List.of(healthy.id), ids(list("?sort=behind&user=fast")));

            for (int i = 1; i <= published; i++) {
                assertEquals(
                        Integer.toString(i),
                        GatewayUnderTest.find("\"offset\":(\\d+)", stalledSocket.expect("message")));
            }
            GatewayUnderTest.await("it has caught up", () -> {
                JsonNode all = list("?sort=behind").get("connections");
                return !all.get(0).has("behind") && !all.get(1).has("behind");
            });
            // Those that keep up stand by their age.
            assertEquals(List.of(healthy.id, stalled.id), ids(list("?sort=behind")));
        }
    }

    private long stalledFor(Client client) throws IOException, InterruptedException {
        JsonNode first = list("?sort=behind&limit=1").get("connections").get(0);
        assertEquals(client.id, first.get("connection").asString());
        return first.get("behind").get("forMs").asLong();
    }

    @Test
    void pagesHaveEachConnectionOnceWhileOthersComeAndGo() throws Exception {
        assertEquals("{\"connections\":[]}", list("").toString());
        List<Client> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 7; i++) {
                clients.add(connect(""));
            }
            List<String> opened =
                    new ArrayList<>(clients.stream().map(Client::id).toList());
            JsonNode whole = list("");
            assertEquals(opened, ids(whole), "on both event loops, in the order of opening");
            assertFalse(whole.has("cursor"));
            assertFalse(whole.get("connections").get(0).has("user"));
            assertFalse(list("?limit=7").has("cursor"));

            JsonNode first = list("?limit=3");
            assertEquals(opened.subList(0, 3), ids(first));
            clients.get(2).close(); // the one that the cursor points at
            clients.get(4).close();
            GatewayUnderTest.await("two have gone", () -> ids(list("")).size() == 5);
            clients.add(connect(""));
            JsonNode second = list("?limit=3&cursor=" + first.get("cursor").asString());
            assertEquals(List.of(opened.get(3), opened.get(5), opened.get(6)), ids(second));
            JsonNode third = list("?limit=3&cursor=" + second.get("cursor").asString());
            assertEquals(List.of(clients.get(7).id), ids(third));
            assertFalse(third.has("cursor"));

            List<String> behind = new ArrayList<>();
            JsonNode page = list("?sort=behind&limit=4");
            behind.addAll(ids(page));
            page = list("?sort=behind&limit=4&cursor=" + page.get("cursor").asString());
            behind.addAll(ids(page));
            assertFalse(page.has("cursor"));
            assertEquals(new HashSet<>(ids(list(""))), new HashSet<>(behind));
            assertEquals(6, behind.size());
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    @Test
    void thoseThatAreToldOfPushesToAUser() throws Exception {
        try (Client other = connect("?user=u8");
                Client one = connect("?user=u7");
                Client two = connect("?user=u7")) {
            assertEquals(List.of(one.id, two.id), ids(list("?topic=$user:u7")));
            assertEquals(List.of(other.id), ids(list("?topic=%24user%3Au8")));
        }
    }

    @Test
    void aMistakeInTheQueryIsNamed() throws Exception {
        try (Client one = connect("");
                Client two = connect("")) {
            assertEquals(List.of(one.id, two.id), ids(list("")));
            String cursor = list("?limit=1").get("cursor").asString();
            String none = "it is none that this node has given for this list since its start";
            refused("?limits=1", "there is no query parameter 'limits' here, but user, topic, sort, limit, cursor");
            for (String limit : List.of("", "0", "-1", "1001", "ten", "1.5", "99999999999", "+1", "%D9%A3")) {
                refused("?limit=" + limit, "query parameter 'limit': it is a number from 1 to 1000, not '");
            }
            refused("?limit=1&limit=2", "query parameter 'limit' stands more than once");
            refused("?sort=slow", "query parameter 'sort': it is 'behind', or left out");
            refused("?sort=", "query parameter 'sort': ");
            refused("?user=a%20b", "query parameter 'user': a user's name is printable ASCII");
            refused("?user=", "query parameter 'user': ");
            refused("?topic=", "query parameter 'topic': a topic name can't be empty");
            refused("?topic=$other:u7", "query parameter 'topic': topic names that start with '$' are reserved");
            refused("?cursor=", "query parameter 'cursor': " + none);
            refused("?cursor=!!", "query parameter 'cursor': " + none);
            refused("?cursor=MTIz", "query parameter 'cursor': " + none);
            refused("?cursor=" + cursor.substring(2), "query parameter 'cursor': " + none);
            refused("?sort=behind&cursor=" + cursor, "query parameter 'cursor': " + none);
            try (GatewayUnderTest other = GatewayUnderTest.start("")) {
                HttpResponse<String> answer = other.get(PATH + "?cursor=" + cursor);
                assertEquals(400, answer.statusCode(), answer.body());
            }
            assertEquals(List.of(two.id), ids(list("?limit=1000&cursor=" + cursor)));
        }
    }

    private void refused(String query, String detail) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get(PATH + query);
        assertEquals(400, answer.statusCode(), query);
        JsonNode problem = JSON.readTree(answer.body());
        assertEquals("bad_request", problem.get("code").asString());
        assertTrue(
                problem.get("detail").asString().startsWith(detail),
                problem.get("detail").asString());
    }

    @Test
    void isForReadingOnly() throws Exception {
        assertEquals(405, gateway.post(PATH, "{}").statusCode());
        assertEquals(405, gateway.get(PATH + "/1").statusCode());
    }
}
