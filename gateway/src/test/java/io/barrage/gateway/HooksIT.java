package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.testkit.HookBackend;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A backend decides what clients may do, and hears what they have done. */
@Timeout(60)
class HooksIT {
    private static final String FAILED = "The backend's hook failed. hook=";
    private static final String NO_ANSWER = "\"code\":\"hook_failed\"";

    private HookBackend backend;

    @BeforeEach
    void start() throws IOException {
        backend = new HookBackend();
    }

    @AfterEach
    void stop() {
        backend.close();
    }

    /** @param hooks names, or names and more settings: {@code publish, timeout: 50ms} */
    private GatewayUnderTest gateway(String namespaces, String... hooks) {
        StringBuilder yaml = new StringBuilder("hooks:\n  secret: " + HookBackend.SECRET + "\n");
        for (String hook : hooks) {
            String[] parts = hook.split(", ", 2);
            yaml.append("  ")
                    .append(parts[0])
                    .append(": {url: '")
                    .append(backend.url("/" + parts[0]))
                    .append("', ")
                    // Nothing here passes by waiting.
                    .append(parts.length == 1 ? "timeout: 1m" : parts[1])
                    .append("}\n");
        }
        return GatewayUnderTest.start(yaml + "namespaces: [" + namespaces + "]\n");
    }

    private static String moderated(String... more) {
        return "{name: room, publish: hook, publishValues: hook" + String.join("", more) + "}";
    }

    private static String publish(int id, String topic, String data) {
        return "{\"type\":\"publish\",\"id\":" + id + ",\"topic\":\"" + topic + "\",\"data\":" + data + "}";
    }

    // ---------------------------------------------------------------- connect

    @Test
    void letsTheBackendSayWhoSomebodyIsAndWhereItIs() throws Exception {
        backend.answer("/connect", call -> {
            assertTrue(call.has("\"token\":\"session-of-ann\""), call.body());
            return HookBackend.ok("{\"allow\":true,\"user\":\"ann\",\"join\":[\"room:1\"],\"expires\":4000000000}");
        });
        try (GatewayUnderTest gateway = gateway("{name: room}", "connect");
                RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?token=session-of-ann")) {
            String welcome = socket.expect("welcome");
            assertTrue(welcome.contains("\"user\":\"ann\""), welcome);
            assertTrue(welcome.contains("\"expires\":4000000000"), welcome);
            assertTrue(socket.expect("subscribed").contains("\"topic\":\"room:1\""));
            assertTrue(socket.expect("subscribed").contains("\"topic\":\"$user:ann\""));
            HookBackend.Call call = backend.next("/connect");
            assertTrue(call.has("\"address\":\"127.0.0.1\""), call.body());
            assertEquals(1, gateway.metric("barrage_hook_calls_total{hook=\"connect\",outcome=\"allowed\""));

            backend.answer("/connect", renewal -> {
                assertTrue(renewal.has("\"user\":\"ann\",\"authenticated\":true"), renewal.body());
                assertTrue(renewal.has("\"token\":\"next\",\"renewal\":true"), renewal.body());
                return HookBackend.ok("{\"allow\":true,\"expires\":4000000001}");
            });
            socket.say("{\"type\":\"auth\",\"id\":1,\"token\":\"next\"}");
            assertEquals(
                    "{\"type\":\"authenticated\",\"id\":1,\"user\":\"ann\",\"expires\":4000000001}", socket.text());

            backend.answer("/connect", other -> HookBackend.ok("{\"allow\":true,\"user\":\"bob\"}"));
            socket.say(auth(2, "session-of-bob"));
            String refusal = socket.expect("error");
            assertTrue(refusal.contains("\"code\":\"unauthorized\""), refusal);
            assertTrue(refusal.contains("connect anew to be somebody else"), refusal);
            assertEquals(3, gateway.metric("barrage_hook_calls_total{hook=\"connect\",outcome=\"allowed\""));
        }
    }

