package io.barrage.gateway;

import static io.barrage.gateway.auth.TokenFixture.SECRET;
import static io.barrage.gateway.auth.TokenFixture.token;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Presence as clients and backends see it, over real sockets on two event loops. */
class PresenceIT {
    private static final JsonMapper JSON = new JsonMapper();

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                namespaces:
                  - {name: room, presence: members, members: {grace: 0s}}
                  - {name: train, presence: members, members: {grace: 1h}}
                  - {name: small, presence: members, members: {max: 5, grace: 0s}}
                  - {name: hidden, presence: "off"}
                  - {name: plain}
                """);
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    /** A user's connection on topics, and on that of its pushes. */
    private RawWebSocket connect(String user, String... topics) throws IOException {
        RawWebSocket socket = gateway.webSocket("?user=" + user + "&topic=" + String.join("&topic=", topics));
        for (int i = 0; i < topics.length; i++) {
            socket.expect("subscribed");
        }
        assertTrue(socket.expect("subscribed").contains("$user:" + user));
        return socket;
    }

    private static void expectNews(RawWebSocket socket, String type, String topic, String user) throws IOException {
        assertEquals(
                "{\"type\":\"" + type + "\",\"topic\":\"" + topic + "\",\"user\":\"" + user + "\"}", socket.text());
    }

    /** The answer, behind whatever else has come. */
    private static JsonNode presence(RawWebSocket socket, String topic) throws IOException {
        socket.say("{\"type\":\"presence\",\"id\":5,\"topic\":\"" + topic + "\"}");
        while (true) {
            String text = socket.text();
            if (text.contains("\"id\":5,")) {
                assertTrue(text.startsWith("{\"type\":\"presence\""), text);
                return JSON.readTree(text);
            }
        }
    }

    @Test
    void aUserComesWithItsFirstConnectionAndGoesWithItsLast() throws Exception {
        try (RawWebSocket ada = connect("ada", "room:1")) {
            expectNews(ada, "join", "room:1", "ada");
            RawWebSocket phone = connect("bob", "room:1");
            expectNews(ada, "join", "room:1", "bob");
            RawWebSocket laptop = connect("bob", "room:1");
            phone.close();
            GatewayUnderTest.await(
                    "one of them has gone",
                    () -> list("room:1")
                                    .get("members")
                                    .get(1)
                                    .get("connections")
                                    .asInt()
                            == 1);
            // The next that happens: neither the second connection nor its end was told.
            RawWebSocket carol = connect("carol", "room:1");
            expectNews(ada, "join", "room:1", "carol");
            laptop.say("{\"type\":\"unsubscribe\",\"topic\":\"room:1\"}");
            expectNews(ada, "leave", "room:1", "bob");
            carol.close();
            expectNews(ada, "leave", "room:1", "carol");
            laptop.close();
        }
    }

    @Test
    void whoAskedHearsOfTheNextOneToo() throws Exception {
        try (RawWebSocket ada = connect("ada", "plain:1")) {
            RawWebSocket bob = connect("bob", "plain:1");
            expectOnline(ada, 2);
            bob.close();
            GatewayUnderTest.await(
                    "ada is told that she is alone",
                    () -> presence(ada, "plain:1").get("online").asInt() == 1);
            // As many as before, and as she was told before she asked.
            RawWebSocket carol = connect("carol", "plain:1");
            expectOnline(ada, 2);
            carol.close();
            expectOnline(ada, 1);
        }
    }

    /** Reads on to a frame with this number of subscriptions, over others. */
    private static void expectOnline(RawWebSocket socket, int count) throws IOException {
        String wanted = "{\"type\":\"online\",\"topic\":\"plain:1\",\"count\":" + count + "}";
        String text = socket.frame().text();
        while (!text.equals(wanted)) {
            assertTrue(text.startsWith("{\"type\":\"online\""), text);
            text = socket.frame().text();
        }
    }

    @Test
    void whoIsBackInTimeHasntLeft() throws Exception {
        try (RawWebSocket ada = connect("ada", "train:1")) {
            expectNews(ada, "join", "train:1", "ada");
            RawWebSocket before = connect("bob", "train:1");
            expectNews(ada, "join", "train:1", "bob");
            before.close();
            GatewayUnderTest.await(
                    "bob is in a tunnel",
                    () -> list("train:1")
                                    .get("members")
                                    .get(1)
                                    .get("connections")
                                    .asInt()
                            == 0);
            assertEquals(1, list("train:1").get("online").asInt());
            assertEquals(2, list("train:1").get("users").asInt());
            try (RawWebSocket after = connect("bob", "train:1");
                    RawWebSocket carol = connect("carol", "train:1")) {
                expectNews(ada, "join", "train:1", "carol");
                expectNews(after, "join", "train:1", "carol");
                JsonNode bob = presence(carol, "train:1").get("members").get(1);
                assertEquals("{\"user\":\"bob\",\"connections\":1}", bob.toString());
            }
        }
    }

    @Test
    void presenceIsAnsweredAsTheNamespaceSays() throws Exception {
        try (RawWebSocket ada = connect("ada", "room:1", "plain:1", "hidden:1");
                RawWebSocket bob = connect("bob", "room:1");
                RawWebSocket nobody = gateway.subscriber("room:1")) {
            JsonNode members = presence(ada, "room:1");
            assertEquals(3, members.get("online").asInt());
            assertEquals(2, members.get("users").asInt());
            assertEquals(
                    "[{\"user\":\"ada\",\"connections\":1},{\"user\":\"bob\",\"connections\":1}]",
                    members.get("members").toString());
            assertFalse(members.has("truncated"));
            assertEquals(members, presence(nobody, "room:1"), "those without a name may ask, too");
            JsonNode counts = presence(ada, "plain:1");
            assertEquals("{\"type\":\"presence\",\"id\":5,\"topic\":\"plain:1\",\"online\":1}", counts.toString());
            assertEquals("not_permitted", refusal(ada, "hidden:1"));
            assertEquals("not_subscribed", refusal(bob, "plain:1"));
            assertEquals("bad_request", refusal(bob, "$user:bob"));
        }
    }

    private static String refusal(RawWebSocket socket, String topic) throws IOException {
        socket.say("{\"type\":\"presence\",\"id\":6,\"topic\":\"" + topic + "\"}");
        while (true) {
            JsonNode frame = JSON.readTree(socket.text());
            if (frame.path("id").asInt() == 6) {
                assertEquals("error", frame.get("type").asString());
                return frame.get("code").asString();
            }
        }
    }

    @Test
    void aPongTellsHowManyAreOnTheTopics() throws Exception {
        try (RawWebSocket ada = gateway.webSocket("?user=ada&topic=plain:1&topic=hidden:1&topic=plain:2");
                RawWebSocket other = gateway.subscriber("plain:2")) {
            for (int i = 0; i < 4; i++) {
                ada.expect("subscribed");
            }
            ada.say("{\"type\":\"ping\",\"id\":7}");
            assertEquals("{\"type\":\"pong\",\"id\":7,\"online\":{\"plain:1\":1,\"plain:2\":2}}", ada.text());
            try (RawWebSocket alone = gateway.webSocket("")) {
                alone.say("{\"type\":\"ping\"}");
                assertEquals("{\"type\":\"pong\"}", alone.text());
            }
            other.say("{\"type\":\"ping\",\"id\":8}");
            assertEquals("{\"type\":\"pong\",\"id\":8,\"online\":{\"plain:2\":2}}", other.text());
        }
    }

    @Test
    void aLargeRoomSaysThatItDoesntTellAll() throws Exception {
        List<RawWebSocket> crowd = new ArrayList<>();
        try (RawWebSocket ada = connect("ada", "small:1")) {
            for (int i = 0; i < 7; i++) {
                crowd.add(connect("u" + i, "small:1"));
            }
            nextOnline(ada, true);
            JsonNode page = presence(ada, "small:1");
            assertTrue(page.get("truncated").asBoolean());
            assertEquals(8, page.get("users").asInt());
            // Not one more than it takes: the last ones might be told of as soon as the others are gone.
            for (int i = 0; i < 3; i++) {
                crowd.get(i).close();
            }
            nextOnline(ada, false);
            page = presence(ada, "small:1");
            assertFalse(page.has("truncated"));
            assertEquals(5, page.get("members").size());
            crowd.get(4).close();
            expectNews(ada, "leave", "small:1", "u4");
        } finally {
            for (RawWebSocket socket : crowd) {
                socket.close();
            }
        }
    }

    /** Reads on to a frame with the number of subscriptions that says this of the names. */
    private static void nextOnline(RawWebSocket socket, boolean truncated) throws IOException {
        while (true) {
            String text = socket.frame().text();
            if (text.startsWith("{\"type\":\"online\"") && text.contains("\"truncated\":true") == truncated) {
                return;
            }
        }
    }

    // ---------------------------------------------------------------- as a backend

    private JsonNode list(String topic) throws IOException, InterruptedException {
        return list(topic, "");
    }

    @Test
    void aBackendReadsAllInPages() throws Exception {
        List<RawWebSocket> crowd = new ArrayList<>();
        try {
            for (int i = 0; i < 7; i++) {
                crowd.add(connect("u" + i, "small:1"));
            }
            crowd.add(gateway.subscriber("small:1"));
            JsonNode whole = list("small:1");
            assertEquals(8, whole.get("online").asInt());
            assertEquals(7, whole.get("users").asInt());
            assertEquals(7, whole.get("members").size(), "a backend gets all, of a large room too");
            assertFalse(whole.has("cursor"));
            JsonNode first = list("small:1", "?limit=3");
            assertEquals(List.of("u0", "u1", "u2"), users(first));
            // Who goes meanwhile, also the one that the cursor points at, moves nothing.
            crowd.get(2).close();
            GatewayUnderTest.await(
                    "it is gone", () -> list("small:1").get("users").asInt() == 6);
            JsonNode second =
                    list("small:1", "?limit=3&cursor=" + first.get("cursor").asString());
            assertEquals(List.of("u3", "u4", "u5"), users(second));
            JsonNode last =
                    list("small:1", "?limit=3&cursor=" + second.get("cursor").asString());
            assertEquals(List.of("u6"), users(last));
            assertFalse(last.has("cursor"));
            assertEquals(
                    400,
                    gateway.get("/v1/topics/small:2/presence?cursor="
                                    + first.get("cursor").asString())
                            .statusCode(),
                    "a cursor of another topic");
        } finally {
            for (RawWebSocket socket : crowd) {
                socket.close();
            }
        }
    }

    private JsonNode list(String topic, String query) throws IOException, InterruptedException {
        return list(topic + "/presence" + query, 200);
    }

    private static List<String> users(JsonNode page) {
        List<String> users = new ArrayList<>();
        page.get("members").forEach(member -> users.add(member.get("user").asString()));
        return users;
    }

    @Test
    void aBackendIsToldWhatTheNamespaceSays() throws Exception {
        assertEquals(
                "{\"topic\":\"room:1\",\"online\":0,\"users\":0,\"members\":[]}",
                list("room:1").toString());
        try (RawWebSocket ada = connect("ada", "plain:1", "hidden:1")) {
            assertEquals("{\"topic\":\"plain:1\",\"online\":1}", list("plain:1").toString());
            assertEquals(
                    "not_permitted", list("hidden:1/presence", 403).get("code").asString());
            assertEquals("bad_request", list("!/presence", 400).get("code").asString());
            assertEquals(
                    "bad_request",
                    list("room:1/presence?limit=0", 400).get("code").asString());
            assertEquals(1, presence(ada, "plain:1").get("online").asInt());
        }
    }

    private JsonNode list(String path, int status) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get("/v1/topics/" + path);
        assertEquals(status, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    // ---------------------------------------------------------------- with other rules

    @Test
    void aLiveRoomFollowsAReload() throws Exception {
        try (GatewayUnderTest live = GatewayUnderTest.start("namespaces: [{name: room, presence: \"off\"}]");
                RawWebSocket ada = live.webSocket("?user=ada&topic=room:1")) {
            assertFalse(ada.expect("subscribed").contains("online"));
            ada.expect("subscribed");
            live.reload("namespaces: [{name: room, presence: members, members: {grace: 0s}}]");
            // Of her, too, who had come before anybody was told.
            expectNews(ada, "join", "room:1", "ada");
            try (RawWebSocket bob = live.webSocket("?user=bob&topic=room:1")) {
                bob.expect("subscribed");
                expectNews(ada, "join", "room:1", "bob");
                assertEquals(2, presence(ada, "room:1").get("members").size());
            }
            expectNews(ada, "leave", "room:1", "bob");
            live.reload("namespaces: [{name: room, presence: counts}]");
            assertFalse(presence(ada, "room:1").has("members"));
            live.reload("namespaces: [{name: room, presence: members, members: {grace: 0s}}]");
            try (RawWebSocket carol = live.webSocket("?user=carol&topic=room:1")) {
                carol.expect("subscribed");
                String news = ada.expect("join") + ada.expect("join");
                assertTrue(news.contains("\"carol\"") && news.contains("\"ada\""), news);
            }
            expectNews(ada, "leave", "room:1", "carol");
            live.reload("namespaces: [{name: room, presence: \"off\"}]");
            assertEquals("not_permitted", refusal(ada, "room:1"));
        }
    }

    @Test
    void othersAreToldTheInfoOfTheToken() throws Exception {
        String info = "{\"name\":\"Ada\",\"badges\":[1,2.50]}";
        try (GatewayUnderTest live = GatewayUnderTest.start(
                        "profile: production\nauth: {keys: [{kid: k1, alg: HS256, secret: " + SECRET + "}]}\n"
                                + "namespaces: [{name: room, subscribe: authenticated, presence: members}]");
                RawWebSocket ada =
                        live.webSocket("?topic=room:1&token=" + token("\"sub\":\"ada\",\"info\":" + info, 600));
                RawWebSocket bob = live.webSocket("?topic=room:1&token=" + token("\"sub\":\"bob\"", 600))) {
            ada.expect("subscribed");
            bob.expect("subscribed");
            JsonNode members = presence(bob, "room:1").get("members");
            assertEquals(JSON.readTree(info), members.get(0).get("info"));
            assertFalse(members.get(1).has("info"));
            String listed = live.get("/v1/topics/room:1/presence").body();
            assertEquals(
                    JSON.readTree(info),
                    JSON.readTree(listed).get("members").get(0).get("info"));
        }
    }
}
