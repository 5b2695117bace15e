package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.protocol.WebSocketFrames.Opcode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms of a frame's length change at 126 and at 65,536 bytes (RFC 6455 section 5.2). */
class WebSocketFramesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 8100",
        "1, 8101",
        "125, 817d",
        "126, 817e007e",
        "127, 817e007f",
        "65535, 817effff",
        "65536, 817f0000000000010000",
        "16777216, 817f0000000001000000"
    })
    void headerHasTheShortestForm(int length, String header) {
        byte[] expected = HexFormat.of().parseHex(header);
        byte[] into = new byte[WebSocketFrames.MAX_HEADER + 3];
        assertEquals(3 + expected.length, WebSocketFrames.putHeader(into, 3, Opcode.TEXT, length));
        assertArrayEquals(expected, Arrays.copyOfRange(into, 3, 3 + expected.length));
        assertEquals(expected.length, WebSocketFrames.headerLength(length));
    }

    @ParameterizedTest
    @ValueSource(ints = {125, 126, 65535, 65536})
    void messageFillsItsFrame(int payload) {
        TopicName topic = TopicName.of("room:42");
        int envelope = message(topic, 0).jsonLength();
        Message message = message(topic, payload - envelope);
        assertEquals(payload, message.jsonLength());

        byte[] into = new byte[5 + WebSocketFrames.length(message)];
        assertEquals(into.length, WebSocketFrames.put(into, 5, message));

        byte[] json = new byte[payload];
        assertEquals(payload, message.putJson(json, 0));
        byte[] frame = Arrays.copyOfRange(into, 5, into.length);
        assertArrayEquals(WebSocketFrames.frame(Opcode.TEXT, json), frame);
        assertEquals(payload, lengthIn(frame));
    }

    private static Message message(TopicName topic, int dataLength) {
        byte[] data = "1".repeat(dataLength).getBytes(UTF_8);
        return new Message.Draft(topic, data, Priority.NORMAL, null, 1, 0).at(1);
    }

    private static long lengthIn(byte[] frame) {
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        assertEquals((byte) 0x81, buffer.get(), "final text frame");
        int first = buffer.get();
        long length = first < 126 ? first : first == 126 ? Short.toUnsignedInt(buffer.getShort()) : buffer.getLong();
        assertEquals(length, buffer.remaining());
        return length;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 9, 10, 99, 100, 999_999_999_999_999L, 1_000_000_000_000_000L, Position.MAX_OFFSET})
    void messageHasRoomForItsOffset(long offset) {
        Message message = new Message.Draft(
                        TopicName.ofUser("a\"b\\c"), "{}".getBytes(UTF_8), Priority.CRITICAL, "x\"y", 7, 0)
                .at(offset);
        byte[] json = new byte[message.jsonLength()];
        assertEquals(json.length, message.putJson(json, 0));
        assertEquals(
                "{\"type\":\"message\",\"topic\":\"$user:a\\\"b\\\\c\",\"offset\":" + offset
                        + ",\"time\":7,\"sender\":\"x\\\"y\",\"priority\":\"critical\",\"data\":{}}",
                new String(json, UTF_8));
    }

    @Test
    void controlFramesHaveTheirOpcodes() {
        assertArrayEquals(new byte[] {(byte) 0x89, 0}, WebSocketFrames.frame(Opcode.PING, new byte[0]));
        assertArrayEquals(new byte[] {(byte) 0x8a, 2, 7, 8}, WebSocketFrames.frame(Opcode.PONG, new byte[] {7, 8}));
        assertArrayEquals(new byte[] {(byte) 0x88, 4, 0x03, (byte) 0xe9, 'o', 'k'}, WebSocketFrames.close(1001, "ok"));
    }

    @Test
    void closeReasonIsCutToWhatAControlFrameCarries() {
        byte[] frame = WebSocketFrames.close(4408, "x".repeat(500));
        assertEquals(2 + 125, frame.length);
        assertEquals(125, frame[1]);
    }

    @Test
    void closeReasonIsCutBetweenCharacters() {
        byte[] frame = WebSocketFrames.close(4403, "x" + "弾".repeat(100));
        // 1 + 40 * 3: the next character would end behind the 123rd byte.
        assertEquals(2 + 2 + 121, frame.length);
        assertEquals(
                "x" + "弾".repeat(40), new String(frame, 4, frame.length - 4, java.nio.charset.StandardCharsets.UTF_8));
    }
}
