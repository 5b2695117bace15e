package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.BINARY;
import static io.barrage.gateway.RawWebSocket.CLOSE;
import static io.barrage.gateway.RawWebSocket.CONTINUATION;
import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.PONG;
import static io.barrage.gateway.RawWebSocket.TEXT;
import static io.barrage.gateway.RawWebSocket.closing;
import static io.barrage.gateway.RawWebSocket.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 6455 and the frames of {@code barrage.v1} over a real socket. */
class WebSocketIT {
    /** A message's data and 4 KiB for what is around it. */
    private static final int MAX_FRAME = 64 * 1024 + 4 * 1024;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("""
                limits: {requests: none, inbound: none}
                namespaces:
                  - {name: open, publish: anyone, maxClientPriority: high}
                  - {name: closed, subscribe: none}
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static RawWebSocket open() throws IOException {
        return gateway.webSocket("");
    }

    /** A pong also tells how many are on the connection's topics, where there are any. */
    private static void assertPong(int id, String text) {
        assertTrue(text.matches("\\{\"type\":\"pong\",\"id\":" + id + "(,\"online\":\\{[^}]*})?}"), text);
    }

    private static void assertAlive(RawWebSocket socket) throws IOException {
        socket.say("{\"type\":\"ping\",\"id\":999}");
        assertPong(999, socket.text());
    }

    // ---------------------------------------------------------------- messages and fragments

    @Test
    void fragmentsMakeOneMessageWithControlFramesInBetween() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(TEXT, "{\"type\":"));
            socket.send(frame(FIN | PING, "between"));
            socket.expectPong("between");
            socket.send(
                    frame(CONTINUATION, "\"pi"),
                    frame(FIN | PONG, "nobody asked"),
                    frame(CONTINUATION, ""),
                    frame(FIN | PING, ""),
                    frame(FIN | CONTINUATION, "ng\",\"id\":3}"));
            socket.expectPong("");
            assertPong(3, socket.text());
            // And again: nothing is left of the first.
            socket.send(frame(TEXT, "{\"type\":\"ping\""), frame(FIN | CONTINUATION, ",\"id\":4}"));
            assertPong(4, socket.text());
        }
    }

    @Test
    void characterMayBeSplitOverFragments() throws IOException {
        byte[] text =
                "{\"type\":\"subscribe\",\"id\":1,\"x\":\"\u5f39\ud83d\ude80\",\"topic\":\"ws:split\"}".getBytes(UTF_8);
        try (RawWebSocket socket = open()) {
            for (int i = 0; i < text.length; i++) {
                int opcode = (i == 0 ? TEXT : CONTINUATION) | (i == text.length - 1 ? FIN : 0);
                socket.send(frame(opcode, new byte[] {text[i]}));
            }
            socket.expect("subscribed");
        }
    }

    @Test
    void framesMayComeByteByByteAndManyInAPacket() throws IOException {
        try (RawWebSocket socket = open()) {
            for (byte b : frame(FIN | TEXT, "{\"type\":\"ping\",\"id\":1,\"x\":\"" + "y".repeat(200) + "\"}")) {
                socket.send(new byte[] {b});
            }
            assertPong(1, socket.text());
            socket.send(
                    frame(FIN | TEXT, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"ws:packet\"}"),
                    frame(FIN | TEXT, "{\"type\":\"unsubscribe\",\"id\":2,\"topic\":\"ws:packet\"}"),
                    frame(FIN | PING, "p"),
                    frame(FIN | TEXT, "{\"type\":\"ping\",\"id\":3}"));
            socket.expect("subscribed");
            assertEquals("{\"type\":\"unsubscribed\",\"id\":2,\"topic\":\"ws:packet\"}", socket.text());
            socket.expectPong("p");
            assertPong(3, socket.text());
        }
    }

    @Test
    void pingsAreAnsweredWithTheirPayload() throws IOException {
        try (RawWebSocket socket = open()) {
            for (int length : new int[] {0, 1, 124, 125}) {
                socket.send(frame(FIN | PING, "x".repeat(length)));
                socket.expectPong("x".repeat(length));
            }
        }
    }

    @Test
    void manyPingsInAPacketAreAllAnswered() throws IOException {
        byte[][] pings = new byte[3000][];
        for (int i = 0; i < pings.length; i++) {
            pings[i] = frame(FIN | PING, Integer.toString(i));
        }
        try (RawWebSocket socket = open()) {
            socket.send(pings);
            for (int i = 0; i < pings.length; i++) {
                socket.expectPong(Integer.toString(i));
            }
            assertAlive(socket);
        }
    }

    @Test
    void longestMessageIsTaken() throws IOException {
        String start = "{\"type\":\"ping\",\"id\":1,\"x\":\"";
        String longest = start + "y".repeat(MAX_FRAME - start.length() - 2) + "\"}";
        try (RawWebSocket socket = open()) {
            socket.say(longest);
            assertPong(1, socket.text());
            socket.send(
                    frame(TEXT, longest.substring(0, 40_000)), frame(FIN | CONTINUATION, longest.substring(40_000)));
            assertPong(1, socket.text());
        }
    }

    // ---------------------------------------------------------------- violations

    @ParameterizedTest
    @CsvSource({
        "c180 00000000, reserved bit 1",
        "a180 00000000, reserved bit 2",
        "9180 00000000, reserved bit 3",
        "8380 00000000, reserved data opcode",
        "8780 00000000, reserved data opcode",
        "8b80 00000000, reserved control opcode",
        "8f80 00000000, reserved control opcode",
        "8100, unmasked text",
        "8900, unmasked ping",
        "0980 00000000, fragmented ping",
        "0880 00000000, fragmented close",
        "89fe 007e 00000000, control frame of 126 bytes",
        "89ff 0000000000010000 00000000, control frame of 65536 bytes",
        "8080 00000000, continuation of nothing",
        "0180 00000000 8180 00000000, message within a message",
        "0180 00000000 8280 00000000, binary within a message",
        "81fe 007d 00000000, length not in its shortest form",
        "81ff 000000000000ffff 00000000, length not in its shortest form",
        "81ff 8000000000000000 00000000, negative length",
        "8881 00000000 03, close with one byte"
    })
    void violationsCloseWith1002(String hex, String what) throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(HexFormat.of().parseHex(hex.replace(" ", "")));
            assertFalse(socket.expectClose(1002).isEmpty(), what);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535})
    void badCloseCodesCloseWith1002(int code) throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | CLOSE, closing(code, "bye")));
            socket.expectClose(1002);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999})
    void closeIsEchoed(int code) throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | CLOSE, closing(code, "bye")));
            assertEquals("", socket.expectClose(code));
        }
    }

    @Test
    void closeWithoutACodeIsEchoedSo() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | CLOSE, ""), frame(FIN | PING, "too late"));
            RawWebSocket.Frame answer = socket.frame();
            assertEquals(CLOSE, answer.opcode());
            assertEquals(0, answer.payload().length);
            assertTrue(socket.http().isEnded());
        }
    }

    @Test
    void nothingIsCarriedOutBehindAClose() throws Exception {
        try (RawWebSocket listener = gateway.subscriber("open:close");
                RawWebSocket socket = open()) {
            socket.send(
                    frame(FIN | CLOSE, closing(1000, "")),
                    frame(FIN | TEXT, "{\"type\":\"publish\",\"topic\":\"open:close\",\"data\":1}"));
            socket.expectClose(1000);
            assertEquals(1, gateway.publish("open:close", "2"));
            assertTrue(listener.expect("message").endsWith("\"data\":2}"));
        }
    }

    @Test
    void binaryFramesCloseWith1003() throws IOException {
        for (int first : new int[] {FIN | BINARY, BINARY}) {
            try (RawWebSocket socket = open()) {
                socket.send(frame(first, "{\"type\":\"ping\"}"));
                assertEquals("binary frames aren't taken", socket.expectClose(1003));
            }
        }
    }

    @Test
    void tooLongFramesAndMessagesCloseWith1009() throws IOException {
        try (RawWebSocket socket = open()) {
            // Only the head: nothing is read that won't be taken.
            socket.send(Arrays.copyOf(frame(FIN | TEXT, "x".repeat(MAX_FRAME + 1)), 14));
            assertTrue(socket.expectClose(1009).contains(Integer.toString(MAX_FRAME)));
        }
        try (RawWebSocket socket = open()) {
            socket.send(frame(TEXT, "x".repeat(40_000)), frame(CONTINUATION, "x".repeat(MAX_FRAME - 40_000 + 1)));
            assertTrue(socket.expectClose(1009).contains(Integer.toString(MAX_FRAME)));
        }
        try (RawWebSocket socket = open()) {
            socket.send(HexFormat.of().parseHex("81ff7fffffffffffffff00000000"));
            socket.expectClose(1009);
        }
    }

    @Test
    void invalidUtf8ClosesWith1007() throws IOException {
        for (String bad : new String[] {"ff", "c0af", "eda080", "f4908080", "e282", "80"}) {
            byte[] bytes = HexFormat.of().parseHex(bad);
            try (RawWebSocket socket = open()) {
                socket.send(frame(FIN | TEXT, bytes));
                assertFalse(socket.expectClose(1007).isEmpty());
            }
            try (RawWebSocket socket = open()) {
                socket.send(
                        frame(TEXT, "\"" + "x".repeat(20)),
                        frame(CONTINUATION, bytes),
                        frame(FIN | CONTINUATION, "\""));
                socket.expectClose(1007);
            }
        }
        try (RawWebSocket socket = open()) {
            byte[] close = closing(1000, "xx");
            close[3] = (byte) 0xff;
            socket.send(frame(FIN | CLOSE, close));
            socket.expectClose(1007);
        }
    }

    @Test
    void framesBeforeAViolationCount() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | TEXT, "{\"type\":\"ping\",\"id\":1}"), new byte[] {(byte) 0xff, 0, 1, 2, 3});
            assertPong(1, socket.text());
            socket.expectClose(1002);
        }
    }

    @Test
    void clientThatVanishesLeavesItsTopics() throws Exception {
        RawWebSocket socket = gateway.subscriber("ws:vanish");
        double before = gateway.metric("barrage_subscriptions");
        socket.http().socket().setSoLinger(true, 0);
        socket.close();
        GatewayUnderTest.await("the subscription is gone", () -> gateway.metric("barrage_subscriptions") == before - 1);
    }

    // ---------------------------------------------------------------- what the frames say

    @Test
    void errorsNameWhatIsWrongAndLeaveTheRestAlone() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.say("{\"type\":\"dance\",\"id\":1}");
            assertEquals(
                    "{\"type\":\"error\",\"id\":1,\"code\":\"bad_request\",\"message\":\"unknown type 'dance'\"}",
                    socket.text());
            socket.say("{\"type\":\"subscribe\",\"id\":2,\"topic\":\"a b\"}");
            assertTrue(socket.expect("error")
                    .startsWith("{\"type\":\"error\",\"id\":2,\"topic\":\"a b\",\"code\":\"bad_request\""));
            socket.say("{\"type\":\"subscribe\",\"id\":3,\"topic\":\"closed:1\"}");
            assertTrue(socket.expect("error").contains("\"id\":3,\"topic\":\"closed:1\",\"code\":\"not_permitted\""));
            socket.say("{\"type\":\"unsubscribe\",\"id\":4,\"topic\":\"ws:none\"}");
            assertTrue(socket.expect("error").contains("\"id\":4,\"topic\":\"ws:none\",\"code\":\"not_subscribed\""));
            socket.say("{\"type\":\"auth\",\"id\":5,\"token\":\"x\"}");
            assertTrue(socket.expect("error").contains("\"id\":5,\"code\":\"not_implemented\""));
            socket.say("{\"type\":\"history\",\"id\":6,\"topic\":\"ws:none\"}");
            assertTrue(socket.expect("error").contains("\"id\":6,\"topic\":\"ws:none\",\"code\":\"not_subscribed\""));
            socket.say("{\"type\":\"subscribe\",\"topic\":\"ws:twice\"}").expect("subscribed");
            socket.say("{\"type\":\"subscribe\",\"id\":7,\"topic\":\"ws:twice\"}");
            assertTrue(
                    socket.expect("error").contains("\"id\":7,\"topic\":\"ws:twice\",\"code\":\"already_subscribed\""));
            assertAlive(socket);
        }
    }

    @Test
    void errorsAreCountedByCode() throws Exception {
        double before = gateway.metric("barrage_client_errors_total{code=\"not_subscribed\"");
        try (RawWebSocket socket = open()) {
            socket.say("{\"type\":\"unsubscribe\",\"topic\":\"ws:none\"}").expect("error");
        }
        assertEquals(before + 1, gateway.metric("barrage_client_errors_total{code=\"not_subscribed\""));
    }

    @Test
    void tenUnintelligibleFramesCloseWith4400() throws IOException {
        String[] noise = {"", "hello", "[]", "{}", "{\"id\":1}", "7", "{\"type\":1}", "{", "null", "\"x\""};
        try (RawWebSocket socket = open()) {
            for (int i = 0; i < noise.length; i++) {
                socket.say(noise[i]);
                assertTrue(socket.expect("error").contains("\"code\":\"bad_request\""), noise[i]);
                if (i < noise.length - 1) {
                    // A mistake isn't noise.
                    socket.say("{\"type\":\"dance\"}").expect("error");
                }
            }
            assertEquals("bad_request", socket.expectClose(4400));
        }
    }

    @Test
    void publishesWithoutAnIdAreSilentAndReachTheTopic() throws Exception {
        try (RawWebSocket listener = gateway.subscriber("open:1");
                RawWebSocket socket = gateway.webSocket("?user=u7")) {
            socket.expect("subscribed");
            socket.say("{\"type\":\"publish\",\"topic\":\"open:1\",\"data\": [1, \"\u5f39\"] }");
            String message = listener.expect("message");
            assertTrue(
                    message.matches("\\{\"type\":\"message\",\"topic\":\"open:1\",\"offset\":1,\"time\":\\d{13},"
                            + "\"sender\":\"u7\",\"data\":\\[1, \"\u5f39\"]}"),
                    message);
            socket.say("{\"type\":\"publish\",\"id\":5,\"topic\":\"open:1\",\"priority\":\"high\",\"data\":null}");
            assertTrue(
                    socket.text()
                            .matches(
                                    "\\{\"type\":\"published\",\"id\":5,\"topic\":\"open:1\",\"epoch\":\"[a-z0-9]+\",\"offset\":2}"));
            assertTrue(listener.expect("message").endsWith("\"priority\":\"high\",\"data\":null}"));
        }
    }

    @Test
    void publishesAreRefusedByTheRules() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"ws:1\",\"data\":1}");
            assertTrue(socket.expect("error").contains("\"id\":1,\"topic\":\"ws:1\",\"code\":\"not_permitted\""));
            socket.say("{\"type\":\"publish\",\"topic\":\"ws:1\",\"data\":1}");
            assertTrue(socket.expect("error").contains("\"topic\":\"ws:1\",\"code\":\"not_permitted\""));
            socket.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"open:2\",\"priority\":\"critical\",\"data\":1}");
            assertTrue(socket.expect("error")
                    .contains(
                            "\"code\":\"not_permitted\",\"message\":\"clients may publish here up to priority high\""));
            socket.say(
                    "{\"type\":\"publish\",\"id\":3,\"topic\":\"open:2\",\"data\":\"" + "x".repeat(64 * 1024) + "\"}");
            assertTrue(socket.expect("error").contains("\"id\":3,\"topic\":\"open:2\",\"code\":\"too_large\""));
            socket.say("{\"type\":\"publish\",\"id\":4,\"topic\":\"open:2\",\"sender\":\"u8\",\"data\":1}");
            assertTrue(socket.expect("error").contains("leave 'sender' out"));
            socket.say("{\"type\":\"publish\",\"id\":5,\"topic\":\"$user:u8\",\"data\":1}");
            assertTrue(socket.expect("error").contains("reserved"));
            assertAlive(socket);
        }
    }

    @Test
    void messageIdsOfAUserRepeatTheFirstAnswer() throws IOException {
        String publish = "{\"type\":\"publish\",\"id\":1,\"topic\":\"open:3\",\"messageId\":\"m\",\"data\":1}";
        try (RawWebSocket one = gateway.webSocket("?user=u7");
                RawWebSocket again = gateway.webSocket("?user=u7");
                RawWebSocket other = gateway.webSocket("?user=u8")) {
            one.expect("subscribed");
            again.expect("subscribed");
            other.expect("subscribed");
            String first = one.say(publish).expect("published");
            assertEquals(
                    first.replace("}", ",\"duplicate\":true}"), one.say(publish).text());
            assertEquals(
                    first.replace("}", ",\"duplicate\":true}"),
                    again.say(publish).text());
            assertEquals(
                    first.replace("\"offset\":1}", "\"offset\":2}"),
                    other.say(publish).text());
        }
    }

    @Test
    void messageIdsOfAnAnonymousConnectionAreItsOwn() throws IOException {
        String publish = "{\"type\":\"publish\",\"id\":1,\"topic\":\"open:4\",\"messageId\":\"m\",\"data\":1}";
        String first;
        try (RawWebSocket before = open()) {
            first = before.say(publish).expect("published");
            assertEquals(
                    first.replace("}", ",\"duplicate\":true}"),
                    before.say(publish).text());
        }
        try (RawWebSocket after = open()) {
            assertEquals(
                    first.replace("\"offset\":1}", "\"offset\":2}"),
                    after.say(publish).text());
        }
    }

    @Test
    void recoveryIsTrueOnlyAtTheHead() throws Exception {
        try (RawWebSocket socket = gateway.subscriber("ws:since")) {
            gateway.publish("ws:since", "1");
            socket.expect("message");
            String epoch;
            try (RawWebSocket now = gateway.webSocket("?topic=ws:since")) {
                epoch = GatewayUnderTest.find("\"epoch\":\"([a-z0-9]+)\"", now.expect("subscribed"));
            }
            for (String position :
                    new String[] {epoch + ":1 true", epoch + ":0 false", epoch + ":2 false", "zzz:1 false"}) {
                String since = position.substring(0, position.indexOf(' '));
                String recovered = "\"recovered\":" + position.substring(position.indexOf(' ') + 1);
                try (RawWebSocket back = gateway.webSocket("?topic=ws:since&since=ws:since@" + since)) {
                    String subscribed = back.expect("subscribed");
                    assertTrue(subscribed.contains("\"offset\":1," + recovered), subscribed);
                }
            }
        }
    }

    @Test
    void onlineIsToldWhenItChanges() throws IOException {
        try (RawWebSocket first = gateway.webSocket("?topic=ws:online")) {
            assertTrue(first.expect("subscribed").endsWith("\"online\":1}"));
            RawWebSocket second = gateway.webSocket("?topic=ws:online");
            assertTrue(second.expect("subscribed").endsWith("\"online\":2}"));
            assertEquals(
                    "{\"type\":\"online\",\"topic\":\"ws:online\",\"count\":2}",
                    first.frame().text());
            second.close();
            assertEquals(
                    "{\"type\":\"online\",\"topic\":\"ws:online\",\"count\":1}",
                    first.frame().text());
        }
    }
}
