package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** A WebSocket client that can send any bytes, and reads frames strictly, with patience but not for ever. For one thread. */
final class RawWebSocket implements Closeable {
    static final int CONTINUATION = 0x0;
    static final int TEXT = 0x1;
    static final int BINARY = 0x2;
    static final int CLOSE = 0x8;
    static final int PING = 0x9;
    static final int PONG = 0xa;
    static final int FIN = 0x80;
    static final int RSV1 = 0x40;

    /** The header that browsers offer compression with. */
    static final String DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";

    /** Of RFC 6455 section 1.3, with its answer. */
    static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    private final RawHttp http;
    private final String extensions;

    private RawWebSocket(RawHttp http, String extensions) {
        this.http = http;
        this.extensions = extensions;
    }

    /** The upgrade's text. */
    static String upgrade(String query, String... headers) {
        StringBuilder text = new StringBuilder("GET /ws" + query + " HTTP/1.1\nHost: localhost\nUpgrade: websocket\n"
                + "Connection: keep-alive, Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: " + KEY + "\n");
        for (String header : headers) {
            text.append(header).append('\n');
        }
        return text.append('\n').toString();
    }

    /** Upgrades. */
    static RawWebSocket open(int port, String query, String... headers) throws IOException {
        return upgraded(new RawHttp(port).say(upgrade(query, headers)));
    }

    /** Upgrades on a socket that takes little while nobody reads. */
    static RawWebSocket openNarrow(int port, String query) throws IOException {
        return upgraded(new RawHttp(port, 4 * 1024).say(upgrade(query)));
    }

    /** A connection whose upgrade has been sent already. */
    static RawWebSocket upgraded(RawHttp http) throws IOException {
        RawHttp.Answer answer = http.answer();
        assertEquals(101, answer.status());
        assertEquals(ACCEPT, answer.header("sec-websocket-accept"));
        return new RawWebSocket(http, answer.header("sec-websocket-extensions"));
    }

    // ---------------------------------------------------------------- saying

