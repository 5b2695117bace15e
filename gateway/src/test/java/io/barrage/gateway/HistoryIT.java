package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A topic's history as backends and clients read and clear it, and messages that are taken back. */
@Timeout(60)
class HistoryIT {
    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("""
                limits: {requests: none, inbound: none}
                namespaces:
                  - {name: room, presence: "off", history: {size: 50, ttl: 10m}}
                  - {name: long, presence: "off", history: {size: 5000, ttl: 10m}}
                  - {name: none, presence: "off"}
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    /** Publishes the numbers up to {@code last}, as u0, u1 and u2 in turn; gives the epoch. */
    private static String fill(String topic, int last) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i <= last; i++) {
            lines.append("{\"topic\":\"" + topic + "\",\"sender\":\"u" + i % 3 + "\",\"data\":" + i + "}\n");
        }
        return GatewayUnderTest.find(
                "\"epoch\":\"(\\w+)\"", gateway.postLines(lines.toString()).body());
    }

    private static String history(String topic, String query) throws Exception {
        HttpResponse<String> answer = gateway.get("/v1/topics/" + topic + "/history" + query);
        assertEquals(200, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static String problem(String query) throws Exception {
        HttpResponse<String> answer = gateway.get("/v1/topics/room:1/history" + query);
        assertEquals(400, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static String clear(String topic) throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.backendPort() + "/v1/topics/"
                                        + topic + "/history"))
                                .timeout(GatewayUnderTest.PATIENCE)
                                .DELETE()
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static String retract(String topic, String body) throws Exception {
        HttpResponse<String> answer = gateway.post("/v1/topics/" + topic + "/retract", body);
        assertEquals(200, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static List<Long> offsets(String text) {
        List<Long> offsets = new ArrayList<>();
        for (Matcher found = Pattern.compile("\\{\"offset\":(\\d+)").matcher(text); found.find(); ) {
            offsets.add(Long.parseLong(found.group(1)));
        }
        return offsets;
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Nested
    class OverHttp {
        @Test
        void isReadInPagesFromTheOldestOn() throws Exception {
            String epoch = fill("room:pages", 60);
            String page = history("room:pages", "?limit=2");
            assertEquals(
                    "{\"topic\":\"room:pages\",\"epoch\":\"" + epoch
                            + "\",\"messages\":[{\"offset\":11,\"time\":T,\"sender\":\"u2\",\"data\":11},"
                            + "{\"offset\":12,\"time\":T,\"sender\":\"u0\",\"data\":12}],\"more\":true}",
                    page.replaceAll("\"time\":\\d+", "\"time\":T"));
            assertEquals(range(11, 60), offsets(history("room:pages", "")));
            page = history("room:pages", "?since=" + epoch + ":57&limit=10");
            assertEquals(range(58, 60), offsets(page));
            assertTrue(page.contains("\"recovered\":true"), page);
            assertFalse(page.contains("more"), page);
        }

        @Test
        void isReadBackwardsFromTheNewestOrAPlace() throws Exception {
            String epoch = fill("room:back", 60);
            assertEquals(range(56, 60), offsets(history("room:back", "?last=5")));
            String page = history("room:back", "?before=" + epoch + ":56&limit=40");
            assertEquals(range(16, 55), offsets(page));
            assertTrue(page.endsWith(",\"more\":true}"), page);
        }

        @Test
        void saysWhenItDoesntJoinOn() throws Exception {
            String epoch = fill("room:torn", 60);
            for (String since : List.of("another:20", epoch + ":9")) {
                String page = history("room:torn", "?limit=1&since=" + since);
                assertTrue(page.contains(",\"recovered\":false,\"messages\":[{\"offset\":11,"), page);
            }
        }

        @Test
        void carriesDataByteForByte() throws Exception {
            String data = "{ \"a\" :\t[1e400, \"\\u00e9\u00e9 \ud83d\ude80\"],\n\"b\":0.10 }";
            gateway.publish("room:bytes", data);
            String page = history("room:bytes", "");
            assertTrue(page.endsWith(",\"data\":" + data + "}]}"), page);
        }

        @Test
        void isBoundedInBytes() throws Exception {
            String data = "\"" + "x".repeat(60_000) + "\"";
            for (int i = 0; i < 10; i++) {
                gateway.publish("room:large", data);
            }
            String page = history("room:large", "?limit=1000");
            assertEquals(range(1, 5), offsets(page));
            assertTrue(page.endsWith(",\"more\":true}"));
        }

        @Test
        void ofATopicThatNobodyHasUsedIsEmptyAndMakesNone() throws Exception {
            double topics = gateway.metric("barrage_topics");
            assertEquals("{\"topic\":\"room:nobody\",\"messages\":[]}", history("room:nobody", ""));
            assertEquals(
                    "{\"topic\":\"room:nobody\",\"recovered\":false,\"messages\":[]}",
                    history("room:nobody", "?since=k3x9:1"));
            assertEquals("{\"topic\":\"room:nobody\",\"cleared\":0}", clear("room:nobody"));
            assertEquals("{\"topic\":\"room:nobody\",\"retracted\":0}", retract("room:nobody", "{\"sender\":\"u1\"}"));
            assertEquals(topics, gateway.metric("barrage_topics"));
        }

        @Test
        void namesWhatIsWrongWithAQuestion() throws Exception {
            assertTrue(problem("?since=k3x9").contains("query parameter 'since': a position of a topic is written"));
            assertTrue(problem("?limit=1001").contains("query parameter 'limit': it is a number from 1 to 1000"));
            assertTrue(problem("?last=0").contains("query parameter 'last'"));
            assertTrue(problem("?last=3&since=k3x9:1").contains("one of 'since', 'before' and 'last'"));
            assertTrue(problem("?last=3&limit=3").contains("'last' says how many"));
            assertTrue(problem("?reverse=1").contains("no query parameter"));
        }

        @Test
        void isClearedAndThenNothingIsRecoveredAcross() throws Exception {
            String epoch = fill("room:clear", 20);
            assertEquals("{\"topic\":\"room:clear\",\"cleared\":20}", clear("room:clear"));
            assertEquals(List.of(), offsets(history("room:clear", "")));
            assertEquals(21, gateway.publish("room:clear", "21"));
            try (RawWebSocket socket = gateway.webSocket("?topic=room:clear&since=room:clear@" + epoch + ":19")) {
                String subscribed = socket.expect("subscribed");
                assertTrue(subscribed.contains("\"offset\":21,\"recovered\":false"), subscribed);
            }
            try (RawWebSocket socket = gateway.webSocket("?topic=room:clear&since=room:clear@" + epoch + ":20")) {
                String subscribed = socket.expect("subscribed");
                assertTrue(subscribed.contains("\"offset\":21,\"recovered\":true"), subscribed);
                assertTrue(socket.expect("message").contains("\"offset\":21,"));
            }
        }
    }

    @Nested
    class OverWebSocket {
        @Test
        void isReadByWhoIsOnTheTopicAndNobodyElse() throws Exception {
            String epoch = fill("room:ws", 20);
            try (RawWebSocket socket = gateway.webSocket("")) {
                socket.say("{\"type\":\"history\",\"id\":6,\"topic\":\"room:ws\"}");
                String error = socket.expect("error");
                assertTrue(error.startsWith(
                        "{\"type\":\"error\",\"id\":6,\"topic\":\"room:ws\",\"code\":\"not_subscribed\""));
            }
            try (RawWebSocket socket = gateway.subscriber("room:ws")) {
                socket.say("{\"type\":\"history\",\"id\":6,\"topic\":\"room:ws\",\"since\":{\"epoch\":\"" + epoch
                        + "\",\"offset\":17},\"limit\":2}");
                assertEquals(
                        "{\"type\":\"history\",\"id\":6,\"topic\":\"room:ws\",\"epoch\":\"" + epoch
                                + "\",\"recovered\":true,\"messages\":[{\"offset\":18,\"time\":T,\"sender\":\"u0\","
                                + "\"data\":18},{\"offset\":19,\"time\":T,\"sender\":\"u1\",\"data\":19}],\"more\":true}",
                        socket.text().replaceAll("\"time\":\\d+", "\"time\":T"));
                socket.say("{\"type\":\"history\",\"topic\":\"room:ws\",\"before\":{\"epoch\":\"" + epoch
                        + "\",\"offset\":18},\"limit\":5}");
                assertEquals(range(13, 17), offsets(socket.expect("history")));
                socket.say("{\"type\":\"history\",\"topic\":\"room:ws\",\"last\":3}");
                assertEquals(range(18, 20), offsets(socket.expect("history")));
                socket.say("{\"type\":\"history\",\"id\":9,\"topic\":\"room:ws\",\"limit\":1001}");
                assertTrue(socket.expect("error").contains("\"id\":9,\"topic\":\"room:ws\",\"code\":\"bad_request\""));
            }
        }

        @Test
        void ofLongMessagesComesInAnswersThatFitInMemory() throws Exception {
            String data = "\"" + "x".repeat(20_000) + "\"";
            String epoch = "";
            for (int i = 0; i < 10; i++) {
                epoch = GatewayUnderTest.find(
                        "\"epoch\":\"(\\w+)\"",
                        gateway.post("/v1/publish", "{\"topic\":\"room:fits\",\"data\":" + data + "}")
                                .body());
            }
            try (RawWebSocket socket = gateway.subscriber("room:fits")) {
                List<Long> all = new ArrayList<>();
                String answer;
                do {
                    long since = all.isEmpty() ? 0 : all.get(all.size() - 1);
                    socket.say("{\"type\":\"history\",\"id\":1,\"topic\":\"room:fits\",\"since\":{\"epoch\":\"" + epoch
                            + "\",\"offset\":" + since + "},\"limit\":1000}");
                    answer = socket.expect("history");
                    assertTrue(answer.length() < 90_000, "length " + answer.length());
                    all.addAll(offsets(answer));
                } while (answer.endsWith(",\"more\":true}"));
                assertEquals(range(1, 10), all);
            }
        }

        @Test
        void askedForByOneThatDoesntReadWaitsInItsSocketAlone() throws Exception {
            fill("long:greedy", 4_000);
            try (RawWebSocket socket = RawWebSocket.openNarrow(gateway.clientsPort(), "?topic=long:greedy")) {
                socket.expect("welcome");
                socket.expect("subscribed");
                int asked = 2_000;
                byte[] question = RawWebSocket.frame(
                        RawWebSocket.FIN | RawWebSocket.TEXT,
                        "{\"type\":\"history\",\"topic\":\"long:greedy\",\"limit\":1000}");
                Thread asking = new Thread(() -> {
                    try {
                        for (int i = 0; i < asked; i++) {
                            socket.send(question);
                        }
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
                asking.start();
                for (int i = 0; i < asked; i++) {
                    assertTrue(socket.expect("history").endsWith(",\"more\":true}"));
                }
                asking.join();
            }
        }
    }

    @Nested
    class Retraction {
        @Test
        void reachesEveryViewerInOrderWhateverItsStream() throws Exception {
            fill("room:all", 5);
            List<RawWebSocket> sockets = new ArrayList<>();
            try {
                for (String query : List.of("?topic=room:all", "?topic=room:all&batch=1")) {
                    for (String level : List.of("full", "digest", "counts")) {
                        RawWebSocket socket = gateway.webSocket(query);
                        sockets.add(socket);
                        socket.expect("subscribed");
                        socket.say(
                                "{\"type\":\"attention\",\"id\":1,\"topic\":\"room:all\",\"level\":\"" + level + "\"}");
                        socket.expect("attention");
                    }
                }
                gateway.publish("room:all", "6");
                assertEquals("{\"topic\":\"room:all\",\"retracted\":2}", retract("room:all", "{\"offsets\":[6,2,6]}"));
                gateway.publish("room:all", "7");
                for (int i = 0; i < sockets.size(); i++) {
                    RawWebSocket socket = sockets.get(i);
                    if (i % 3 == 0) {
                        assertTrue(socket.expect("message").contains("\"offset\":6,"));
                    }
                    assertEquals("{\"type\":\"retract\",\"topic\":\"room:all\",\"offsets\":[2,6]}", socket.text());
                    if (i % 3 == 0) {
                        assertTrue(socket.expect("message").contains("\"offset\":7,"));
                    }
                }
                assertEquals(List.of(1L, 3L, 4L, 5L, 7L), offsets(history("room:all", "")));
                assertTrue(gateway.metric("barrage_retracted_total{namespace=\"room\"") >= 2);
            } finally {
                for (RawWebSocket socket : sockets) {
                    socket.close();
                }
            }
        }

        @Test
        void isAGapForNewcomersAndToldToThoseWhoComeBack() throws Exception {
            String epoch = fill("room:late", 9);
            assertEquals("{\"topic\":\"room:late\",\"retracted\":3}", retract("room:late", "{\"sender\":\"u1\"}"));
            try (RawWebSocket socket = gateway.webSocket("")) {
                socket.say("{\"type\":\"subscribe\",\"topic\":\"room:late\",\"last\":4}");
                socket.expect("subscribed");
                assertTrue(socket.expect("message").contains("\"offset\":6,"));
                assertEquals(
                        "{\"type\":\"gap\",\"topic\":\"room:late\",\"from\":7,\"to\":7,\"count\":1,\"reason\":\"retracted\"}",
                        socket.text());
                assertTrue(socket.expect("message").contains("\"offset\":8,"));
                assertTrue(socket.expect("message").contains("\"offset\":9,"));
            }
            try (RawWebSocket socket = gateway.webSocket("?topic=room:late&since=room:late@" + epoch + ":5")) {
                assertTrue(socket.expect("subscribed").contains("\"offset\":9,\"recovered\":true"));
                // It has shown 1 and 4 before it went; 7 it hasn't.
                assertEquals("{\"type\":\"retract\",\"topic\":\"room:late\",\"offsets\":[1,4]}", socket.text());
                assertTrue(socket.expect("message").contains("\"offset\":6,"));
                assertTrue(socket.expect("gap").contains("\"from\":7,\"to\":7,"));
            }
        }

        @Test
        void ofManyMessagesComesInBoundedFrames() throws Exception {
            fill("long:many", 4_500);
            try (RawWebSocket socket = gateway.subscriber("long:many")) {
                assertEquals(
                        "{\"topic\":\"long:many\",\"retracted\":1500}", retract("long:many", "{\"sender\":\"u0\"}"));
                List<Long> told = new ArrayList<>();
                while (told.size() < 1_500) {
                    String[] offsets = GatewayUnderTest.find("\"offsets\":\\[(.*)\\]", socket.expect("retract"))
                            .split(",", -1);
                    assertTrue(offsets.length <= 1_000);
                    for (String offset : offsets) {
                        told.add(Long.parseLong(offset));
                    }
                }
                assertEquals(
                        LongStream.rangeClosed(1, 1_500).map(i -> 3 * i).boxed().toList(), told);
            }
        }

        @Test
        void namesWhatIsWrong() throws Exception {
            fill("room:wrong", 3);
            for (String[] wrong : new String[][] {
                {"{\"offsets\":[2,4,9]}", "topic room:wrong ends at offset 3, there is no 4, 9: nothing was retracted"},
                {"{\"offsets\":[]}", "field 'offsets' is empty"},
                {"{\"offsets\":[0]}", "field 'offsets' must be 1 to 9007199254740991"},
                {"{\"offsets\":[1.5]}", "field 'offsets' must be an array of whole numbers"},
                {"{\"offsets\":[\"1\"]}", "field 'offsets' must be an array of whole numbers"},
                {"{}", "either 'offsets' or 'sender'"},
                {"{\"offsets\":[1],\"sender\":\"u1\"}", "either 'offsets' or 'sender'"},
                {"{\"sender\":\"no such name\"}", "a user's name"},
                {"{\"offsets\":" + range(1, 1_001).toString().replace(" ", "") + "}", "has more than 1000 elements"},
                {"[]", "expected a JSON object"}
            }) {
                HttpResponse<String> answer = gateway.post("/v1/topics/room:wrong/retract", wrong[0]);
                assertEquals(400, answer.statusCode(), answer.body());
                assertTrue(answer.body().contains("\"code\":\"bad_request\""), answer.body());
                assertTrue(answer.body().contains(wrong[1]), answer.body());
            }
            assertEquals(range(1, 3), offsets(history("room:wrong", "")));
        }
    }

    @Test
    void ofAMemoryBrokerEndsWithItsGateway() throws Exception {
        String yaml = "namespaces: [{name: room, presence: \"off\", history: {size: 50, ttl: 10m}}]";
        String epoch;
        try (GatewayUnderTest first = GatewayUnderTest.start(yaml)) {
            epoch = GatewayUnderTest.find(
                    "\"epoch\":\"(\\w+)\"",
                    first.post("/v1/publish", "{\"topic\":\"room:1\",\"data\":1}")
                            .body());
        }
        try (GatewayUnderTest second = GatewayUnderTest.start(yaml)) {
            second.publish("room:1", "\"new\"");
            try (RawWebSocket socket = second.webSocket("?topic=room:1&since=room:1@" + epoch + ":1")) {
                String subscribed = socket.expect("subscribed");
                assertTrue(subscribed.contains("\"offset\":1,\"recovered\":false"), subscribed);
                assertFalse(subscribed.contains(epoch), subscribed);
                second.publish("room:1", "2");
                assertTrue(socket.expect("message").contains("\"offset\":2,"));
            }
        }
    }
}
