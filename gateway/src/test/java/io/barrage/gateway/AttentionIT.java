package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.Browser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that want less of a topic for a while: a page that nobody looks at. */
@Timeout(90)
class AttentionIT {
    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("""
                namespaces:
                  - {name: room, presence: "off"}
                  - {name: page, presence: "off"}
                  - {name: small, presence: "off", log: {size: 64}}
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static String ask(RawWebSocket socket, String topic, String level) throws IOException {
        socket.say("{\"type\":\"attention\",\"id\":8,\"topic\":\"" + topic + "\",\"level\":\"" + level + "\"}");
        return socket.text();
    }

    private static String granted(String topic, String level) {
        return "{\"type\":\"attention\",\"id\":8,\"topic\":\"" + topic + "\",\"level\":\"" + level + "\"}";
    }

    /** Nothing else comes before the answer. */
    private static void expectQuiet(RawWebSocket socket) throws IOException {
        socket.say("{\"type\":\"ping\",\"id\":7}");
        assertEquals("{\"type\":\"pong\",\"id\":7}", socket.text());
    }

    private static void publishGift(String topic) throws Exception {
        gateway.publishAll("{\"topic\":\"" + topic + "\",\"priority\":\"critical\",\"data\":\"gift\"}\n");
    }

    /** Waits until the loops have taken what was published: a subscriber that wants everything has it. */
    private static void await(RawWebSocket witness, TopicAccount account, long head) throws IOException {
        while (account.next() <= head) {
            account.take(witness.text());
        }
    }

    @Test
    void countsGivesNothingAndFullCatchesUp() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("room:1")) {
            double shed =
                    gateway.metric("barrage_shed_total{namespace=\"room\",priority=\"normal\",reason=\"attention\"");
            assertEquals(granted("room:1", "counts"), ask(socket, "room:1", "counts"));
            for (int i = 1; i <= 100; i++) {
                gateway.publish("room:1", Integer.toString(i));
            }
            publishGift("room:1");
            GatewayUnderTest.await(
                    "all are left out",
                    () -> gateway.metric(
                                    "barrage_shed_total{namespace=\"room\",priority=\"normal\",reason=\"attention\"")
                            == shed + 100);
            expectQuiet(socket);
            assertEquals(granted("room:1", "full"), ask(socket, "room:1", "full"));
            for (int i = 1; i <= 100; i++) {
                String frame = socket.expect("message");
                assertEquals(i, TopicAccount.number(frame, "offset"), frame);
                assertEquals(Integer.toString(i), TopicAccount.data(frame));
            }
            assertEquals(101, TopicAccount.number(socket.expect("message"), "offset"));
            gateway.publish("room:1", "102");
            assertEquals(102, TopicAccount.number(socket.expect("message"), "offset"));
        }
    }

    @Test
    void digestGivesTheGiftsAndTellsTheRest() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("room:2")) {
            assertEquals(granted("room:2", "digest"), ask(socket, "room:2", "digest"));
            for (int i = 1; i <= 3; i++) {
                gateway.publish("room:2", Integer.toString(i));
            }
            publishGift("room:2");
            assertEquals(
                    "{\"type\":\"gap\",\"topic\":\"room:2\",\"from\":1,\"to\":3,\"count\":3,\"reason\":\"attention\"}",
                    socket.text());
            String gift = socket.expect("message");
            assertEquals(4, TopicAccount.number(gift, "offset"), gift);
            assertTrue(gift.contains("\"priority\":\"critical\""), gift);

            // Counts on top of a digest: what is in between comes when it wants everything again.
            assertEquals(granted("room:2", "counts"), ask(socket, "room:2", "counts"));
            publishGift("room:2");
            assertEquals(granted("room:2", "full"), ask(socket, "room:2", "full"));
            assertEquals(5, TopicAccount.number(socket.expect("message"), "offset"));
        }
    }

    @Test
    void whatTheNodeHasNoMoreIsAGap() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("small:1");
                RawWebSocket witness = gateway.subscriber("small:1")) {
            TopicAccount all = new TopicAccount("small:1");
            all.take("{\"type\":\"subscribed\",\"topic\":\"small:1\",\"epoch\":\"x\",\"offset\":0}");
            TopicAccount some = new TopicAccount("small:1");
            some.take("{\"type\":\"subscribed\",\"topic\":\"small:1\",\"epoch\":\"x\",\"offset\":0}");
            assertEquals(granted("small:1", "counts"), ask(socket, "small:1", "counts"));
            long head = 0;
            for (int i = 0; i < 300; i++) {
                head = gateway.publish("small:1", "1");
            }
            await(witness, all, head);
            assertEquals(granted("small:1", "full"), ask(socket, "small:1", "full"));
            await(socket, some, head);
            assertEquals(300, all.messages());
            assertEquals(1, some.gaps().size());
            assertEquals(some.missed("attention"), 300 - some.messages());
            assertTrue(some.messages() >= 32 && some.messages() <= 64, some::toString);
        }
    }

    @Test
    void errorsNameWhatIsWrong() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("room:3")) {
            String error = ask(socket, "room:3", "some");
            assertTrue(
                    error.startsWith("{\"type\":\"error\",\"id\":8,\"topic\":\"room:3\",\"code\":\"bad_request\""),
                    error);
            assertTrue(error.contains("level") && error.contains("some"), error);
            error = ask(socket, "room:other", "full");
            assertTrue(
                    error.startsWith(
                            "{\"type\":\"error\",\"id\":8,\"topic\":\"room:other\",\"code\":\"not_subscribed\""),
                    error);
            socket.say("{\"type\":\"attention\",\"id\":8,\"topic\":\"room:3\"}");
            error = socket.expect("error");
            assertTrue(error.contains("\"bad_request\"") && error.contains("level"), error);
        }
    }

    @Test
    void onlyARequestWithAnIdIsAnswered() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("room:4")) {
            socket.say("{\"type\":\"attention\",\"topic\":\"room:4\",\"level\":\"counts\"}");
            expectQuiet(socket);
            gateway.publish("room:4", "1");
            expectQuiet(socket);
            socket.say("{\"type\":\"attention\",\"topic\":\"room:4\",\"level\":\"full\"}");
            assertEquals(1, TopicAccount.number(socket.expect("message"), "offset"));
        }
    }

    @Test
    void aHiddenPageIsSparedAndHasEverythingWhenItIsShownAgain() throws Exception {
        String left = "barrage_shed_total{namespace=\"page\",priority=\"normal\",reason=\"attention\"";
        try (Browser browser = new Browser(800, 600)) {
            browser.open("http://localhost:" + gateway.clientsPort() + "/client/barrage.js");
            browser.driver().executeScript("""
                    window.seen = [];
                    window.shown = "visible";
                    Object.defineProperty(document, "visibilityState", {get: () => window.shown});
                    import("/client/barrage.js").then(({Barrage}) => {
                      window.barrage = new Barrage(location.origin.replace("http", "ws") + "/ws",
                        {hiddenAfterMs: 50});
                      barrage.subscribe("page:1", {
                        onMessage: ({offset, data}) => window.seen.push(offset + "=" + data),
                        onGap: ({reason}) => window.seen.push("gap " + reason),
                        onSubscribed: () => { window.subscribed = true; },
                      });
                      barrage.connect();
                    });
                    """);
            browser.await("window.subscribed === true");
            List<String> expected = new ArrayList<>();
            publishNumbered(expected, 5);
            browser.await("window.seen.length === 5");

            setShown(browser, "hidden");
            // Until the page has said so, messages come as before.
            GatewayUnderTest.await("the page is spared", () -> {
                publishNumbered(expected, 1);
                return gateway.metric(left) > 0;
            });
            publishNumbered(expected, 50);
            GatewayUnderTest.await("the others, too", () -> gateway.metric(left) > 50);
            assertTrue(
                    (Long) browser.eval("window.seen.length") <= expected.size() - 51,
                    "nothing comes to a hidden page");

            setShown(browser, "visible");
            browser.await("window.seen.length >= " + expected.size());
            publishNumbered(expected, 1);
            browser.await("window.seen.length >= " + expected.size());
            assertEquals(expected, browser.eval("window.seen"));
        }
    }

    private static void setShown(Browser browser, String state) {
        browser.driver()
                .executeScript(
                        "window.shown = arguments[0]; document.dispatchEvent(new Event('visibilitychange'));", state);
    }

    private static void publishNumbered(List<String> expected, int count) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            long offset = gateway.publish("page:1", "\"n" + expected.size() + "\"");
            expected.add(offset + "=n" + expected.size());
        }
    }
}
