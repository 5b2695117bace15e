package io.barrage.gateway;

import static io.barrage.gateway.auth.TokenFixture.SECRET;
import static io.barrage.gateway.auth.TokenFixture.token;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.barrage.gateway.auth.KeyServer;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.testkit.HookBackend;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Tokens over real sockets. */
class TokenIT {
    private static final String NAMESPACES = """
            namespaces:
              - {name: open, publish: anyone}
              - {name: members, subscribe: authenticated, publish: authenticated, publishValues: authenticated}
              - {name: room, subscribe: token, publish: token, publishValues: token}
              - {name: closed, subscribe: none}
            """;

    private static String auth(String more) {
        return "profile: production\nauth: {keys: [{kid: k1, alg: HS256, secret: " + SECRET + "}]" + more + "}\n"
                + NAMESPACES;
    }

    private static GatewayUnderTest gateway(String more) {
        return GatewayUnderTest.start(auth(more));
    }

    private static RawWebSocket open(GatewayUnderTest gateway, String query, String... headers) throws IOException {
        return RawWebSocket.open(gateway.clientsPort(), query, headers);
    }

    private static String subscribe(String topic, String more) {
        return "{\"type\":\"subscribe\",\"id\":7,\"topic\":\"" + topic + "\"" + more + "}";
    }

    private static String publish(String topic, String more) {
        return "{\"type\":\"publish\",\"id\":8,\"topic\":\"" + topic + "\"" + more + ",\"data\":1}";
    }

    private static String auth(long id, String token) {
        return "{\"type\":\"auth\",\"id\":" + id + ",\"token\":\"" + token + "\"}";
    }

    /** The next frame that isn't about pushes to the user. */
    private static String next(RawWebSocket socket) throws IOException {
        String frame = socket.text();
        while (frame.contains("\"topic\":\"$user:")) {
            frame = socket.text();
        }
        return frame;
    }

    private static void expect(RawWebSocket socket, String type, String... parts) throws IOException {
        String frame = next(socket);
        assertTrue(frame.startsWith("{\"type\":\"" + type + "\""), () -> "expected " + type + ", found " + frame);
        for (String part : parts) {
            assertTrue(frame.contains(part), () -> part + " in " + frame);
        }
    }

    // ---------------------------------------------------------------- connecting

    @Test
    void takesTheTokenFromEachOfThreePlaces() throws Exception {
        String token = token("\"sub\":\"u7\"", 600);
        long expires = Long.parseLong(GatewayUnderTest.find(
                "\"exp\":(\\d+)", new String(Base64.getUrlDecoder().decode(token.split("\\.", -1)[1]), UTF_8)));
        try (GatewayUnderTest gateway = gateway("")) {
            try (RawWebSocket query = open(gateway, "?token=" + token)) {
                expect(query, "welcome", "\"user\":\"u7\"", "\"expires\":" + expires);
            }
            try (RawHttp http = gateway.clientsSocket()) {
                http.say(RawWebSocket.upgrade("", "Sec-WebSocket-Protocol: barrage.v1, token." + token));
                RawHttp.Answer answer = http.answer();
                assertEquals(101, answer.status());
                assertEquals("barrage.v1", answer.header("sec-websocket-protocol"));
            }
            try (RawWebSocket protocol = open(gateway, "", "Sec-WebSocket-Protocol: token." + token + ", barrage.v1")) {
                expect(protocol, "welcome", "\"user\":\"u7\"");
            }
            try (RawWebSocket frame = open(gateway, "?topic=open:1")) {
                frame.say(auth(3, token));
                expect(frame, "welcome", "\"user\":\"u7\"");
                expect(frame, "authenticated", "\"id\":3", "\"user\":\"u7\"", "\"expires\":" + expires);
                expect(frame, "subscribed", "\"topic\":\"open:1\"");
            }
        }
    }

    @Test
    void refusesTokensFromTwoPlaces() throws Exception {
        String token = token("\"sub\":\"u7\"", 600);
        String protocol = "Sec-WebSocket-Protocol: barrage.v1, token." + token;
        try (GatewayUnderTest gateway = gateway("")) {
            for (RawWebSocket socket : List.of(
                    open(gateway, "?token=" + token, protocol),
                    open(gateway, "?token=" + token + "&token=" + token),
                    open(gateway, "", protocol + ", token." + token))) {
                try (socket) {
                    expect(socket, "error", "\"code\":\"bad_request\"", "more than one token");
                    socket.expectClose(4400);
                }
            }
        }
    }