    @Test
    void turnsAwayWhomTheBackendRefuses() throws Exception {
        backend.answer(
                "/connect",
                call -> HookBackend.ok(
                        call.has("\"user\":\"eve\"")
                                ? "{\"allow\":false,\"reason\":\"banned\"}"
                                : "{\"allow\":false,\"code\":4401}"));
        try (GatewayUnderTest gateway = gateway("", "connect")) {
            try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=eve")) {
                assertEquals("{\"type\":\"error\",\"code\":\"forbidden\",\"message\":\"banned\"}", socket.text());
                assertEquals("forbidden", socket.expectClose(4403));
            }
            try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?user=bob")) {
                socket.expect("error");
                socket.expectClose(4401);
            }
        }
    }

    @Test
    void sendsClientsAwayForAWhileIfTheBackendIsDown() throws Exception {
        backend.close();
        try (GatewayUnderTest gateway = gateway("", "connect").expectTrouble(FAILED + "connect");
                RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "")) {
            assertTrue(socket.expect("error").contains(NO_ANSWER));
            socket.expectClose(4503);
        }
    }

    @Test
    void letsEverybodyInIfTheBackendIsDownAndThatIsTheRule() throws Exception {
        backend.close();
        try (GatewayUnderTest gateway = gateway("", "connect, onFailure: allow").expectTrouble(FAILED + "connect");
                RawWebSocket socket = gateway.webSocket("")) {
            socket.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    // ---------------------------------------------------------------- connect, besides tokens

    private GatewayUnderTest gatewayWithTokens(String hook) {
        return GatewayUnderTest.start("profile: production\nauth: {keys: [{alg: HS256, secret: " + TokenFixture.SECRET
                + "}]}\nhooks: {secret: " + HookBackend.SECRET + ", connect: {url: '" + backend.url("/connect") + "', "
                + hook + "}}\nnamespaces: [{name: room, subscribe: token}]\n");
    }

    private static String auth(int id, String token) {
        return "{\"type\":\"auth\",\"id\":" + id + ",\"token\":\"" + token + "\"}";
    }

    @Test
    void asksAboutThoseWhoseTokensAreGood() throws Exception {
        backend.answer(
                "/connect",
                call -> HookBackend.ok(
                        call.has("\"user\":\"eve\"")
                                ? "{\"allow\":false,\"reason\":\"banned\"}"
                                : "{\"allow\":true,\"topics\":{\"subscribe\":[\"room:*\"]}}"));
        try (GatewayUnderTest gateway = gatewayWithTokens("timeout: 1m")) {
            try (RawWebSocket bad = RawWebSocket.open(gateway.clientsPort(), "?token=made.up.token")) {
                assertTrue(bad.expect("error").contains("\"code\":\"unauthorized\""));
                bad.expectClose(4401);
            }
            assertEquals(0, backend.waiting("/connect"));
            String eve = TokenFixture.token("\"sub\":\"eve\"", 600);
            try (RawWebSocket banned = RawWebSocket.open(gateway.clientsPort(), "?token=" + eve)) {
                assertTrue(banned.expect("error").contains("banned"));
                banned.expectClose(4403);
            }
            HookBackend.Call call = backend.next("/connect");
            assertTrue(call.has("\"user\":\"eve\",\"authenticated\":true"), call.body());
            assertFalse(call.has("token"), call.body());

            String ann = TokenFixture.token("\"sub\":\"ann\",\"info\":{\"name\": \"Ann \\ud83d\"}", 600);
            try (RawWebSocket socket = gateway.webSocket("?token=" + ann + "&topic=room:1")) {
                HookBackend.Call asked = backend.next("/connect");
                assertTrue(asked.has("\"info\":{\"name\":\"Ann \\uD83D\"}"), asked.body());
                assertTrue(socket.expect("subscribed").contains("room:1"));
                assertTrue(socket.expect("subscribed").contains("$user:ann"));
                socket.say(auth(1, ann)).expect("authenticated");
                assertTrue(backend.next("/connect").has("\"renewal\":true"));
                socket.say(auth(2, eve));
                assertTrue(socket.expect("error").contains("connect anew to be somebody else"));
                assertEquals(0, backend.waiting("/connect"));
            }
        }
    }

    @Test
    void namesWhomATokenLeavesNameless() throws Exception {
        backend.answer("/connect", call -> HookBackend.ok("{\"allow\":true,\"user\":\"ann\"}"));
        String nameless = TokenFixture.token("\"info\":{}", 600);
        try (GatewayUnderTest gateway = gatewayWithTokens("timeout: 1m");
                RawWebSocket socket = gateway.webSocket("?token=" + nameless)) {
            assertTrue(socket.expect("subscribed").contains("$user:ann"));
            socket.say(auth(1, nameless));
            assertTrue(socket.expect("authenticated").contains("\"user\":\"ann\""));
            backend.answer("/connect", call -> HookBackend.ok("{\"allow\":true,\"user\":\"bob\"}"));
            socket.say(auth(2, nameless));
            assertTrue(socket.expect("error").contains("connect anew to be somebody else"));
        }
    }

    @Test
    void keepsWhatTheBackendGaveIfItIsDownAtARenewalAndThatIsTheRule() throws Exception {
        backend.answer(
                "/connect",
                call -> call.has("\"renewal\":true")
                        ? new HookBackend.Answer(500, "")
                        : HookBackend.ok("{\"allow\":true,\"user\":\"ann\",\"join\":[\"room:1\"],"
                                + "\"topics\":{\"subscribe\":[\"room:2\",\"room:3\"]}}"));
        String nameless = TokenFixture.token("\"info\":{}", 600);
        try (GatewayUnderTest gateway =
                        gatewayWithTokens("timeout: 1m, onFailure: allow").expectTrouble(FAILED + "connect");
                RawWebSocket socket = gateway.webSocket("?topic=room:2&token=" + nameless)) {
            for (String topic : new String[] {"room:2", "room:1", "$user:ann"}) {
                assertTrue(socket.expect("subscribed").contains(topic), topic);
            }
            for (int i = 1; i <= 2; i++) {
                socket.say(auth(i, TokenFixture.token("\"info\":{}", 600 + i)));
                assertTrue(socket.expect("authenticated").contains("\"user\":\"ann\""));
            }
            socket.say("{\"type\":\"subscribe\",\"id\":4,\"topic\":\"room:3\"}");
            // Nothing was taken away before.
            assertTrue(socket.expect("subscribed").contains("room:3"));
        }
    }

    @Test
    void mayNotMakeSomebodyElseOfATokensUser() throws Exception {
        backend.answer("/connect", call -> HookBackend.ok("{\"allow\":true,\"user\":\"admin\"}"));
        String ann = TokenFixture.token("\"sub\":\"ann\"", 600);
        try (GatewayUnderTest gateway = gatewayWithTokens("timeout: 1m").expectTrouble(FAILED + "connect");
                RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?token=" + ann)) {
            assertTrue(socket.expect("error").contains(NO_ANSWER));
            socket.expectClose(4503);
        }
    }

    @Test
    void asksNobodyAboutThoseWithoutTheTokenThatTheyNeed() throws Exception {
        try (GatewayUnderTest gateway = gatewayWithTokens("onFailure: allow");
                RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "")) {
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:1\"}");
            assertTrue(socket.expect("error").contains("\"code\":\"unauthorized\""));
            assertEquals(0, backend.waiting("/connect"));
        }
    }

    // ---------------------------------------------------------------- connect, with the first token of one who is
    // there

    private GatewayUnderTest gatewayForAnybody(String more) {
        return GatewayUnderTest.start("profile: production\nauth: {anonymous: true, keys: [{alg: HS256, secret: "
                + TokenFixture.SECRET + "}]}\nhooks: {secret: " + HookBackend.SECRET + ", connect: {timeout: 1m, url: '"
                + backend.url("/connect") + "'}, subscribe: {timeout: 1m, url: '" + backend.url("/subscribe")
                + "'}, publish: {timeout: 1m, url: '" + backend.url("/publish") + "'}}\nnamespaces: [{name: room,"
                + " subscribe: hook, publish: hook, history: {size: 10}}]\n" + more);
    }

    @Test
    void asksAboutTheFirstTokenAsAtTheStartWhenAllBeforeItIsDecided() throws Exception {
        CountDownLatch decided = new CountDownLatch(1);
        backend.answer("/connect", call -> HookBackend.ok("{\"allow\":true}"));
        backend.answer("/subscribe", call -> {
            HookBackend.await(decided);
            return HookBackend.ok("{\"allow\":true}");
        });
        backend.answer("/publish", call -> {
            HookBackend.await(decided);
            return HookBackend.ok("{\"allow\":true}");
        });
        try (GatewayUnderTest gateway = gatewayForAnybody("");
                RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "", "Origin: http://localhost");
                RawWebSocket other = gateway.webSocket("")) {
            socket.expect("welcome");
            assertFalse(backend.next("/connect").has("\"user\""));
            assertFalse(backend.next("/connect").has("\"user\""));
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:1\"}");
            socket.say(publish(2, "room:2", "2"));
            HookBackend.Call subscribe = backend.next("/subscribe");
            assertFalse(subscribe.has("\"user\""), subscribe.body());
            HookBackend.Call publish = backend.next("/publish");
            assertFalse(publish.has("\"user\""), publish.body());
            socket.say(auth(3, TokenFixture.token("\"sub\":\"ann\"", 600)));
            socket.say(publish(4, "room:1", "4"));
            // Nobody else waits for that.
            other.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
            assertEquals(0, backend.waiting("/connect"));
            decided.countDown();
            String both = socket.text() + socket.text();
            assertTrue(both.contains("{\"type\":\"subscribed\",\"id\":1,"), both);
            assertTrue(both.contains("{\"type\":\"published\",\"id\":2,"), both);
            assertTrue(socket.expect("authenticated").contains("\"user\":\"ann\""));
            HookBackend.Call connect = backend.next("/connect");
            assertTrue(connect.has("\"user\":\"ann\",\"authenticated\":true"), connect.body());
            assertTrue(connect.has("\"origin\":\"http://localhost"), connect.body());
            assertFalse(connect.has("renewal"), connect.body());
            assertTrue(socket.expect("subscribed").contains("$user:ann"));
            assertTrue(backend.next("/publish").has("\"user\":\"ann\""));
            String more = socket.text() + socket.text();
            assertTrue(more.contains("\"sender\":\"ann\"") && more.contains("{\"type\":\"published\",\"id\":4,"), more);
            String history = gateway.get("/v1/topics/room:2/history").body();
            assertTrue(history.contains("\"data\":2") && !history.contains("sender"), history);
        }
    }

    @Test
    void leavesWhomTheBackendRefusesWhatItWas() throws Exception {
        backend.answer(
                "/connect",
                call -> HookBackend.ok(
                        call.has("\"user\":\"eve\"") ? "{\"allow\":false,\"reason\":\"banned\"}" : "{\"allow\":true}"));
        try (GatewayUnderTest gateway = gatewayForAnybody("");
                RawWebSocket socket = gateway.webSocket("")) {
            socket.say(auth(1, TokenFixture.token("\"sub\":\"eve\"", 600)));
            assertTrue(socket.expect("error").contains("banned"));
            socket.say(auth(2, TokenFixture.token("\"sub\":\"ann\"", 600)));
            assertTrue(socket.expect("authenticated").contains("\"user\":\"ann\""));
        }
    }

    @Test
    void aFirstTokenWhoseClientHasGoneTakesNoPlace() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        backend.answer("/connect", call -> {
            if (call.has("\"user\":\"ann\"")) {
                HookBackend.await(gone);
            }
            return HookBackend.ok("{\"allow\":true}");
        });
        String token = TokenFixture.token("\"sub\":\"ann\"", 600);
        try (GatewayUnderTest gateway = gatewayForAnybody("limits: {connectionsPerUser: 1}\n")) {
            try (RawWebSocket socket = gateway.webSocket("")) {
                backend.next("/connect");
                socket.say(auth(1, token));
                backend.next("/connect");
            }
            GatewayUnderTest.await("the end of the connection", () -> gateway.metric("barrage_connections") == 0);
            gone.countDown();
            GatewayUnderTest.await(
                    "the answer",
                    () -> gateway.metric("barrage_hook_calls_total{hook=\"connect\",outcome=\"allowed\"") == 2);
            try (RawWebSocket again = gateway.webSocket("?token=" + token)) {
                assertTrue(again.expect("subscribed").contains("$user:ann"));
            }
        }
    }

    /** Where only the backend knows tokens, too. */
    @Test
    void letsTheBackendNameOneWhoIsThereAlready() throws Exception {
        backend.answer(
                "/connect",
                call -> HookBackend.ok(
                        call.has("\"token\":\"session-of-ann\"")
                                ? "{\"allow\":true,\"user\":\"ann\"}"
                                : "{\"allow\":true}"));
        try (GatewayUnderTest gateway = gateway("{name: room}", "connect");
                RawWebSocket socket = gateway.webSocket("?topic=room:1")) {
            socket.expect("subscribed");
            backend.next("/connect");
            socket.say(auth(1, "session-of-ann"));
            assertTrue(socket.expect("authenticated").contains("\"user\":\"ann\""));
            assertTrue(socket.expect("subscribed").contains("$user:ann"));
            assertFalse(backend.next("/connect").has("renewal"));
            socket.say(auth(2, "session-of-ann"));
            socket.expect("authenticated");
            assertTrue(backend.next("/connect").has("\"renewal\":true"));
        }
    }

    // ---------------------------------------------------------------- subscribe

    @Test
    void asksBeforeASubscription() throws Exception {
        backend.answer(
                "/subscribe",
                call -> HookBackend.ok(
                        call.has("room:open") ? "{\"allow\":true}" : "{\"allow\":false,\"reason\":\"members only\"}"));
        try (GatewayUnderTest gateway = gateway("{name: room, subscribe: hook}", "subscribe");
                RawWebSocket socket = gateway.webSocket("?topic=room:open&user=u7")) {
            assertTrue(socket.expect("subscribed").contains("$user:u7"));
            assertTrue(socket.expect("subscribed").contains("room:open"));
            assertTrue(backend.next("/subscribe").has("\"user\":\"u7\""));
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:closed\"}");
            assertEquals(
                    "{\"type\":\"error\",\"id\":1,\"topic\":\"room:closed\",\"code\":\"refused\","
                            + "\"message\":\"members only\"}",
                    socket.text());
        }
    }

    @Test
    void letsNobodyOntoATopicThatWasClosedWhileTheBackendDecided() throws Exception {
        CountDownLatch decided = new CountDownLatch(1);
        backend.answer("/subscribe", call -> {
            HookBackend.await(decided);
            return HookBackend.ok("{\"allow\":true}");
        });
        String yaml = "hooks: {secret: " + HookBackend.SECRET + ", subscribe: {timeout: 1m, url: '"
                + backend.url("/subscribe") + "'}}\nnamespaces: [{name: room, subscribe: %s}]\n";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(yaml.formatted("hook"));
                RawWebSocket socket = gateway.webSocket("")) {
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:1\"}");
            backend.next("/subscribe");
            gateway.reload(yaml.formatted("none"));
            decided.countDown();
            String refusal = socket.expect("error");
            assertTrue(refusal.contains("\"id\":1,") && refusal.contains("\"code\":\"not_permitted\""), refusal);
            assertEquals(0, gateway.metric("barrage_subscriptions"));
        }
    }

    @Test
    void asksLittleAtATimeForOneClientAndNothingInVain() throws Exception {
        CountDownLatch decided = new CountDownLatch(1);
        backend.answer("/subscribe", call -> {
            HookBackend.await(decided);
            return HookBackend.ok("{\"allow\":true}");
        });
        StringBuilder query = new StringBuilder("?topic=open:1");
        for (int i = 0; i < 30; i++) {
            query.append("&topic=room:").append(i);
        }
        try (GatewayUnderTest gateway = GatewayUnderTest.start(
                        "limits: {subscriptionsPerConnection: 21}\nhooks: {secret: " + HookBackend.SECRET
                                + ", subscribe: {timeout: 1m, url: '" + backend.url("/subscribe")
                                + "'}}\nnamespaces: [{name: room, subscribe: hook}]");
                RawWebSocket socket = gateway.webSocket(query.toString())) {
            assertTrue(socket.expect("subscribed").contains("open:1"));
            for (int i = 20; i < 30; i++) {
                String error = socket.expect("error");
                assertTrue(error.contains("\"room:" + i + "\",\"code\":\"too_many_subscriptions\""), error);
            }
            assertEquals(8, gateway.metric("barrage_hook_in_flight{hook=\"subscribe\""));
            // What nobody need be asked about doesn't wait.
            socket.say("{\"type\":\"unsubscribe\",\"id\":1,\"topic\":\"open:1\"}")
                    .expect("unsubscribed");
            decided.countDown();
            for (int i = 0; i < 20; i++) {
                assertTrue(socket.expect("subscribed").contains("\"topic\":\"room:"));
            }
            assertEquals(20, backend.waiting("/subscribe"));
            socket.say("{\"type\":\"subscribe\",\"id\":2,\"topic\":\"room:20\"}");
            assertTrue(socket.expect("subscribed").contains("room:20"));
        }
    }

    @Test
    void holdsANamespacesOwnRuleForFailures() throws Exception {
        backend.close();
        try (GatewayUnderTest gateway = gateway(
                                "{name: room, subscribe: hook}, {name: lobby, subscribe: hook, onHookFailure: allow}",
                                "subscribe")
                        .expectTrouble(FAILED + "subscribe");
                RawWebSocket socket = gateway.webSocket("")) {
            socket.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:1\"}");
            assertTrue(socket.expect("error").contains(NO_ANSWER));
            socket.say("{\"type\":\"subscribe\",\"id\":2,\"topic\":\"lobby:1\"}");
            socket.expect("subscribed");
        }
    }

    // ---------------------------------------------------------------- publish

    @Test
    void moderatesWhatClientsPublish() throws Exception {
        backend.answer("/publish", call -> {
            if (call.has("\"data\":\"rude\"")) {
                return HookBackend.ok("{\"allow\":false,\"reason\":\"be kind\"}");
            }
            if (call.has("\"data\":\"odd\"")) {
                return HookBackend.ok("{\"hold\":true}");
            }
            return HookBackend.ok(
                    call.has("\"data\":\"loud\"")
                            ? "{\"allow\":true,\"data\":{\"was\":\"l**d\"},\"priority\":\"low\"}"
                            : "{\"allow\":true}");
        });
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket speaker = gateway.subscriber("lobby&user=u7")) {
            speaker.expect("subscribed");
            speaker.say(publish(1, "room:1", "\"hello\""));
            assertTrue(speaker.expect("published").contains("\"offset\":1"));
            speaker.say(publish(2, "room:1", "\"rude\""));
            assertEquals(
                    "{\"type\":\"error\",\"id\":2,\"topic\":\"room:1\",\"code\":\"refused\",\"message\":\"be kind\"}",
                    speaker.text());
            speaker.say(publish(3, "room:1", "\"odd\""));
            assertEquals("{\"type\":\"published\",\"id\":3,\"topic\":\"room:1\",\"held\":true}", speaker.text());
            speaker.say(publish(4, "room:1", "\"loud\""));
            assertTrue(speaker.expect("published").contains("\"offset\":2"));
            // What was held, after a moderator had looked at it.
            assertEquals(3, gateway.publish("room:1", "\"odd\""));

            assertTrue(viewer.expect("message").endsWith("\"sender\":\"u7\",\"data\":\"hello\"}"));
            String rewritten = viewer.expect("message");
            assertTrue(rewritten.contains("\"priority\":\"low\""), rewritten);
            assertTrue(rewritten.endsWith("\"data\":{\"was\":\"l**d\"}}"), rewritten);
            assertTrue(viewer.expect("message").endsWith("\"data\":\"odd\"}"));
            for (String outcome : new String[] {"allowed", "refused", "held", "rewritten"}) {
                assertEquals(
                        1,
                        gateway.metric("barrage_hook_calls_total{hook=\"publish\",outcome=\"" + outcome + "\""),
                        outcome);
            }
            assertEquals(4, gateway.metric("barrage_hook_latency_seconds_count{hook=\"publish\""));
            assertEquals(0, gateway.metric("barrage_hook_in_flight{hook=\"publish\""));
        }
    }

    private static RawWebSocket user(GatewayUnderTest gateway, String name) throws IOException {
        RawWebSocket socket = gateway.webSocket("?user=" + name);
        socket.expect("subscribed");
        return socket;
    }

    private static String publish(int id, String messageId, String topic, String data) {
        return publish(id, topic, data).replace("\"topic\"", "\"messageId\":\"" + messageId + "\",\"topic\"");
    }

    @Test
    void answersARepeatAsTheFirstWithoutAsking() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true,\"data\":\"mended\"}"));
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket phone = user(gateway, "u7");
                RawWebSocket laptop = user(gateway, "u7");
                RawWebSocket other = user(gateway, "u8")) {
            String first = phone.say(publish(1, "m", "room:1", "\"first\"")).expect("published");
            String repeated = first.replace("}", ",\"duplicate\":true}");
            backend.next("/publish");
            // The backend has heard it before, and would say so; or it is down.
            backend.answer("/publish", call -> HookBackend.ok("{\"allow\":false,\"reason\":\"you said that\"}"));
            assertEquals(
                    repeated, phone.say(publish(1, "m", "room:1", "\"first\"")).expect("published"));
            assertEquals(
                    repeated, laptop.say(publish(1, "m", "room:1", "\"other\"")).expect("published"));
            assertEquals(0, backend.waiting("/publish"));
            assertEquals(
                    2,
                    gateway.metric(
                            "barrage_publishes_total{namespace=\"room\",priority=\"normal\",result=\"duplicate\""));
            // Another topic's, another user's and the topic's values' are others.
            assertTrue(phone.say(publish(2, "m", "room:2", "1")).expect("error").contains("you said that"));
            assertTrue(other.say(publish(1, "m", "room:1", "1")).expect("error").contains("you said that"));
            assertTrue(viewer.expect("message").contains("\"offset\":1,"));
            assertEquals(2, gateway.publish("room:1", "2"));
            assertTrue(viewer.expect("message").contains("\"offset\":2,"), "nothing came between");
        }
    }

    @Test
    void asksAgainAboutARepeatOfWhatWasRefusedOrHeld() throws Exception {
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket speaker = user(gateway, "u7")) {
            backend.answer("/publish", call -> HookBackend.ok("{\"allow\":false}"));
            assertTrue(
                    speaker.say(publish(1, "m", "room:1", "1")).expect("error").contains("\"code\":\"refused\""));
            backend.answer("/publish", call -> HookBackend.ok("{\"hold\":true}"));
            for (int i = 2; i <= 3; i++) {
                assertTrue(speaker.say(publish(i, "m", "room:1", "1"))
                        .expect("published")
                        .contains("\"held\":true"));
            }
            backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true}"));
            String published = speaker.say(publish(4, "m", "room:1", "1")).expect("published");
            assertTrue(published.endsWith("\"offset\":1}"), published);
            for (int i = 0; i < 4; i++) {
                assertTrue(backend.next("/publish").has("\"messageId\":\"m\""), "so that it knows a repeat");
            }
        }
    }

    @Test
    void publishesOnceWhatTwoConnectionsSayAtATime() throws Exception {
        CountDownLatch bothAsked = new CountDownLatch(2);
        backend.answer("/publish", call -> {
            bothAsked.countDown();
            try {
                assertTrue(bothAsked.await(20, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return HookBackend.ok("{\"allow\":true}");
        });
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket phone = user(gateway, "u7");
                RawWebSocket laptop = user(gateway, "u7")) {
            phone.say(publish(1, "m", "room:1", "1"));
            laptop.say(publish(1, "m", "room:1", "1"));
            String one = phone.expect("published");
            String two = laptop.expect("published");
            assertTrue(one.contains("\"offset\":1") && two.contains("\"offset\":1"), one + two);
            assertTrue(one.contains("duplicate") != two.contains("duplicate"), one + two);
            assertEquals(2, gateway.publish("room:1", "2"));
            assertTrue(viewer.expect("message").contains("\"offset\":1,"));
            assertTrue(viewer.expect("message").contains("\"offset\":2,"));
        }
    }

    @Test
    void moderatesValuesToo() throws Exception {
        backend.answer(
                "/publish",
                call -> HookBackend.ok(
                        call.has("\"key\":\"likes\",\"merge\":\"sum\",\"data\":1000}")
                                ? "{\"allow\":true,\"data\":1}"
                                : "{\"allow\":false}"));
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket speaker = gateway.webSocket("")) {
            String likes =
                    "{\"type\":\"publish\",\"id\":1,\"topic\":\"room:1\",\"key\":\"likes\",\"merge\":\"sum\",\"data\":";
            speaker.say(likes + "1000}");
            speaker.expect("published");
            assertTrue(viewer.expect("value").endsWith("\"key\":\"likes\",\"data\":1}"));
            speaker.say(likes + "7}");
            assertTrue(speaker.expect("error").contains("\"code\":\"refused\""));
        }
    }

    @Test
    void asksNobodyAboutWhatIsNotAllowedAnyway() throws Exception {
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket speaker = gateway.webSocket("")) {
            speaker.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"room:1\",\"priority\":\"high\",\"data\":1}");
            assertTrue(speaker.expect("error").contains("\"code\":\"not_permitted\""));
            assertEquals(0, backend.waiting("/publish"));
        }
    }

    @Test
    void waitsForADecisionWithoutHoldingUpAnythingElse() throws Exception {
        backend.answer(
                "/publish", call -> call.has("stuck") ? HookBackend.never() : HookBackend.ok("{\"allow\":true}"));
        try (GatewayUnderTest gateway = gateway(moderated(), "publish").expectTrouble(FAILED + "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket stuck = gateway.webSocket("");
                RawWebSocket other = gateway.webSocket("")) {
            stuck.say(publish(1, "room:1", "\"stuck\""));
            stuck.say(publish(2, "room:1", "\"behind it\""));
            backend.next("/publish");
            // Others on the same topic.
            for (int i = 1; i <= 20; i++) {
                other.say(publish(i, "room:1", "\"other\""));
                assertTrue(other.expect("published").contains("\"offset\":" + i + "}"));
                assertTrue(viewer.expect("message").endsWith("\"data\":\"other\"}"));
            }
            // The same client elsewhere.
            stuck.say(publish(3, "room:2", "\"elsewhere\""));
            assertTrue(stuck.expect("published").startsWith("{\"type\":\"published\",\"id\":3,"));
            stuck.say("{\"type\":\"ping\",\"id\":4}").expect("pong");
            assertEquals(1, gateway.metric("barrage_hook_in_flight{hook=\"publish\""));
            // Its backend goes away, and what waited is decided.
            backend.close();
            String first = stuck.expect("error");
            assertTrue(first.contains("\"id\":1,") && first.contains(NO_ANSWER), first);
            String second = stuck.expect("error");
            assertTrue(second.contains("\"id\":2,") && second.contains(NO_ANSWER), second);
        }
    }

    @Test
    void keepsTheOrderOfOneClientsPublishesThoughAnswersComeInAnother() throws Exception {
        // The first answer of all comes when another topic's has been given: the backend works on several calls at a
        // time.
        CountDownLatch answered = new CountDownLatch(5);
        AtomicInteger calls = new AtomicInteger();
        backend.answer("/publish", call -> {
            if (calls.incrementAndGet() == 1) {
                try {
                    answered.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            answered.countDown();
            return HookBackend.ok("{\"allow\":true}");
        });
        try (GatewayUnderTest gateway = gateway(moderated(), "publish");
                RawWebSocket viewer = gateway.subscriber("room:1");
                RawWebSocket speaker = gateway.webSocket("")) {
            for (int i = 1; i <= 20; i++) {
                speaker.say(publish(i, "room:1", Integer.toString(i)));
                speaker.say(publish(100 + i, "room:2", Integer.toString(i)));
            }
            for (int i = 1; i <= 20; i++) {
                assertTrue(viewer.expect("message").endsWith("\"data\":" + i + "}"));
            }
            for (int i = 0; i < 40; i++) {
                String published = speaker.expect("published");
                int id = Integer.parseInt(GatewayUnderTest.find("\"id\":(\\d+)", published));
                assertTrue(published.endsWith("\"offset\":" + id % 100 + "}"), published);
            }
        }
    }

    @Test
    void refusesWhatTheBackendHasNoTimeFor() throws Exception {
        backend.answer("/publish", call -> HookBackend.never());
        try (GatewayUnderTest gateway = gateway(moderated(), "publish, timeout: 1m, maxInFlight: 1")
                        .expectTrouble(FAILED + "publish");
                RawWebSocket first = gateway.webSocket("");
                RawWebSocket second = gateway.webSocket("")) {
            first.say(publish(1, "room:1", "1"));
            backend.next("/publish");
            second.say(publish(1, "room:1", "1"));
            assertTrue(second.expect("error").contains(NO_ANSWER));
            assertEquals(1, gateway.metric("barrage_hook_calls_total{hook=\"publish\",outcome=\"saturated\""));
        }
    }

    @Test
    void forgetsADecisionWhoseClientHasGone() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        backend.answer("/publish", call -> {
            try {
                gone.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return HookBackend.ok("{\"allow\":true}");
        });
        try (GatewayUnderTest gateway = gateway(moderated(), "publish")) {
            try (RawWebSocket speaker = gateway.webSocket("")) {
                speaker.say(publish(1, "room:1", "1"));
                backend.next("/publish");
            }
            GatewayUnderTest.await("the end of the connection", () -> gateway.metric("barrage_connections") == 0);
            gone.countDown();
            GatewayUnderTest.await(
                    "the answer",
                    () -> gateway.metric("barrage_hook_calls_total{hook=\"publish\",outcome=\"allowed\"") == 1);
            assertEquals(1, gateway.publish("room:1", "2"), "nobody was left to publish for");
        }
    }

    // ---------------------------------------------------------------- events

    @Test
    void tellsWhatHasHappened() throws Exception {
        backend.answer("/events", call -> HookBackend.ok(""));
        try (GatewayUnderTest gateway = gateway("{name: room}", "events, batch: 1, grace: 0s")) {
            try (RawWebSocket socket = gateway.webSocket("?topic=room:1&user=u7")) {
                assertTrue(backend.next("/events").has("{\"type\":\"occupied\",\"topic\":\"room:1\",\"time\":"));
                // A second subscription is no news.
                try (RawWebSocket second = gateway.subscriber("room:1")) {
                    second.send(
                            RawWebSocket.frame(RawWebSocket.FIN | RawWebSocket.CLOSE, RawWebSocket.closing(1000, "")));
                    assertTrue(backend.next("/events").has("\"code\":1000"));
                }
                socket.say("{\"type\":\"ping\",\"id\":1}");
            }
            String both =
                    backend.next("/events").body() + backend.next("/events").body();
            assertTrue(both.contains("{\"type\":\"vacated\",\"topic\":\"room:1\",\"time\":"), both);
            assertTrue(both.contains("\"user\":\"u7\",\"code\":1006,\"connectedMs\":"), both);
            GatewayUnderTest.await("4 events", () -> gateway.metric("barrage_notifications_sent_total") == 4);
            assertEquals(0, backend.waiting("/events"));
        }
    }

    @Test
    void tellsNothingOfATopicThatIsLeftForAMoment() throws Exception {
        backend.answer("/events", call -> HookBackend.ok(""));
        try (GatewayUnderTest gateway = gateway("{name: room}", "events, batch: 1, grace: 10m")) {
            for (int i = 0; i < 3; i++) {
                gateway.subscriber("room:1").close();
                GatewayUnderTest.await("it has left", () -> gateway.metric("barrage_subscriptions") == 0);
            }
            assertTrue(backend.next("/events").has("occupied"));
            for (int i = 0; i < 3; i++) {
                assertTrue(backend.next("/events").has("disconnect"));
            }
            assertEquals(0, backend.waiting("/events"));
        }
        // The node has ended, and its viewers with it.
        assertTrue(backend.next("/events").has("vacated"));
    }

    @Test
    void countsEventsThatTheBackendDoesNotTake() throws Exception {
        backend.close();
        try (GatewayUnderTest gateway =
                gateway("{name: room}", "events, batch: 1").expectTrouble(FAILED + "events")) {
            gateway.webSocket("").close();
            GatewayUnderTest.await(
                    "an attempt",
                    () -> gateway.metric("barrage_hook_calls_total{hook=\"events\",outcome=\"failed\"") >= 1);
            assertEquals(0, gateway.metric("barrage_notifications_sent_total"));
        }
    }

    // ---------------------------------------------------------------- a configuration that is read anew

    @Test
    void asksWhereTheNewConfigurationSays() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true,\"data\":\"first\"}"));
        backend.answer("/second", call -> HookBackend.ok("{\"allow\":true,\"data\":\"second\"}"));
        String hooks = "hooks: {secret: " + HookBackend.SECRET + ", publish: {timeout: 1m, url: '";
        String room = "'}}\nnamespaces: [{name: room, publish: hook}]\n";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(hooks + backend.url("/publish") + room);
                RawWebSocket socket = gateway.subscriber("room:1")) {
            socket.say("{\"type\":\"publish\",\"topic\":\"room:1\",\"data\":1}");
            assertTrue(socket.expect("message").endsWith("\"data\":\"first\"}"));
            gateway.reload(hooks + backend.url("/second") + room);
            socket.say("{\"type\":\"publish\",\"topic\":\"room:1\",\"data\":1}");
            assertTrue(socket.expect("message").endsWith("\"data\":\"second\"}"));
            gateway.reload("namespaces: [{name: room, publish: anyone}]");
            socket.say("{\"type\":\"publish\",\"topic\":\"room:1\",\"data\":1}");
            assertTrue(socket.expect("message").endsWith("\"data\":1}"));
        }
    }
}