    /** A masked frame as bytes; {@code first} is the opcode and the bits above it. */
    static byte[] frame(int first, byte[] payload) {
        byte[] mask = {0x12, 0x34, 0x56, 0x78};
        int extra = payload.length < 126 ? 0 : payload.length < 65536 ? 2 : 8;
        ByteBuffer frame = ByteBuffer.allocate(2 + extra + 4 + payload.length);
        frame.put((byte) first);
        if (extra == 0) {
            frame.put((byte) (0x80 | payload.length));
        } else if (extra == 2) {
            frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(payload.length);
        }
        frame.put(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ mask[i % 4]));
        }
        return frame.array();
    }

    static byte[] frame(int first, String payload) {
        return frame(first, payload.getBytes(UTF_8));
    }

    /** The payload of a close frame. */
    static byte[] closing(int code, String reason) {
        byte[] text = reason.getBytes(UTF_8);
        return ByteBuffer.allocate(2 + text.length)
                .putShort((short) code)
                .put(text)
                .array();
    }

    /** All arrays in one write. */
    RawWebSocket send(byte[]... all) throws IOException {
        int length = 0;
        for (byte[] bytes : all) {
            length += bytes.length;
        }
        ByteBuffer together = ByteBuffer.allocate(length);
        for (byte[] bytes : all) {
            together.put(bytes);
        }
        http.send(together.array());
        return this;
    }

    RawWebSocket say(String text) throws IOException {
        return send(frame(FIN | TEXT, text));
    }

    /** What permessage-deflate makes of a message, without context takeover. */
    static byte[] deflated(byte[] message) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        deflater.setInput(message);
        byte[] payload = new byte[message.length + message.length / 100 + 64];
        int length = deflater.deflate(payload, 0, payload.length, Deflater.SYNC_FLUSH);
        deflater.end();
        return Arrays.copyOf(payload, length - 4);
    }

    static byte[] deflated(String message) {
        return deflated(message.getBytes(UTF_8));
    }

    /** As {@link #say}, compressed. */
    RawWebSocket sayDeflated(String text) throws IOException {
        return send(frame(FIN | RSV1 | TEXT, deflated(text)));
    }

    // ---------------------------------------------------------------- hearing

    /** What the upgrade's answer said of extensions; empty if nothing. */
    String extensions() {
        return extensions;
    }

    /**
     * What came.
     *
     * @param payload inflated, if it was compressed
     * @param wireBytes of the payload as it came
     */
    @SuppressWarnings("ArrayRecordComponent") // Read, never compared.
    record Frame(int opcode, byte[] payload, boolean deflated, int wireBytes) {
        String text() {
            return new String(payload, UTF_8);
        }

        int closeCode() {
            return payload.length == 0
                    ? -1
                    : Short.toUnsignedInt(ByteBuffer.wrap(payload).getShort());
        }

        String closeReason() {
            return new String(payload, 2, payload.length - 2, UTF_8);
        }
    }

    /** The next frame, whatever it is. */
    Frame frame() throws IOException {
        int first = read();
        boolean deflated = (first & RSV1) != 0;
        assertEquals(0, first & 0x30, "reserved bits 2 and 3");
        if (deflated) {
            assertEquals(TEXT, first & 0xf, "compressed, and no text");
            assertTrue(extensions.startsWith("permessage-deflate"), "compressed, and not negotiated");
        }
        assertEquals(FIN, first & FIN, "the gateway doesn't fragment");
        int second = read();
        assertEquals(0, second & 0x80, "the gateway doesn't mask");
        long length = second;
        if (second >= 126) {
            length = 0;
            for (int i = second == 126 ? 2 : 8; i > 0; i--) {
                length = length << 8 | read();
            }
            assertTrue(length > (second == 126 ? 125 : 65535), "not the shortest form of a length");
        }
        byte[] payload = http.in().readNBytes((int) length);
        if (payload.length < length) {
            throw new EOFException("within a frame");
        }
        return new Frame(first & 0xf, deflated ? inflated(payload) : payload, deflated, payload.length);
    }

    /** The message in a compressed payload, with an inflater of its own: nothing is kept from the one before. */
    static byte[] inflated(byte[] payload) {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(ByteBuffer.allocate(payload.length + 4)
                    .put(payload)
                    .putInt(0x0000ffff)
                    .array());
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            byte[] some = new byte[4096];
            for (int count = inflater.inflate(some); count > 0; count = inflater.inflate(some)) {
                message.write(some, 0, count);
            }
            assertEquals(0, inflater.getRemaining(), "bytes behind the end of what was compressed");
            return message.toByteArray();
        } catch (DataFormatException e) {
            throw new AssertionError("not compressed as it should be", e);
        } finally {
            inflater.end();
        }
    }

    private int read() throws IOException {
        int b = http.in().read();
        if (b < 0) {
            throw new EOFException("the gateway closed the connection");
        }
        return b;
    }

    /** The next text frame, which must be the next frame; news of who is online doesn't count. */
    String text() throws IOException {
        while (true) {
            Frame frame = frame();
            assertEquals(TEXT, frame.opcode(), () -> "opcode; close code " + frame.closeCode());
            String text = frame.text();
            if (!text.startsWith("{\"type\":\"online\"")) {
                return text;
            }
        }
    }

    /** The next text frame, which must be of this type. */
    String expect(String type) throws IOException {
        String text = text();
        assertTrue(text.startsWith("{\"type\":\"" + type + "\""), () -> "expected " + type + ", found " + text);
        return text;
    }

    /** The next frame, which must be a pong with this payload. */
    void expectPong(String payload) throws IOException {
        Frame frame = frame();
        assertEquals(PONG, frame.opcode(), () -> "opcode of " + frame.text());
        assertEquals(payload, frame.text());
    }

    /** The next frame, which must be a close with this code, and the connection's end when it is answered; gives the reason. */
    String expectClose(int code) throws IOException {
        Frame frame = frame();
        while (frame.opcode() == TEXT && frame.text().startsWith("{\"type\":\"online\"")) {
            frame = frame();
        }
        String found = frame.text();
        assertEquals(CLOSE, frame.opcode(), () -> "opcode of " + found);
        assertEquals(code, frame.closeCode());
        try {
            send(frame(FIN | CLOSE, closing(code, "")));
        } catch (IOException ignored) {
            // The gateway needn't wait for it.
        }
        assertTrue(http.isEnded(), "the gateway doesn't close");
        return frame.closeReason();
    }

    RawHttp http() {
        return http;
    }

    @Override
    public void close() throws IOException {
        http.close();
    }
}