    @Test
    void closesWithoutGoodToken() throws Exception {
        try (GatewayUnderTest gateway = gateway(", audience: barrage")) {
            Map<String, String> wrong = Map.of(
                    "",
                    "isn't a signed JWT",
                    "x",
                    "isn't a signed JWT",
                    token("\"sub\":\"u7\"", 600),
                    "no claim 'aud'",
                    token("\"aud\":\"shop\"", 600),
                    "another audience",
                    token("\"aud\":\"barrage\"", 600) + "A",
                    "signature");
            for (Map.Entry<String, String> entry : wrong.entrySet()) {
                try (RawWebSocket socket = open(gateway, "?topic=open:1&token=" + entry.getKey())) {
                    expect(socket, "error", "\"code\":\"unauthorized\"", entry.getValue());
                    assertEquals("unauthorized", socket.expectClose(4401));
                }
                try (RawWebSocket socket = open(gateway, "")) {
                    socket.say(auth(9, entry.getKey()));
                    expect(socket, "error", "\"id\":9", "\"code\":\"unauthorized\"", entry.getValue());
                    socket.expectClose(4401);
                }
            }
            try (RawWebSocket socket = open(gateway, "?token=" + token("\"aud\":\"barrage\"", -31))) {
                // 31, or more by a second that ends meanwhile.
                expect(socket, "error", "\"code\":\"token_expired\"", "the token has expired 3", " s ago");
                socket.expectClose(4401);
            }
        }
    }

    /** The one test that takes the five seconds. */
    @Test
    void waitsForATokenButNotForEver() throws Exception {
        CountDownLatch decided = new CountDownLatch(1);
        try (HookBackend backend = new HookBackend()) {
            backend.answer("/connect", call -> {
                HookBackend.await(decided);
                return HookBackend.ok("{\"allow\":true}");
            });
            String hook = "server: {loops: 1}\nhooks: {secret: " + HookBackend.SECRET
                    + ", connect: {timeout: 1m, url: '" + backend.url("/connect") + "'}}\n";
            try (GatewayUnderTest gateway = GatewayUnderTest.start(auth("") + hook);
                    RawWebSocket looking = open(gateway, "");
                    RawWebSocket socket = open(gateway, "?topic=open:1")) {
                looking.say(auth(1, token("\"sub\":\"u7\"", 600)));
                backend.next("/connect");
                socket.say(subscribe("open:2", ""));
                expect(socket, "error", "\"id\":7", "\"code\":\"unauthorized\"", "a token comes first");
                expect(socket, "error", "\"code\":\"unauthorized\"", "no token came in time");
                socket.expectClose(4401);
                // One that has come in time may be looked at for longer.
                decided.countDown();
                expect(looking, "welcome", "\"user\":\"u7\"");
            }
        }
    }

    @Test
    void letsAnonymousInWhereTheyMay() throws Exception {
        try (GatewayUnderTest gateway = gateway(", anonymous: true");
                RawWebSocket socket = open(gateway, "?topic=open:1&topic=members:1&topic=room:1&user=u7")) {
            assertFalse(socket.expect("welcome").contains("u7"));
            expect(socket, "subscribed", "open:1");
            expect(socket, "error", "members:1", "not_permitted", "that needs a token");
            expect(socket, "error", "room:1", "not_permitted", "no token names it");
            socket.say(publish("members:1", ""));
            expect(socket, "error", "members:1", "not_permitted");
            // A bad token leaves it what it is.
            socket.say(auth(9, "x"));
            expect(socket, "error", "\"id\":9", "\"code\":\"unauthorized\"", "isn't a signed JWT");
            socket.say(subscribe("open:2", ""));
            expect(socket, "subscribed", "open:2");
            try (RawWebSocket bad = open(gateway, "?token=x")) {
                bad.expect("error");
                bad.expectClose(4401);
            }
        }
    }

