package io.barrage.protocol;

import java.nio.charset.StandardCharsets;

/**
 * The gateway's WebSocket frames as bytes (RFC 6455 section 5.2): always final, never masked; the only extension is
 * permessage-deflate (RFC 7692).
 *
 * <p>Stateless functions over byte arrays.
 */
public final class WebSocketFrames {
    /** Most bytes that a header takes. */
    public static final int MAX_HEADER = 10;

    /** Most bytes of a close frame's reason: a control frame carries 125, two of them the code. */
    public static final int MAX_REASON = 123;

    private static final int FIN = 0x80;

    /** What a frame is: its opcode, with the bits above it. */
    public enum Opcode {
        /** A text message. */
        TEXT(0x1),
        /** A text message whose payload is compressed: RSV1 is set (RFC 7692 section 6). */
        DEFLATED_TEXT(0x41),
        /** The end. */
        CLOSE(0x8),
        /** Asks for a pong. */
        PING(0x9),
        /** Answers a ping with its payload. */
        PONG(0xa);

        private final byte first;

        Opcode(int code) {
            this.first = (byte) (FIN | code);
        }
    }

    private WebSocketFrames() {}

    /** Length of the header before {@code payload} bytes. */
    public static int headerLength(int payload) {
        return payload < 126 ? 2 : payload <= 0xffff ? 4 : MAX_HEADER;
    }

    /** Writes the header for {@code payload} bytes at {@code at}; gives the index behind it. */
    public static int putHeader(byte[] into, int at, Opcode opcode, int payload) {
        into[at] = opcode.first;
        if (payload < 126) {
            into[at + 1] = (byte) payload;
            return at + 2;
        }
        if (payload <= 0xffff) {
            into[at + 1] = 126;
            into[at + 2] = (byte) (payload >>> 8);
            into[at + 3] = (byte) payload;
            return at + 4;
        }
        into[at + 1] = 127;
        for (int i = 0; i < 8; i++) {
            into[at + 2 + i] = (byte) ((long) payload >>> (56 - 8 * i));
        }
        return at + MAX_HEADER;
    }

    /** Length of the text frame that carries {@code message}. */
    public static int length(Message message) {
        int payload = message.jsonLength();
        return headerLength(payload) + payload;
    }

    /**
     * Writes the text frame that carries {@code message} at {@code at}; gives the index behind it.
     *
     * @param into has room for {@link #length} bytes there
     */
    public static int put(byte[] into, int at, Message message) {
        return message.putJson(into, putHeader(into, at, Opcode.TEXT, message.jsonLength()));
    }

    /** A whole frame. */
    public static byte[] frame(Opcode opcode, byte[] payload) {
        byte[] frame = new byte[headerLength(payload.length) + payload.length];
        int at = putHeader(frame, 0, opcode, payload.length);
        System.arraycopy(payload, 0, frame, at, payload.length);
        return frame;
    }

    /** A text frame with what the gateway says. */
    public static byte[] text(ServerFrame frame) {
        return frame(Opcode.TEXT, frame.json());
    }

    /** A text frame with a message. */
    public static byte[] text(Message message) {
        byte[] frame = new byte[length(message)];
        put(frame, 0, message);
        return frame;
    }

    /** A close frame; the reason is cut to what fits, between two characters. */
    public static byte[] close(int code, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MAX_REASON);
        while (length < text.length && (text[length] & 0xc0) == 0x80) {
            length--;
        }
        byte[] payload = new byte[2 + length];
        payload[0] = (byte) (code >>> 8);
        payload[1] = (byte) code;
        System.arraycopy(text, 0, payload, 2, length);
        return frame(Opcode.CLOSE, payload);
    }
}
