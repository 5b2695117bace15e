package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.Browser;
import io.barrage.gateway.testkit.PageBackend;
import io.barrage.gateway.testkit.Tunnel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many pages in one real browser, with the real client: rooms, users, and what a backend does to them. */
@Timeout(120)
class BrowserRoomsIT {
    private static PageBackend backend;
    private static GatewayUnderTest gateway;
    private static Browser browser;

    private final List<Browser.Page> pages = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        backend = new PageBackend();
        gateway = GatewayUnderTest.start("""
                auth:
                  keys: [{alg: HS256, secret: "%s"}]
                  leeway: 0s
                  renewal: 5s
                hooks:
                  secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
                  publish: {url: "%s", timeout: 20s}
                namespaces:
                  - name: room
                    subscribe: authenticated
                    publish: authenticated
                    history: {size: 10000, ttl: 10m}
                    presence: members
                    members: {grace: 0s}
                  - {name: vip, subscribe: token, history: {size: 10000, ttl: 10m}}
                  - {name: judged, subscribe: authenticated, publish: hook}
                  - {name: secret, subscribe: none}
                  - {name: $user, subscribe: none, presence: "off", history: {size: 100, ttl: 10m}}
                """.formatted(PageBackend.SECRET, backend.url("/judge")));
        browser = new Browser(800, 600);
    }

    @AfterAll
    static void stop() {
        browser.close();
        gateway.close();
        backend.close();
    }

    @AfterEach
    void closePages() {
        pages.forEach(Browser.Page::close);
        pages.clear();
        browser.driver()
                .switchTo()
                .window(browser.driver().getWindowHandles().iterator().next());
    }

    // ---------------------------------------------------------------- the kit

    /** A user's page, in a tab of its own, that is on some topics. */
    private Browser.Page open(String user, String... topics) {
        return open(gateway.clientsPort(), page(user, topics));
    }

    private Browser.Page open(int port, Map<String, Object> options) {
        Browser.Page page = browser.openTab(backend.url("/"));
        pages.add(page);
        options.put("gateway", "http://localhost:" + port);
        page.run(PAGE, options);
        return page;
    }

    private static Map<String, Object> page(String user, String... topics) {
        return new HashMap<>(Map.of("tokens", backend.url("/token?user=" + user), "topics", List.of(topics)));
    }

    private static final String PAGE = script();

    private static String script() {
        try (InputStream in = BrowserRoomsIT.class.getResourceAsStream("room-page.js")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitEvent(Browser.Page page, String event) {
        page.await("(window.events ?? []).includes('" + event + "')");
    }

    /** What was told besides messages, in order. */
    private static List<String> events(Browser.Page page) {
        return strings(page.eval("window.events"));
    }

    private static List<String> strings(Object list) {
        return ((List<?>) list).stream().map(String::valueOf).toList();
    }

    private static void assertNone(Browser.Page page, String... beginnings) {
        List<String> events = events(page);
        for (String beginning : beginnings) {
            assertTrue(events.stream().noneMatch(event -> event.startsWith(beginning)), events::toString);
        }
    }

    private static void assertConnectedOnce(Browser.Page page) {
        assertEquals(
                1,
                events(page).stream()
                        .filter(event -> event.startsWith("connected"))
                        .count());
    }

    private static void control(String path, String body) throws Exception {
        HttpResponse<String> answer = gateway.post(path, body);
        assertTrue(answer.statusCode() >= 200 && answer.statusCode() < 300, answer.statusCode() + " " + answer.body());
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    private static String offsets(String topic) {
        return "(window.offsets['" + topic + "'] ?? [])";
    }

    /** Publishes numbered lines in turn to some topics. */
    private static void publishLines(int count, String... topics) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            for (String topic : topics) {
                lines.append("{\"topic\":\"")
                        .append(topic)
                        .append("\",\"data\":\"line ")
                        .append(i)
                        .append("\"}\n");
            }
        }
        gateway.publishAll(lines.toString());
    }

    // ---------------------------------------------------------------- many pages

    @Test
    void tenPagesOfOneBrowserGetEverythingInOrder() throws Exception {
        for (int i = 0; i < 10; i++) {
            open("many" + i, "room:many", "room:other");
        }
        for (Browser.Page page : pages) {
            awaitEvent(page, "subscribed room:many");
            awaitEvent(page, "subscribed room:other");
        }
        publishLines(200, "room:many", "room:other");
        for (Browser.Page page : pages) {
            for (String topic : new String[] {"room:many", "room:other"}) {
                page.await(offsets(topic) + ".length >= 200");
                assertEquals(upTo(200), page.eval(offsets(topic)));
            }
            assertEquals(400L, page.eval("window.lines().length"));
        }
    }

    @Test
    void aCutNetworkCostsNothing() throws Exception {
        try (Tunnel tunnel = new Tunnel(gateway.clientsPort())) {
            List<Browser.Page> cut = List.of(
                    open(tunnel.port(), page("cut1", "room:cut")), open(tunnel.port(), page("cut2", "room:cut")));
            for (Browser.Page page : cut) {
                awaitEvent(page, "subscribed room:cut");
            }
            for (int round = 1; round <= 3; round++) {
                publishLines(20, "room:cut");
                tunnel.cut();
                publishLines(30, "room:cut");
                control("/v1/publish", "{\"user\":\"cut1\",\"data\":\"in tunnel " + round + "\"}");
                for (Browser.Page page : cut) {
                    page.await("window.barrage.state !== 'connected'");
                }
                tunnel.mend();
                publishLines(10, "room:cut");
            }
            for (Browser.Page page : cut) {
                page.await(offsets("room:cut") + ".length >= 180");
                assertEquals(upTo(180), page.eval(offsets("room:cut")));
                assertTrue(events(page).contains("subscribed room:cut true"), "it came back by itself");
                assertNone(page, "lost", "gap", "error");
            }
            awaitEvent(cut.get(0), "pushed $user:cut1 \"in tunnel 3\"");
            assertEquals(
                    List.of(
                            "pushed $user:cut1 \"in tunnel 1\"",
                            "pushed $user:cut1 \"in tunnel 2\"",
                            "pushed $user:cut1 \"in tunnel 3\""),
                    events(cut.get(0)).stream()
                            .filter(event -> event.startsWith("pushed"))
                            .toList());
            assertNone(cut.get(1), "pushed");
            assertEquals(1, backend.tokensOf("cut2"), "a token that still holds serves reconnects");
        }
    }

    // ---------------------------------------------------------------- what was said before

    /** Asks for a part of the history, and gives offsets, `recovered` and `more` of the answer. */
    private static String past(Browser.Page page, String options) {
        page.run("""
                window.past = undefined;
                window.handles["room:past"].history(arguments[0] === "" ? undefined : eval(`(${arguments[0]})`)).then(
                  ({ messages, recovered, more }) => {
                    window.past = `${messages.map(({ offset }) => offset)} ${recovered} ${more}`;
                  },
                  ({ code, message }) => { window.past = `${code}: ${message}`; });
                """, options);
        page.await("window.past !== undefined");
        return String.valueOf(page.eval("window.past"));
    }

    @Test
    void aPageScrollsBackThroughTheHistory() throws Exception {
        publishLines(10, "room:past");
        Browser.Page page = open("reader", "room:past");
        awaitEvent(page, "subscribed room:past");
        publishLines(2, "room:past");
        page.await(offsets("room:past") + ".length >= 2");
        page.run("window.epoch = window.handles['room:past'].position.epoch");

        // As docs/client.md does it: from the first line on the screen.
        assertEquals("7,8,9,10 true true", past(page, "{ before: { epoch: window.epoch, offset: 11 }, limit: 4 }"));
        assertEquals("3,4,5,6 true true", past(page, "{ before: { epoch: window.epoch, offset: 7 }, limit: 4 }"));
        assertEquals("1,2 true false", past(page, "{ before: { epoch: window.epoch, offset: 3 }, limit: 4 }"));
        assertEquals(
                "9,10,11,12 false true",
                past(page, "{ before: { epoch: 'another', offset: 3 }, limit: 4 }"),
                "not those before it");
        assertEquals("10,11,12 undefined true", past(page, "{ last: 3 }"));
        assertEquals("12 true false", past(page, "{ since: { epoch: window.epoch, offset: 11 } }"));
        assertEquals("1,2 false true", past(page, "{ since: { epoch: 'another', offset: 11 }, limit: 2 }"));
        assertEquals("1,2,3,4,5,6,7,8,9,10,11,12 undefined false", past(page, ""));
        String refused = past(page, "{ last: 3, since: { epoch: window.epoch, offset: 11 } }");
        assertTrue(refused.startsWith("bad_request: "), refused);
        assertEquals(List.of(11L, 12L), page.eval(offsets("room:past")), "none of it came as a message");
    }

    // ---------------------------------------------------------------- users

    @Test
    void twoUsersSeeEachOther() throws Exception {
        String info = backend.url("/token?user=ada&claims=" + encode("\"info\":{\"name\":\"Ada\"}"));
        Map<String, Object> withInfo = page("ada", "room:two");
        withInfo.put("tokens", info);
        Browser.Page ada = open(gateway.clientsPort(), withInfo);
        awaitEvent(ada, "connected ada");
        awaitEvent(ada, "subscribed room:two");
        Browser.Page ben = open("ben", "room:two");
        awaitEvent(ada, "join room:two ben");
        ben.await(listed("room:two", "ben 1,ada 1 Ada", "ada 1 Ada,ben 1"));

        ben.run("window.barrage.publish('room:two', 'hello, Ada')");
        ada.await("window.lines().includes('ben> hello, Ada')");
        ben.await("window.lines().includes('ben> hello, Ada')");

        Browser.Page another = open("ben", "room:two");
        awaitEvent(another, "subscribed room:two");
        ada.await(listed("room:two", "ada 1 Ada,ben 2", "ben 2,ada 1 Ada"));
        another.run("window.barrage.close()");
        ada.await(listed("room:two", "ada 1 Ada,ben 1", "ben 1,ada 1 Ada"));
        assertNone(ada, "leave");
        ben.run("window.barrage.close()");
        awaitEvent(ada, "leave room:two ben");
        ada.await(listed("room:two", "ada 1 Ada"));
        assertEquals(
                List.of("join room:two ben", "leave room:two ben"),
                events(ada).stream()
                        .filter(event -> event.contains(" room:two ben"))
                        .toList());
    }

    /** Asks who is there, again and again, since presence is told a moment later. True once it is one of these lists. */
    private static String listed(String topic, String... lists) {
        return """
                (() => {
                  window.handles["%s"].presence().then(({ members }) => {
                    window.present = members
                      .map(({ user, connections, info }) => [user, connections, info?.name].filter(Boolean).join(" ")).join();
                  });
                  return ["%s"].includes(window.present);
                })()""".formatted(topic, String.join("\",\"", lists));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Test
    void aKickedUserStaysAwayAndTheOthersStay() throws Exception {
        Browser.Page kicked = open("kicked", "room:kick");
        Browser.Page second = open("kicked", "room:kick");
        Browser.Page other = open("other", "room:kick");
        for (Browser.Page page : pages) {
            awaitEvent(page, "subscribed room:kick");
        }
        control("/v1/users/kicked/disconnect", "{\"reconnect\":true}");
        for (Browser.Page page : List.of(kicked, second)) {
            page.await("window.events.includes('waiting 4503')");
            page.await("window.events.filter(event => event === 'connected kicked').length === 2");
            page.await("window.events.includes('subscribed room:kick true')");
        }

        control("/v1/users/kicked/disconnect", "{\"reason\":\"spam\"}");
        awaitEvent(kicked, "closed 4403");
        awaitEvent(second, "closed 4403");
        publishLines(3, "room:kick");
        other.await("window.lines().length === 3");
        assertConnectedOnce(other);
        assertEquals("closed", kicked.eval("window.barrage.state"));
        assertEquals(0L, kicked.eval("window.lines().length"));
        assertEquals(
                2, events(kicked).stream().filter("connected kicked"::equals).count(), "it didn't come back");
    }

    @Test
    void aBackendPutsUsersOnTopicsAndOff() throws Exception {
        Browser.Page page = open("put", "room:put");
        awaitEvent(page, "subscribed room:put");
        control("/v1/users/put/subscribe", "{\"topic\":\"secret:1\"}");
        awaitEvent(page, "joined secret:1");
        gateway.publish("secret:1", "{\"a\":1}");
        awaitEvent(page, "pushed secret:1 {\"a\":1}");
        control("/v1/users/put/unsubscribe", "{\"topic\":\"secret:1\"}");
        page.await("window.events.some(event => event.startsWith('put off secret:1'))");

        control("/v1/users/put/unsubscribe", "{\"topic\":\"room:put\"}");
        page.await("window.events.some(event => event.startsWith('unsubscribed room:put'))");
        control("/v1/users/put/disconnect", "{\"reconnect\":true}");
        page.await("window.events.filter(event => event === 'connected put').length === 2");
        gateway.publish("room:put", "1");
        control("/v1/publish", "{\"user\":\"put\",\"data\":\"the end\"}");
        awaitEvent(page, "pushed $user:put \"the end\"");
        assertEquals("unsubscribed", page.eval("window.handles['room:put'].state"));
        assertEquals(0L, page.eval("window.lines().length"), "it isn't on the topic again");
    }

    // ---------------------------------------------------------------- tokens

    @Test
    void tokensAreRenewedOnTheLiveConnectionAndNothingIsMissed() throws Exception {
        Map<String, Object> options = page("renewer", "vip:1");
        options.put("tokens", backend.url("/token?user=renewer&life=2"));
        // The topic's token expires on its own, and isn't the connection's business.
        String claims = encode("\"topics\":{\"subscribe\":[\"vip:1\"]}");
        options.put("topicTokens", backend.url("/token?user=renewer&life=2&claims=" + claims));
        Browser.Page page = open(gateway.clientsPort(), options);
        awaitEvent(page, "subscribed vip:1");
        long end = System.nanoTime() + GatewayUnderTest.PATIENCE.toNanos();
        while (backend.tokensOf("renewer") < 7) {
            assertTrue(System.nanoTime() < end, () -> events(page).toString());
            gateway.publish("vip:1", "\"still here\"");
        }
        long published = gateway.publish("vip:1", "\"the last\"");
        page.await(offsets("vip:1") + ".length >= " + published);
        assertEquals(upTo(published), page.eval(offsets("vip:1")));
        assertConnectedOnce(page);
        assertNone(page, "error", "refused", "unsubscribed", "waiting");
    }

    @Test
    void whoGetsNoTokenAnyMoreIsOutAndKnowsIt() throws Exception {
        Map<String, Object> options = page("leaver", "room:leaver");
        options.put("tokens", backend.url("/token?user=leaver&life=2"));
        Browser.Page page = open(gateway.clientsPort(), options);
        awaitEvent(page, "subscribed room:leaver");
        backend.logOut("leaver");
        awaitEvent(page, "closed 4401");
        assertTrue(events(page).stream().anyMatch(event -> event.startsWith("error token_failed")), () -> events(page)
                .toString());
    }

    @Test
    void aTokenThatNobodyTakesEndsWithTheReason() {
        Map<String, Object> options = page("nobody", "room:any");
        options.put("tokens", backend.url("/token?user=nobody&life=-100"));
        Browser.Page page = open(gateway.clientsPort(), options);
        awaitEvent(page, "closed 4401");
        page.await("window.events.some(event => event.startsWith('error '))");
        List<String> events = events(page);
        assertTrue(events.get(events.size() - 1).contains("expired"), events::toString);
        assertEquals(2, backend.tokensOf("nobody"), "asked once more, and not again");
    }

    @Test
    void aBareWebSocketBringsItsTokenInTheAddressOrAsASubprotocol() throws Exception {
        Browser.Page page = browser.openTab(backend.url("/"));
        pages.add(page);
        page.run("""
                const [token, gateway] = arguments;
                const address = `${gateway}/ws?topic=room:bare`;
                window.frames_ = {};
                window.closes = {};
                const listen = (name, url, protocols) => {
                  const socket = new WebSocket(url, protocols);
                  window.frames_[name] = [];
                  socket.onmessage = ({ data }) => window.frames_[name].push(JSON.parse(data));
                  socket.onclose = ({ code }) => (window.closes[name] = code);
                };
                listen("address", `${address}&token=${token}`, []);
                listen("subprotocol", address, ["barrage.v1", `token.${token}`]);
                listen("both", `${address}&token=${token}`, ["barrage.v1", `token.${token}`]);
                listen("neither", address, []);
                listen("broken", `${address}&token=${token}x`, []);
                """, PageBackend.token("bare", 60, ""), "ws://localhost:" + gateway.clientsPort());
        for (String name : new String[] {"address", "subprotocol"}) {
            page.await("window.frames_." + name + ".some(({ type }) => type === 'subscribed')");
            assertEquals("bare", page.eval("window.frames_." + name + "[0].user"));
        }
        gateway.publish("room:bare", "\"hello\"");
        for (String name : new String[] {"address", "subprotocol"}) {
            page.await("window.frames_." + name + ".some(({ data }) => data === 'hello')");
        }
        page.await("window.closes.both === 4400");
        page.await("window.closes.broken === 4401");
        page.await("window.closes.neither === 4401");
    }

    // ---------------------------------------------------------------- moderation

    @Test
    void aRetractionTakesALineOffEveryScreen() throws Exception {
        try (Tunnel tunnel = new Tunnel(gateway.clientsPort())) {
            Browser.Page here = open("here", "room:mod");
            Browser.Page away = open(tunnel.port(), page("away", "room:mod"));
            for (Browser.Page page : pages) {
                awaitEvent(page, "subscribed room:mod");
            }
            here.run("window.barrage.publish('room:mod', 'a bad word')");
            here.await("window.lines().length === 1");
            publishLines(3, "room:mod");
            for (Browser.Page page : pages) {
                page.await("window.lines().length === 4");
            }
            tunnel.cut();
            away.await("window.barrage.state !== 'connected'");
            control("/v1/topics/room:mod/retract", "{\"offsets\":[3]}");
            control("/v1/topics/room:mod/retract", "{\"sender\":\"here\"}");
            here.await("window.lines().length === 2");
            tunnel.mend();
            away.await("window.lines().length === 2");
            assertEquals(here.eval("window.lines()"), away.eval("window.lines()"));
            here.run("window.handles['room:mod'].history().then(({ messages }) => "
                    + "{ window.past = messages.map(({ data }) => '> ' + data); })");
            here.await("window.past !== undefined");
            assertEquals(here.eval("window.lines()"), here.eval("window.past"), "nor does the history have it");
        }
    }

    @Test
    void aBackendJudgesWhatIsPublished() {
        Browser.Page page = open("speaker", "judged:1");
        Browser.Page witness = open("witness", "judged:1");
        awaitEvent(page, "subscribed judged:1");
        awaitEvent(witness, "subscribed judged:1");
        page.run("""
                window.outcomes = [];
                for (const text of ["bad", "hm", "LOUD", "fine"]) {
                  window.barrage.publish("judged:1", text).then(
                    ({ held, offset }) => window.outcomes.push(held ? "held" : offset),
                    ({ code, message }) => window.outcomes.push(`${code}: ${message}`));
                }
                """);
        page.await("window.outcomes.length === 4");
        assertEquals(List.of("refused: mind your language", "held", "1", "2"), strings(page.eval("window.outcomes")));
        witness.await("window.lines().length === 2");
        assertEquals(List.of("speaker> loud", "speaker> fine"), witness.eval("window.lines()"));
    }
}