    @Test
    void anAnonymousClientBecomesTheUserOfItsFirstToken() throws Exception {
        String claims = "\"sub\":\"u7\",\"join\":[\"room:3\"],\"topics\":{\"publish\":[\"open:1\"]}";
        try (GatewayUnderTest gateway = gateway(", anonymous: true");
                RawWebSocket socket = open(gateway, "?topic=open:1")) {
            assertFalse(socket.expect("welcome").contains("\"user\""));
            expect(socket, "subscribed", "open:1");
            String token = token(claims, 600);
            socket.say(auth(1, token));
            expect(socket, "authenticated", "\"id\":1", "\"user\":\"u7\"", "\"expires\":");
            expect(socket, "subscribed", "room:3");
            assertTrue(socket.expect("subscribed").contains("\"topic\":\"$user:u7\""));
            // It has all that a user has.
            gateway.post("/v1/publish", "{\"user\":\"u7\",\"data\":\"for you\"}");
            assertTrue(socket.expect("message").contains("for you"));
            assertTrue(gateway.get("/v1/users/u7").body().contains("open:1"));
            socket.say(subscribe("members:1", ""));
            expect(socket, "subscribed", "members:1");
            socket.say("{\"type\":\"publish\",\"topic\":\"open:1\",\"data\":1}");
            expect(socket, "message", "\"topic\":\"open:1\"", "\"sender\":\"u7\"");
            // And stays who it is.
            socket.say(auth(2, token("\"sub\":\"u8\"", 600)));
            expect(socket, "error", "\"id\":2", "\"code\":\"unauthorized\"", "for user 'u8'", "of user 'u7'");
            socket.say(auth(3, token("", 600)));
            expect(socket, "error", "\"id\":3", "\"code\":\"unauthorized\"", "for nobody");
            socket.say(auth(4, token));
            expect(socket, "authenticated", "\"id\":4", "\"user\":\"u7\"");
            assertEquals(200, gateway.post("/v1/users/u7/disconnect", "{}").statusCode());
            assertEquals("forbidden", socket.expectClose(4403));
        }
    }

    @Test
    void anAnonymousClientsFirstTokenNeedsNoName() throws Exception {
        try (GatewayUnderTest gateway = gateway(", anonymous: true");
                RawWebSocket socket = open(gateway, "")) {
            socket.expect("welcome");
            socket.say(auth(1, token("\"join\":[\"room:3\"]", 600)));
            expect(socket, "authenticated", "\"id\":1", "\"expires\":");
            expect(socket, "subscribed", "room:3");
            socket.say(subscribe("members:1", ""));
            expect(socket, "subscribed", "members:1");
            // It is somebody already, whoever that is.
            socket.say(auth(2, token("\"sub\":\"u7\"", 600)));
            expect(socket, "error", "\"id\":2", "\"code\":\"unauthorized\"", "of nobody");
        }
    }

    @Test
    void ofTwoFirstTokensTheFirstCounts() throws Exception {
        try (GatewayUnderTest gateway = gateway(", anonymous: true");
                RawWebSocket socket = open(gateway, "?topic=open:1")) {
            socket.expect("welcome");
            socket.expect("subscribed");
            socket.send(
                    RawWebSocket.frame(RawWebSocket.FIN | RawWebSocket.TEXT, auth(1, token("\"sub\":\"u7\"", 600))),
                    RawWebSocket.frame(RawWebSocket.FIN | RawWebSocket.TEXT, auth(2, token("\"sub\":\"u8\"", 600))));
            expect(socket, "authenticated", "\"id\":1", "\"user\":\"u7\"");
            expect(socket, "error", "\"id\":2", "for user 'u8'", "of user 'u7'");
            assertTrue(gateway.get("/v1/users/u7").body().contains("open:1"));
            assertFalse(gateway.get("/v1/users/u8").body().contains("open:1"));
        }
    }

    @Test
    void aFirstTokenEndsAsOthersDo() throws Exception {
        try (GatewayUnderTest gateway = gateway(", anonymous: true, renewal: 1s");
                RawWebSocket socket = open(gateway, "")) {
            socket.expect("welcome");
            socket.say(auth(1, token("\"sub\":\"u7\"", 2)));
            expect(socket, "authenticated", "\"id\":1");
            expect(socket, "error", "\"code\":\"token_expired\"", "within 1 s");
            assertEquals("unauthorized", socket.expectClose(4401));
        }
    }

