package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of the gifts that a viewer's connection hasn't read when its log has moved on. */
@Timeout(60)
class GiftIT {
    private static final int LINES = 3_000;
    private static final String LINE = "{\"topic\":\"room:1\",\"data\":\"" + "x".repeat(1000) + "\"}\n";
    private static final String GIFT = "{\"topic\":\"room:1\",\"priority\":\"critical\",\"data\":\"gift\"}\n";

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                limits: {messageBytes: 4KiB}
                namespaces:
                  - {name: room, presence: "off", log: {size: 64, bytes: 64KiB}}
                """);
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    /** A viewer that is on the topic and reads no more. */
    private RawWebSocket viewerThatDoesntRead(TopicAccount account) throws Exception {
        RawWebSocket viewer = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=room:1");
        viewer.expect("welcome");
        account.take(viewer.expect("subscribed"));
        return viewer;
    }

    /** Publishes lines with gifts spread among them; gives the gifts' offsets. */
    private List<Long> publish(int gifts) throws Exception {
        List<Long> found = new ArrayList<>();
        for (int gift = 0; gift < gifts; gift++) {
            List<Long> offsets = gateway.publishAll(LINE.repeat(LINES / gifts) + GIFT);
            found.add(offsets.get(offsets.size() - 1));
        }
        return found;
    }

    @Test
    void everyGiftArrivesAmongTheLinesThatAreSkipped() throws Exception {
        TopicAccount account = new TopicAccount("room:1");
        try (RawWebSocket viewer = viewerThatDoesntRead(account)) {
            List<Long> gifts = publish(40);
            long head = gateway.publish("room:1", "\"the last\"");
            while (account.next() <= head) {
                account.take(viewer.text());
            }
            assertEquals(gifts, account.gifts());
            assertTrue(account.missed("behind") > LINES / 2, () -> "it wasn't behind: " + account);
            GatewayUnderTest.await("all has drained", () -> gateway.metric("barrage_behind_connections") == 0);
            assertEquals(
                    (double) account.missed("behind"),
                    gateway.metric("barrage_shed_total{namespace=\"room\",priority=\"normal\",reason=\"behind\""));
            assertEquals(
                    0, gateway.metric("barrage_shed_total{namespace=\"room\",priority=\"critical\",reason=\"behind\""));
        }
    }

    @Test
    void viewerIsClosedRatherThanToldAGapOverAGift() throws Exception {
        TopicAccount account = new TopicAccount("room:1");
        try (RawWebSocket viewer = viewerThatDoesntRead(account)) {
            List<Long> gifts = publish(200);
            RawWebSocket.Frame frame = viewer.frame();
            while (frame.opcode() == RawWebSocket.TEXT) {
                account.take(frame.text());
                frame = viewer.frame();
            }
            assertEquals(4408, frame.closeCode());
            assertTrue(account.next() < gifts.get(gifts.size() - 1), () -> "it wasn't behind: " + account);
            for (long[] gap : account.gaps()) {
                assertFalse(
                        gifts.stream().anyMatch(gift -> gap[0] <= gift && gift <= gap[1]),
                        () -> "a gap over a gift: " + gap[0] + " to " + gap[1]);
            }
        }
        assertEquals(1, gateway.metric("barrage_closes_total{code=\"4408\""));
    }
}
