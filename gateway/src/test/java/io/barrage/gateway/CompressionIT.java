package io.barrage.gateway;

import static io.barrage.gateway.RawWebSocket.BINARY;
import static io.barrage.gateway.RawWebSocket.CLOSE;
import static io.barrage.gateway.RawWebSocket.CONTINUATION;
import static io.barrage.gateway.RawWebSocket.DEFLATE;
import static io.barrage.gateway.RawWebSocket.FIN;
import static io.barrage.gateway.RawWebSocket.PING;
import static io.barrage.gateway.RawWebSocket.PONG;
import static io.barrage.gateway.RawWebSocket.RSV1;
import static io.barrage.gateway.RawWebSocket.TEXT;
import static io.barrage.gateway.RawWebSocket.closing;
import static io.barrage.gateway.RawWebSocket.deflated;
import static io.barrage.gateway.RawWebSocket.frame;
import static io.barrage.gateway.RawWebSocket.upgrade;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.Browser;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** permessage-deflate (RFC 7692) over a real socket: how it is agreed on, and what clients may send then. */
class CompressionIT {
    private static final String ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    /** A message's data and 4 KiB for what is around it. */
    private static final int MAX_MESSAGE = 64 * 1024 + 4 * 1024;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("");
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static RawWebSocket open() throws IOException {
        RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "", DEFLATE);
        assertEquals(ANSWER, socket.extensions());
        socket.expect("welcome");
        return socket;
    }

    /** A pong also tells how many are on the connection's topics, where there are any. */
    private static void assertPong(int id, String text) {
        assertTrue(text.matches("\\{\"type\":\"pong\",\"id\":" + id + "(,\"online\":\\{[^}]*})?}"), text);
    }

    private static void assertAlive(RawWebSocket socket) throws IOException {
        socket.sayDeflated("{\"type\":\"ping\",\"id\":999}");
        assertPong(999, socket.text());
    }

    private static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    // ---------------------------------------------------------------- the agreement

    @Test
    void firstOfferThatCanBeMetIsAnswered() throws IOException {
        String offer = "Sec-WebSocket-Extensions: x-other, permessage-deflate; server_max_window_bits=10\n"
                + "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15";
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "", offer)) {
            assertEquals(ANSWER + "; server_max_window_bits=15", socket.extensions());
            socket.expect("welcome");
            assertAlive(socket);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x-other", "permessage-deflate; server_max_window_bits=10", "permessage-deflate; a=b"})
    void offersThatCannotBeMetAreNotAnswered(String offer) throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "", "Sec-WebSocket-Extensions: " + offer)) {
            assertEquals("", socket.extensions());
            socket.expect("welcome");
            socket.sayDeflated("{\"type\":\"ping\"}");
            assertTrue(socket.expectClose(1002).contains("no extension negotiated"));
        }
    }

    @Test
    void malformedOffersAreRefused() throws IOException {
        try (RawHttp socket = gateway.clientsSocket()) {
            RawHttp.Answer answer = socket.say(upgrade("", "Sec-WebSocket-Extensions: permessage-deflate; a=\"b"))
                    .answer();
            assertEquals(400, answer.status());
            assertTrue(answer.body().contains("Sec-WebSocket-Extensions isn't well-formed"), answer.body());
        }
    }

    @Test
    void nothingIsNegotiatedWhereItIsOff() throws IOException {
        try (GatewayUnderTest off = GatewayUnderTest.start("clients: {host: 127.0.0.1, port: 0, compression: false}");
                RawWebSocket socket = RawWebSocket.open(off.clientsPort(), "", DEFLATE)) {
            assertEquals("", socket.extensions());
            socket.expect("welcome");
            socket.sayDeflated("{\"type\":\"ping\"}");
            socket.expectClose(1002);
        }
    }

    // ---------------------------------------------------------------- batch

    @ParameterizedTest
    @ValueSource(strings = {"?batch=1", "?batch=0"})
    void batchIsOneOrZero(String query) throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), query, DEFLATE)) {
            socket.expect("welcome");
            assertAlive(socket);
        }
    }

    @ParameterizedTest
    @CsvSource({"?batch=2, 1 or 0", "?batch=, 1 or 0", "?batch=true, 1 or 0", "?batch=1&batch=1, more than once"})
    void batchIsNothingElse(String query, String complaint) throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), query)) {
            String error = socket.expect("error");
            assertTrue(error.contains("\"code\":\"bad_request\"") && error.contains("'batch'"), error);
            assertTrue(error.contains(complaint), error);
            socket.expectClose(4400);
        }
    }

    // ---------------------------------------------------------------- compressed messages

    @Test
    void compressedMessagesAreCarriedOut() throws IOException {
        String data = "\"" + "a barrage of 弹幕, ".repeat(500) + "\"";
        try (RawWebSocket socket = open()) {
            socket.sayDeflated("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"demo:deflated\"}");
            socket.expect("subscribed");
            socket.sayDeflated("{\"type\":\"publish\",\"topic\":\"demo:deflated\",\"data\":" + data + "}");
            assertTrue(socket.expect("message").endsWith(",\"data\":" + data + "}"));
            // The same again, and one that isn't compressed: a client may choose for each.
            assertAlive(socket);
            socket.say("{\"type\":\"ping\",\"id\":2}");
            assertPong(2, socket.text());
            assertAlive(socket);
        }
    }

    @Test
    void fragmentsOfACompressedMessageMayHaveControlFramesInBetween() throws IOException {
        byte[] payload = deflated("{\"type\":\"ping\",\"id\":3,\"x\":\"" + "弹幕".repeat(100) + "\"}");
        try (RawWebSocket socket = open()) {
            for (int cut = 0; cut <= payload.length; cut += 3) {
                socket.send(frame(RSV1 | TEXT, Arrays.copyOf(payload, cut)), frame(FIN | PING, "between"));
                socket.expectPong("between");
                socket.send(
                        frame(CONTINUATION, ""),
                        frame(FIN | PONG, ""),
                        frame(FIN | CONTINUATION, Arrays.copyOfRange(payload, cut, payload.length)));
                assertPong(3, socket.text());
            }
            // Nothing is left of it: a plain one in fragments is plain.
            socket.send(frame(TEXT, "{\"type\":\"ping\""), frame(FIN | CONTINUATION, ",\"id\":4}"));
            assertPong(4, socket.text());
        }
    }

    @Test
    void longestMessageIsTaken() throws IOException {
        String start = "{\"type\":\"ping\",\"id\":1,\"x\":\"";
        String longest = start + "y".repeat(MAX_MESSAGE - start.length() - 2) + "\"}";
        try (RawWebSocket socket = open()) {
            socket.sayDeflated(longest);
            assertPong(1, socket.text());
            socket.sayDeflated(longest + " ");
            assertTrue(socket.expectClose(1009).contains("larger than " + MAX_MESSAGE));
        }
    }

    @Test
    void bombClosesWith1009() throws IOException {
        byte[] bomb = deflated(new byte[32 << 20]);
        assertTrue(bomb.length < MAX_MESSAGE, "within the limit of a frame");
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | RSV1 | TEXT, bomb));
            socket.expectClose(1009);
        }
        try (RawWebSocket socket = open()) {
            socket.send(
                    frame(RSV1 | TEXT, Arrays.copyOf(bomb, 1000)),
                    frame(FIN | CONTINUATION, Arrays.copyOfRange(bomb, 1000, bomb.length)));
            socket.expectClose(1009);
        }
    }

    @Test
    void fragmentsOverTheLimitCloseWith1009() throws IOException {
        byte[] noise = new byte[MAX_MESSAGE / 2];
        new Random(1).nextBytes(noise);
        try (RawWebSocket socket = open()) {
            socket.send(frame(RSV1 | TEXT, noise), frame(CONTINUATION, noise), frame(CONTINUATION, new byte[1]));
            socket.expectClose(1009);
        }
    }

    // ---------------------------------------------------------------- faults

    @ParameterizedTest
    @CsvSource({
        "'', nothing",
        "06, a block of the reserved type",
        "f2 48 cd, cut within a block",
        "00 05 00 fa fe 48 65 6c 6c 6f 00, a length without its complement",
        "f2 00 11 00 00, refers to a message before"
    })
    void corruptMessagesCloseWith1007(String payload, String what) throws IOException {
        try (RawWebSocket socket = open()) {
            assertAlive(socket);
            socket.send(frame(FIN | RSV1 | TEXT, hex(payload)));
            assertEquals("a compressed message was corrupt", socket.expectClose(1007), what);
        }
    }

    @Test
    void messageMustBeUtf8WhenItIsInflated() throws IOException {
        try (RawWebSocket socket = open()) {
            socket.send(frame(FIN | RSV1 | TEXT, deflated(new byte[] {'"', (byte) 0xc0, (byte) 0x80, '"'})));
            assertEquals("a text frame wasn't UTF-8", socket.expectClose(1007));
        }
    }

    @Test
    void messageMustBeUnderstoodWhenItIsInflated() throws IOException {
        try (RawWebSocket socket = open()) {
            // RFC 7692's example.
            socket.send(frame(FIN | RSV1 | TEXT, hex("f2 48 cd c9 c9 07 00")));
            assertTrue(socket.expect("error").contains("bad_request"));
            assertAlive(socket);
        }
    }

    @Test
    void reservedBitsElsewhereCloseWith1002() throws IOException {
        byte[] empty = deflated("");
        byte[][] misuses = {
            frame(FIN | RSV1 | PING, empty),
            frame(FIN | RSV1 | PONG, empty),
            frame(FIN | RSV1 | CLOSE, closing(1000, "")),
            frame(FIN | 0x20 | TEXT, "{\"type\":\"ping\"}"),
            frame(FIN | 0x10 | TEXT, "{\"type\":\"ping\"}"),
            frame(FIN | 0x70 | TEXT, empty),
            frame(FIN | RSV1 | BINARY, empty)
        };
        for (byte[] misuse : misuses) {
            try (RawWebSocket socket = open()) {
                socket.send(misuse);
                assertTrue(socket.expectClose(1002).contains("RSV1"));
            }
        }
    }

    @Test
    void reservedBitOfAContinuationClosesWith1002() throws IOException {
        byte[] payload = deflated("{\"type\":\"ping\",\"id\":3}");
        for (int first : new int[] {TEXT, RSV1 | TEXT}) {
            try (RawWebSocket socket = open()) {
                socket.send(
                        frame(first, Arrays.copyOf(payload, 4)),
                        frame(FIN | RSV1 | CONTINUATION, Arrays.copyOfRange(payload, 4, payload.length)));
                socket.expectClose(1002);
            }
        }
    }

    // ---------------------------------------------------------------- a browser

    @Test
    @Timeout(120)
    void browserTalksOverACompressedConnection() {
        try (Browser browser = new Browser(800, 600)) {
            browser.open("http://localhost:" + gateway.clientsPort() + "/client/barrage.js");
            browser.eval("""
                    (() => {
                        window.heard = [];
                        window.socket = new WebSocket(`ws://${location.host}/ws?batch=1&topic=demo:browser`);
                        socket.onmessage = event => heard.push(JSON.parse(event.data));
                        socket.onclose = event => { window.ended = event.code + ' ' + event.reason; };
                    })()""");
            browser.await("heard.some(frame => frame.type === 'subscribed')");
            assertEquals(ANSWER, browser.eval("socket.extensions"));
            browser.eval("""
                    (() => {
                        window.said = '弹幕 🚀 '.repeat(1000);
                        for (let id = 1; id <= 3; id++) {
                            const data = { id, text: said };
                            socket.send(JSON.stringify({ type: 'publish', id, topic: 'demo:browser', data }));
                        }
                    })()""");
            browser.await("heard.filter(frame => frame.type === 'published').length === 3");
            browser.await("heard.flatMap(frame => frame.type === 'messages' ? frame.messages : [frame])"
                    + ".filter(message => message.data && message.data.text === said).length === 3");
            assertEquals(null, browser.eval("window.ended"));
            // That it did compress shows in who finds this too long: as it is, the frame's decoder would.
            browser.eval("socket.send('x'.repeat(1000000))");
            browser.await("window.ended !== undefined");
            assertEquals("1009 a compressed message is larger than " + MAX_MESSAGE + " bytes", browser.eval("ended"));
        }
    }
}
