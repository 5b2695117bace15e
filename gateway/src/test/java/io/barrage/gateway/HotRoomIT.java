package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A room with more comments than anyone can read, and a window between writes, seen from outside. */
class HotRoomIT {
    private static final String RULES = """
            namespaces:
              - {name: room, publish: anyone, budget: 20/s, coalesce: 20ms}
            """;
    private static final int COMMENTS = 400;
    private static final int EVERY = 20;
    private static final Pattern HIDDEN = Pattern.compile("\"hidden\":(\\d+)");
    private static final Pattern COUNT = Pattern.compile("\"count\":(\\d+)");

    /** What one viewer saw. */
    private static final class Seen {
        final List<String> messages = new ArrayList<>();
        final List<String> own = new ArrayList<>();
        int hidden;

        private void take(String frame) {
            if (frame.contains("\"type\":\"gap\"")) {
                assertTrue(frame.contains("\"reason\":\"hidden\""), frame);
                hidden += number(COUNT, frame);
            } else if (frame.contains("\"type\":\"message\"")) {
                (frame.contains("\"offset\":") ? messages : own).add(frame);
                hidden += number(HIDDEN, frame);
            }
        }

        /** Reads until so many messages were shown and hidden. */
        private static Seen all(RawWebSocket viewer, int shown, int hidden) throws Exception {
            Seen seen = new Seen();
            while (seen.messages.size() < shown || seen.hidden < hidden) {
                seen.take(viewer.text());
            }
            return seen;
        }

        private static int number(Pattern pattern, String frame) {
            Matcher found = pattern.matcher(frame);
            return found.find() ? Integer.parseInt(found.group(1)) : 0;
        }
    }

    @Test
    void showsEveryViewerTheSameRoomAndCountsTheRest() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(RULES)) {
            List<RawWebSocket> viewers = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                viewers.add(gateway.subscriber("room:1"));
            }
            int shown = 0;
            int hidden = 0;
            Map<String, Integer> answers = new HashMap<>();
            for (int i = 0; i < COMMENTS; i++) {
                boolean gift = i % EVERY == 0;
                String answer = gateway.post(
                                "/v1/publish",
                                "{\"topic\":\"room:1\",\"sender\":\"u" + i % 7 + "\",\"priority\":\""
                                        + (gift ? "critical" : "normal") + "\",\"data\":" + i + "}")
                        .body();
                if (answer.equals("{\"topic\":\"room:1\",\"shed\":\"budget\"}")) {
                    assertFalse(gift, "a gift was hidden");
                    hidden++;
                } else {
                    assertTrue(answer.contains("\"offset\":" + (shown + 1)), answer);
                    shown++;
                }
                answers.merge(gift ? "gift" : "comment", 1, Integer::sum);
            }
            assertEquals(COMMENTS, shown + hidden);
            assertTrue(hidden > 0, "the machine is too slow to be over a budget of 20 a second");
            Seen first = Seen.all(viewers.get(0), shown, hidden);
            assertEquals(shown, first.messages.size());
            assertEquals(hidden, first.hidden);
            assertEquals(
                    answers.get("gift").longValue(),
                    first.messages.stream()
                            .filter(message -> message.contains("\"priority\":\"critical\""))
                            .count());
            for (RawWebSocket viewer : viewers.subList(1, viewers.size())) {
                Seen other = Seen.all(viewer, shown, hidden);
                assertEquals(first.messages, other.messages);
                assertEquals(hidden, other.hidden);
            }
            assertEquals(
                    hidden,
                    gateway.metric("barrage_hidden_total{namespace=\"room\",priority=\"normal\",reason=\"budget\",}"));
            for (RawWebSocket viewer : viewers) {
                viewer.close();
            }
        }
    }

    @Test
    void givesEachSenderItsOwnLinesAlways() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(RULES);
                RawWebSocket anonymous = gateway.subscriber("room:1");
                RawWebSocket named = gateway.webSocket("?topic=room:1&user=u7");
                RawWebSocket namedToo = gateway.webSocket("?topic=room:1&user=u7");
                RawWebSocket elsewhere = gateway.webSocket("?topic=room:2&user=u7")) {
            for (RawWebSocket socket : List.of(named, namedToo, elsewhere)) {
                socket.expect("subscribed");
                socket.expect("subscribed");
            }
            for (int i = 0; i < 60; i++) {
                named.say("{\"type\":\"publish\",\"topic\":\"room:1\",\"data\":\"named " + i + "\"}");
                anonymous.say("{\"type\":\"publish\",\"topic\":\"room:1\",\"data\":\"anonymous " + i + "\"}");
            }
            assertEquals(60, linesOf("named", named));
            assertEquals(60, linesOf("named", namedToo));
            assertEquals(60, linesOf("anonymous", anonymous));
            elsewhere.say("{\"type\":\"ping\",\"id\":1}");
            elsewhere.expect("pong");
        }
    }

    /** Reads until all 60 lines of one sender have come, shown or given back; those given back don't wait for the window. */
    private static int linesOf(String name, RawWebSocket viewer) throws Exception {
        Set<String> lines = new HashSet<>();
        while (lines.size() < 60) {
            String frame = viewer.text();
            if (frame.contains("\"data\":\"" + name + " ")) {
                assertTrue(lines.add(GatewayUnderTest.find("\"data\":\"(.*)\"", frame)), "twice: " + frame);
            } else if (!frame.contains("\"offset\":")) {
                // Another's line without an offset would be a leak.
                assertFalse(frame.contains("\"type\":\"message\""), frame);
            }
        }
        return lines.size();
    }

    @Test
    void tellsOfStaleMessagesInsteadOfSendingThem() throws Exception {
        String rules = "namespaces: [{name: room, coalesce: 2s, coalesceMax: 2s, presence: off}]";
        try (GatewayUnderTest gateway = GatewayUnderTest.start(rules);
                RawWebSocket viewer = gateway.subscriber("room:1")) {
            gateway.publish("room:1", "\"at once\"");
            String stale = "{\"topic\":\"room:1\",\"ttlMs\":1,\"data\":\"stale\"}";
            assertEquals(200, gateway.post("/v1/publish", stale).statusCode());
            gateway.publish("room:1", "\"fresh\"");
            assertTrue(viewer.text().endsWith("\"data\":\"at once\"}"));
            assertEquals(
                    "{\"type\":\"gap\",\"topic\":\"room:1\",\"from\":2,\"to\":2,\"count\":1,\"reason\":\"expired\"}",
                    viewer.text());
            assertTrue(viewer.text().endsWith("\"data\":\"fresh\"}"));
            assertEquals(
                    1,
                    gateway.metric("barrage_shed_total{namespace=\"room\",priority=\"normal\",reason=\"expired\",}"));
        }
    }
}
