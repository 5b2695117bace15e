package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.CLOSE;
import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.PONG;
import static io.barrage.gateway.RawWebSocket.TEXT;
import static io.barrage.gateway.RawWebSocket.frame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.HookBackend;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who is silent is asked, and who doesn't answer is dead, unless its socket still drains. */
class HeartbeatIT {
    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("heartbeat: 1s\nheartbeatTimeout: 1s\nlimits: {messageBytes: 16KiB}");
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    @Test
    void oneThatNeverAnswersIsClosed() throws Exception {
        // From before the gateway's own start of it.
        long start = System.nanoTime();
        try (RawWebSocket silent = gateway.webSocket("?topic=beat:1")) {
            silent.expect("subscribed");
            RawWebSocket.Frame ping = next(silent);
            assertEquals(PING, ping.opcode());
            assertEquals(0, ping.payload().length);
            RawWebSocket.Frame close = next(silent);
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertEquals(CLOSE, close.opcode());
            assertEquals(4409, close.closeCode());
            assertEquals("heartbeat_timeout", close.closeReason());
            // Heartbeat with its jitter of a fifth, and the timeout.
            assertTrue(millis >= 1_800 && millis < 15_000, millis + " ms");

            // The subscription is gone, though its loop may need a moment after the close frame.
            GatewayUnderTest.await("only one is there", () -> {
                try (RawWebSocket other = gateway.webSocket("?topic=beat:1")) {
                    return other.expect("subscribed").endsWith("\"online\":1}");
                }
            });
            assertTrue(gateway.metric("barrage_closes_total{code=\"4409\"") >= 1);
        }
    }

    /** The next frame that isn't news of who is online. */
    private static RawWebSocket.Frame next(RawWebSocket socket) throws java.io.IOException {
        RawWebSocket.Frame frame = socket.frame();
        while (frame.opcode() == TEXT && frame.text().startsWith("{\"type\":\"online\"")) {
            frame = socket.frame();
        }
        return frame;
    }

    @Test
    void oneThatAnswersLives() throws Exception {
        try (RawWebSocket socket = gateway.webSocket("")) {
            for (int i = 0; i < 3; i++) {
                assertEquals(PING, socket.frame().opcode());
                // Any frame is a sign of life.
                socket.send(i % 2 == 0 ? frame(FIN | PONG, "") : frame(FIN | TEXT, "{\"type\":\"unsubscribe\"}"));
                if (i % 2 == 1) {
                    socket.expect("error");
                }
            }
            socket.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
        }
    }

    @Test
    void oneThatDrainsSlowlyLives() throws Exception {
        String data = "\"" + "x".repeat(8 * 1024) + "\"";
        // Time enough for a pause of ours, and rounds for more than a heartbeat with its timeout.
        try (GatewayUnderTest patient =
                        GatewayUnderTest.start("heartbeat: 1s\nheartbeatTimeout: 3s\nlimits: {messageBytes: 16KiB}");
                RawWebSocket slow = RawWebSocket.openNarrow(patient.clientsPort(), "?topic=beat:slow")) {
            long start = System.nanoTime();
            slow.expect("welcome");
            slow.expect("subscribed");
            // Never a frame from it. Time is what this is about, so it takes its time.
            CountDownLatch never = new CountDownLatch(1);
            for (int i = 0; System.nanoTime() - start < 5_000_000_000L; i++) {
                for (int k = 0; k < 4; k++) {
                    patient.publish("beat:slow", data);
                }
                assertEquals(12 * 1024, slow.http().in().readNBytes(12 * 1024).length, "closed after " + i + " rounds");
                never.await(80, TimeUnit.MILLISECONDS);
            }
            assertEquals(1, patient.metric("barrage_behind_connections"), "it was behind all the time");
        }
    }

    @Test
    void oneThatIsNotReadFromWhileSomebodyDecidesLives() throws Exception {
        CountDownLatch decided = new CountDownLatch(1);
        try (HookBackend backend = new HookBackend()) {
            backend.answer("/connect", call -> {
                if (call.has("\"user\":\"patient\"")) {
                    HookBackend.await(decided);
                }
                return HookBackend.ok("{\"allow\":true}");
            });
            String yaml = "server: {loops: 1}\nheartbeat: 1s\nheartbeatTimeout: 1s\nhooks: {secret: "
                    + HookBackend.SECRET + ", connect: {timeout: 1m, url: '" + backend.url("/connect") + "'}}";
            try (GatewayUnderTest asking = GatewayUnderTest.start(yaml);
                    RawWebSocket patient = RawWebSocket.open(asking.clientsPort(), "?user=patient")) {
                backend.next("/connect");
                // What two take one after the other is more than it has itself.
                for (int i = 0; i < 2; i++) {
                    try (RawWebSocket silent = asking.webSocket("")) {
                        assertEquals(PING, silent.frame().opcode());
                        silent.expectClose(4409);
                    }
                }
                decided.countDown();
                RawWebSocket.Frame frame = patient.frame();
                while (frame.opcode() == PING) {
                    frame = patient.frame();
                }
                assertTrue(frame.text().startsWith("{\"type\":\"welcome\""), frame.text());
            }
        }
    }

    @Test
    void oneThatNeitherReadsNorAnswersIsClosedWithoutAWord() throws Exception {
        String data = "\"" + "x".repeat(8 * 1024) + "\"";
        double before = gateway.metric("barrage_closes_total{code=\"4409\"");
        try (RawWebSocket stuck = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=beat:stuck")) {
            stuck.expect("welcome");
            stuck.expect("subscribed");
            for (int i = 0; i < 100; i++) {
                gateway.publish("beat:stuck", data);
            }
            GatewayUnderTest.await("it is closed", () -> gateway.metric("barrage_closes_total{code=\"4409\"") > before);
            GatewayUnderTest.await("nothing waits for it", () -> gateway.metric("barrage_behind_connections") == 0);
        }
    }
}