    @Test
    void takesAPlaceOfItsUserWithTheName() throws Exception {
        String token = token("\"sub\":\"u7\"", 600);
        try (GatewayUnderTest gateway =
                GatewayUnderTest.start(auth(", anonymous: true") + "limits: {connectionsPerUser: 1}\n")) {
            try (RawWebSocket first = open(gateway, "");
                    RawWebSocket second = open(gateway, "?topic=open:1")) {
                first.expect("welcome");
                first.say(auth(1, token));
                expect(first, "authenticated", "\"user\":\"u7\"");
                second.expect("welcome");
                second.expect("subscribed");
                second.say(auth(1, token));
                assertTrue(second.expectClose(4429).startsWith("too_many_connections_of_user "));
                assertEquals(1, gateway.metric("barrage_limited_total{limit=\"connections_per_user\""));
                first.say(auth(2, token));
                expect(first, "authenticated", "\"id\":2");
            }
            GatewayUnderTest.await("both have left", () -> gateway.metric("barrage_connections") == 0);
            try (RawWebSocket third = open(gateway, "")) {
                third.expect("welcome");
                third.say(auth(3, token));
                expect(third, "authenticated", "\"id\":3");
            }
        }
    }

    @Test
    void showsTheOneWhoTakesANameToTheOthers() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(
                        "profile: production\nauth: {anonymous: true, keys: [{alg: HS256, secret: " + SECRET
                                + "}]}\nnamespaces: [{name: room, presence: members, members: {grace: 0s}}]\n");
                RawWebSocket ada = open(gateway, "?topic=room:1&token=" + token("\"sub\":\"ada\"", 600))) {
            ada.expect("welcome");
            expect(ada, "subscribed", "room:1");
            expect(ada, "join", "\"user\":\"ada\"");
            try (RawWebSocket nobody = open(gateway, "?topic=room:1")) {
                nobody.expect("welcome");
                expect(nobody, "subscribed", "room:1");
                nobody.say(auth(1, token("\"sub\":\"bob\",\"info\":{\"level\":1}", 600)));
                expect(nobody, "authenticated", "\"user\":\"bob\"");
                expect(ada, "join", "\"user\":\"bob\"");
                expect(nobody, "join", "\"user\":\"bob\"");
                assertTrue(members(gateway, "room:1")
                        .contains("{\"user\":\"bob\",\"connections\":1,\"info\":{\"level\":1}}"));
            }
            expect(ada, "leave", "\"user\":\"bob\"");
        }
    }

    /** A name that anybody may choose is none where tokens are. */
    @Test
    void takesNoNameFromTheQueryWhereThereAreTokens() throws Exception {
        String yaml = "auth: {anonymous: true, keys: [{alg: HS256, secret: " + SECRET + "}]}";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(yaml);
                RawWebSocket socket = open(gateway, "?user=u7")) {
            assertFalse(socket.expect("welcome").contains("\"user\""));
        }
    }

    // ---------------------------------------------------------------- rules

    @Test
    void keepsToTheRulesOfNamespaces() throws Exception {
        String claims = "\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:1*\",\"closed:1\"],\"publish\":[\"room:2\"]}";
        try (GatewayUnderTest gateway = gateway("");
                RawWebSocket socket = open(gateway, "?token=" + token(claims, 600))) {
            socket.expect("welcome");
            for (String topic : List.of("open:1", "members:1", "room:1", "room:17")) {
                socket.say(subscribe(topic, ""));
                expect(socket, "subscribed", "\"topic\":\"" + topic + "\"");
            }
            for (String topic : List.of("room:2", "closed:1")) {
                socket.say(subscribe(topic, ""));
                expect(socket, "error", "\"topic\":\"" + topic + "\"", "not_permitted");
            }
            String value = ",\"key\":\"k\",\"merge\":\"sum\"";
            for (String more : List.of("", value)) {
                socket.say(publish("room:2", more));
                expect(socket, "published", "\"id\":8");
                socket.say(publish("room:1", more));
                expect(socket, "error", "\"id\":8", "not_permitted", "no token names it");
            }
            socket.say(publish("members:2", value));
            expect(socket, "published", "\"id\":8");
            socket.say(publish("members:1", ""));
            // The message itself, and the answer, in whichever order.
            List<String> both = List.of(next(socket), next(socket));
            assertTrue(both.stream().anyMatch(frame -> frame.contains("\"sender\":\"u7\"")), both.toString());
        }
    }

    @Test
    void putsAConnectionOnItsTopics() throws Exception {
        String claims = "\"sub\":\"u7\",\"join\":[\"room:1\",\"closed:9\"]";
        try (GatewayUnderTest gateway = gateway("");
                RawWebSocket socket = open(gateway, "?topic=room:1&token=" + token(claims, 600))) {
            socket.expect("welcome");
            expect(socket, "subscribed", "room:1");
            expect(socket, "subscribed", "closed:9");
            gateway.publish("closed:9", "5");
            expect(socket, "message", "closed:9");
            // A new token without them takes them away.
            socket.say(auth(4, token("\"sub\":\"u7\",\"join\":[\"closed:9\"]", 600)));
            expect(socket, "authenticated", "\"id\":4");
            expect(socket, "unsubscribed", "room:1", "not_permitted");
            gateway.publish("closed:9", "6");
            expect(socket, "message", "closed:9");
        }
    }

    // ---------------------------------------------------------------- time

    @Test
    void closesWhenTheTokenHasExpiredAndNoneComes() throws Exception {
        try (GatewayUnderTest gateway = gateway(", renewal: 1s");
                RawWebSocket socket = open(gateway, "?topic=open:1&token=" + token("\"sub\":\"u7\"", 2))) {
            socket.expect("welcome");
            socket.expect("subscribed");
            expect(socket, "error", "\"code\":\"token_expired\"", "within 1 s");
            assertEquals("unauthorized", socket.expectClose(4401));
        }
    }

    @Test
    void leavesATopicToItsDeadlineIfAReloadComesBeforeTheNewToken() throws Exception {
        String more = ", leeway: 0s, renewal: 1m";
        String claims = "\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:*\"]},\"join\":[\"closed:1\"]";
        String[] topics = {"members:1", "room:1", "closed:1"};
        try (GatewayUnderTest gateway = gateway(more);
                RawWebSocket socket = open(gateway, "?topic=members:1&topic=room:1&token=" + token(claims, 2))) {
            socket.expect("welcome");
            for (String topic : topics) {
                expect(socket, "subscribed", topic);
            }
            expect(socket, "error", "\"code\":\"token_expired\"");
            gateway.reload(auth(more).replace("{name: open, publish: anyone}", "{name: open, subscribe: none}"));
            for (String topic : topics) {
                gateway.publish(topic, "1");
                expect(socket, "message", topic);
            }
            socket.say(subscribe("room:2", ""));
            expect(socket, "error", "\"code\":\"token_expired\"");
        }
    }

    @Test
    void goesOnWithANewToken() throws Exception {
        String wide = "\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:*\"]}";
        String narrow = "\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:2\"]}";
        try (GatewayUnderTest gateway = gateway(", renewal: 20s");
                RawWebSocket socket =
                        open(gateway, "?topic=room:1&topic=room:2&topic=members:1&token=" + token(wide, 2))) {
            socket.expect("welcome");
            for (int i = 0; i < 3; i++) {
                socket.expect("subscribed");
            }
            expect(socket, "error", "\"code\":\"token_expired\"");
            // Neither somebody else's token nor a bad one changes anything.
            socket.say(auth(1, token("\"sub\":\"u8\"", 600)));
            expect(socket, "error", "\"id\":1", "\"code\":\"unauthorized\"", "for user 'u8'", "of user 'u7'");
            socket.say(auth(2, token("", 600)));
            expect(socket, "error", "\"id\":2", "\"code\":\"unauthorized\"", "for nobody");
            socket.say(auth(3, "x"));
            expect(socket, "error", "\"id\":3", "\"code\":\"unauthorized\"");
            socket.say(auth(4, token(narrow, 5)));
            expect(socket, "authenticated", "\"id\":4", "\"user\":\"u7\"");
            expect(socket, "unsubscribed", "room:1", "\"code\":\"not_permitted\"");
            gateway.publish("room:1", "1");
            gateway.publish("room:2", "2");
            expect(socket, "message", "room:2");
            gateway.publish("members:1", "3");
            expect(socket, "message", "members:1");
            // Its end comes, too.
            expect(socket, "error", "\"code\":\"token_expired\"");
            socket.say("{\"type\":\"auth\",\"token\":\"" + token(narrow, 600) + "\"}");
            socket.say("{\"type\":\"ping\",\"id\":5}");
            expect(socket, "pong", "\"id\":5");
        }
    }

    @Test
    void showsTheNewTokensInfoToThoseWhoAsk() throws Exception {
        String ada = "\"sub\":\"ada\",\"info\":{\"name\":\"Ada\",\"level\":1}";
        try (GatewayUnderTest gateway =
                        GatewayUnderTest.start("profile: production\nauth: {keys: [{alg: HS256, secret: " + SECRET
                                + "}]}\nnamespaces: [{name: room, subscribe: authenticated, presence: members}]\n");
                RawWebSocket socket = open(gateway, "?topic=room:1&topic=room:2&token=" + token(ada, 600))) {
            socket.expect("welcome");
            for (String topic : new String[] {"room:1", "room:2"}) {
                assertTrue(members(gateway, topic).contains("\"info\":{\"name\":\"Ada\",\"level\":1}}]"), topic);
            }
            for (String next : new String[] {ada.replace("1}", "2}"), "\"sub\":\"ada\""}) {
                socket.say(auth(4, token(next, 600)));
                GatewayUnderTest.await(
                        "everybody may see it",
                        () -> members(gateway, "room:1").contains("\"level\":2")
                                && members(gateway, "room:2").contains("\"level\":2"));
            }
        }
    }

    @Test
    void tellsHalfAnEmojiOfAUsersInfo() throws Exception {
        String half = "\"sub\":\"ada\",\"info\":{\"names\":[\"\\ud83d\",\"\\ude00\"]}";
        String told = "\"info\":{\"names\":[\"\\uD83D\",\"\\uDE00\"]}}]";
        try (GatewayUnderTest gateway =
                        GatewayUnderTest.start("profile: production\nauth: {keys: [{alg: HS256, secret: " + SECRET
                                + "}]}\nnamespaces: [{name: room, subscribe: authenticated, presence: members}]\n");
                RawWebSocket ada = open(gateway, "?topic=room:1&token=" + token(half, 600))) {
            ada.expect("welcome");
            expect(ada, "subscribed", "room:1");
            ada.say("{\"type\":\"presence\",\"id\":5,\"topic\":\"room:1\"}");
            String frame = next(ada);
            while (!frame.contains("\"id\":5,")) {
                frame = next(ada);
            }
            assertTrue(frame.contains(told), frame);
            String page = members(gateway, "room:1");
            assertTrue(page.contains(told), page);
        }
    }

    private static String members(GatewayUnderTest gateway, String topic) throws IOException, InterruptedException {
        return gateway.get("/v1/topics/" + topic + "/presence").body();
    }

    // ---------------------------------------------------------------- tokens for topics

    @Test
    void takesTokensForSingleTopics() throws Exception {
        String claims = "\"topics\":{\"subscribe\":[\"room:9\"],\"publish\":[\"room:9\"]}";
        try (GatewayUnderTest gateway = gateway("");
                RawWebSocket socket = open(gateway, "?token=" + token("\"sub\":\"u7\"", 600))) {
            socket.expect("welcome");
            socket.say(subscribe("room:9", ""));
            expect(socket, "error", "room:9", "not_permitted");
            socket.say(subscribe("room:9", ",\"token\":\"" + token("\"sub\":\"u8\"," + claims, 600) + "\""));
            expect(socket, "error", "room:9", "\"code\":\"unauthorized\"", "for user 'u8'");
            socket.say(subscribe("room:9", ",\"token\":\"x\""));
            expect(socket, "error", "room:9", "\"code\":\"unauthorized\"");
            socket.say(subscribe("room:8", ",\"token\":\"" + token(claims, 600) + "\""));
            expect(socket, "error", "room:8", "not_permitted");
            socket.say(subscribe("room:9", ",\"token\":\"" + token("\"sub\":\"u7\"," + claims, 600) + "\""));
            expect(socket, "subscribed", "room:9");
            socket.say("{\"type\":\"publish\",\"topic\":\"room:9\",\"data\":1}");
            expect(socket, "message", "room:9");
            // The token is for it, and goes with it.
            socket.say(publish("room:8", ""));
            expect(socket, "error", "room:8", "not_permitted");
            socket.say("{\"type\":\"unsubscribe\",\"id\":1,\"topic\":\"room:9\"}");
            socket.expect("unsubscribed");
            socket.say(publish("room:9", ""));
            expect(socket, "error", "room:9", "not_permitted");
        }
    }

    @Test
    void keepsATopicsTokenUntilABetterOneComes() throws Exception {
        String claims = "\"sub\":\"u7\",\"topics\":{\"subscribe\":[\"room:9\"],\"publish\":[\"room:9\"]}";
        String own = token("\"sub\":\"u7\"", 600);
        try (GatewayUnderTest gateway = gateway(", renewal: 1s");
                RawWebSocket socket = open(gateway, "?token=" + own)) {
            socket.expect("welcome");
            socket.say(subscribe("room:9", ",\"token\":\"" + token(claims, 4) + "\""));
            expect(socket, "subscribed", "room:9");
            // Good for longer, but not for this.
            socket.say(subscribe("room:9", ",\"token\":\"" + own + "\""));
            expect(socket, "error", "room:9", "not_permitted");
            socket.say(publish("room:9", ""));
            List<String> both = List.of(next(socket), next(socket));
            assertTrue(both.stream().anyMatch(frame -> frame.startsWith("{\"type\":\"published\"")), both.toString());
            expect(socket, "error", "room:9", "\"code\":\"token_expired\"");
            expect(socket, "unsubscribed", "room:9", "\"code\":\"token_expired\"");
        }
    }

    @Test
    void forgetsATopicsTokenWhenTheBackendTakesTheTopicAway() throws Exception {
        String claims = "\"topics\":{\"subscribe\":[\"room:9\"],\"publish\":[\"room:9\"]}";
        try (GatewayUnderTest gateway = gateway("");
                RawWebSocket socket = open(gateway, "?token=" + token("\"sub\":\"u7\"", 600))) {
            socket.expect("welcome");
            socket.say(subscribe("room:9", ",\"token\":\"" + token(claims, 600) + "\""));
            expect(socket, "subscribed", "room:9");
            assertEquals(
                    200,
                    gateway.post("/v1/users/u7/unsubscribe", "{\"topic\":\"room:9\"}")
                            .statusCode());
            expect(socket, "unsubscribed", "room:9", "by_backend");
            socket.say(publish("room:9", ""));
            expect(socket, "error", "room:9", "not_permitted");
            socket.say(subscribe("room:9", ""));
            expect(socket, "error", "room:9", "not_permitted");
        }
    }

    @Test
    void takesATopicAwayWhenItsTokenHasExpired() throws Exception {
        String claims = "\"topics\":{\"subscribe\":[\"room:*\"]}";
        try (GatewayUnderTest gateway = gateway(", renewal: 3s");
                RawWebSocket socket = open(gateway, "?token=" + token("\"sub\":\"u7\"", 600))) {
            socket.expect("welcome");
            socket.say(subscribe("room:1", ",\"token\":\"" + token(claims, 2) + "\""));
            expect(socket, "subscribed", "room:1");
            expect(socket, "error", "room:1", "\"code\":\"token_expired\"");
            // A new one, in time.
            socket.say(subscribe("room:1", ",\"token\":\"" + token(claims, 2) + "\""));
            expect(socket, "authenticated", "\"id\":7");
            expect(socket, "error", "room:1", "\"code\":\"token_expired\"");
            expect(socket, "unsubscribed", "room:1", "\"code\":\"token_expired\"");
            socket.say("{\"type\":\"ping\",\"id\":5}");
            expect(socket, "pong", "\"id\":5");
        }
    }

    // ---------------------------------------------------------------- keys of a provider

    @Test
    void takesTokensOfAnIdentityProviderThatChangesItsKeys() throws Exception {
        try (KeyServer provider = new KeyServer()) {
            provider.keys(KeyServer.jwk("old", "ec256", ""));
            String yaml = "profile: production\nauth: {jwks: {url: '" + provider.url() + "', minInterval: 1s}}\n";
            try (GatewayUnderTest gateway = GatewayUnderTest.start(yaml)) {
                try (RawWebSocket socket = open(gateway, "?token=" + ofProvider("ec256", "old"))) {
                    expect(socket, "welcome", "\"user\":\"u7\"");
                }
                provider.keys(KeyServer.jwk("old", "ec256", ""), KeyServer.jwk("new", "ec256-2", ""));
                String fresh = ofProvider("ec256-2", "new");
                GatewayUnderTest.await("the new key is taken", () -> {
                    try (RawWebSocket socket = open(gateway, "?token=" + fresh)) {
                        return socket.text().startsWith("{\"type\":\"welcome\"");
                    }
                });
                try (RawWebSocket socket = open(gateway, "")) {
                    socket.say(auth(1, ofProvider("ec256-3", "invented")));
                    expect(socket, "error", "\"code\":\"unauthorized\"", "key 'invented' isn't known");
                    socket.expectClose(4401);
                }
            }
        }
    }

    private static String ofProvider(String pair, String kid) {
        return TokenFixture.signed(
                "ES256",
                TokenFixture.pair(pair).getPrivate(),
                "{\"alg\":\"ES256\",\"kid\":\"" + kid + "\"}",
                "{\"sub\":\"u7\",\"exp\":" + (System.currentTimeMillis() / 1000 + 600) + "}");
    }

    // ---------------------------------------------------------------- secrets

    /** Keeps every line. */
    private static final class Lines extends AppenderBase<ILoggingEvent> {
        private final List<String> all = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            StringBuilder line = new StringBuilder(event.getLoggerName() + " " + event.getFormattedMessage());
            for (var cause = event.getThrowableProxy(); cause != null; cause = cause.getCause()) {
                line.append(' ').append(cause.getMessage());
            }
            all.add(line.toString());
        }
    }

    @Test
    void neverLogsOrShowsATokenOfAUrl() throws Exception {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        Lines lines = new Lines();
        lines.start();
        root.addAppender(lines);
        root.setLevel(Level.TRACE);
        String good = token("\"sub\":\"u7\"", 600);
        String bad = good.substring(0, good.length() - 2);
        // Part of each of them, whatever else is cut off or put before it.
        String mark = good.substring(good.indexOf('.') + 1, good.indexOf('.') + 21);
        StringBuilder shown = new StringBuilder();
        try (GatewayUnderTest gateway = gateway("")) {
            for (String token : List.of(good, bad)) {
                for (String target : List.of(
                        "/ws?token=" + token,
                        "/ws?token=" + token + "&token=" + token,
                        "/ws?token=%zz" + token,
                        "/ws?token=" + token + "%",
                        "/ws?batch=2&token=" + token,
                        "/ws?topic=*&since=*&token=" + token,
                        "/nothing?token=" + token,
                        "http://other/ws?token=" + token,
                        "/ws?token=a " + token,
                        "/ws?token=" + token + "\u0001",
                        "/ws?token=" + token + "x".repeat(17_000))) {
                    for (String method : List.of("GET", "POST", "WHAT EVER")) {
                        shown.append(asked(gateway, method, target, ""));
                    }
                    shown.append(asked(gateway, "GET", target, "Origin: https://evil.example\n"));
                }
                shown.append(asked(gateway, "GET", "/ws", "Sec-WebSocket-Protocol: token." + token + "\n"));
                shown.append(asked(gateway, "GET", "/ws", "Sec-WebSocket-Protocol: barrage.v1, token." + token + "\n"));
                shown.append(
                        asked(gateway, "GET", "/ws", "Sec-WebSocket-Protocol: barrage.v1, to ken." + token + "\n"));
                shown.append(asked(gateway, "GET", "/ws", "Bad Header: " + token + "\n"));
                try (RawWebSocket socket = open(gateway, "")) {
                    socket.say("{\"type\":\"auth\",\"token\":\"" + token + "\",}");
                    shown.append(socket.text());
                    socket.say("{\"type\":\"auth\",\"token\":[\"" + token + "\"]}");
                    shown.append(socket.text());
                    socket.say(auth(1, token + token));
                    shown.append(socket.text());
                    socket.expectClose(4401);
                }
            }
        } finally {
            root.setLevel(before);
            root.detachAppender(lines);
            lines.stop();
        }
        assertTrue(lines.all.stream().anyMatch(line -> line.contains("Closing a connection")), "nothing was logged");
        assertTrue(shown.toString().contains("problem+json"), "nothing was refused");
        assertEquals(
                List.of(),
                lines.all.stream().filter(line -> line.contains(mark)).toList());
        int at = shown.indexOf(mark);
        assertEquals(-1, at, () -> shown.substring(Math.max(0, at - 300), at));
    }

    /** All that comes back before the gateway ends the connection, or answers to a close frame. */
    private static String asked(GatewayUnderTest gateway, String method, String target, String headers)
            throws IOException {
        try (RawHttp http = gateway.clientsSocket()) {
            http.say(method + " " + target + " HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
                    + "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: " + RawWebSocket.KEY + "\n" + headers + "\n");
            http.send(RawWebSocket.frame(RawWebSocket.FIN | RawWebSocket.CLOSE, RawWebSocket.closing(1000, "")));
            http.socket().shutdownOutput();
            return new String(http.in().readAllBytes(), java.nio.charset.StandardCharsets.ISO_8859_1);
        } catch (java.net.SocketException e) {
            // Closed with something unread: what was said is lost, and what was logged isn't.
            return "";
        }
    }
}
