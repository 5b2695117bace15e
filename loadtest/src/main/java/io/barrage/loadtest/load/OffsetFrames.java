package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;

/**
 * Finds offsets in the gateway's {@code message} and {@code messages} frames without parsing their data. Thread-safe: no
 * state; every method borrows its buffer.
 *
 * <p>The wire format has no white space outside of data, writes {@code type} and {@code topic} first and {@code data} last.
 */
final class OffsetFrames {
    /** What both kinds of frame begin with. */
    static final byte[] PREFIX = "{\"type\":\"message".getBytes(US_ASCII);

    static final byte[] OFFSET = "\"offset\":".getBytes(US_ASCII);
    static final byte[] DATA = ",\"data\":".getBytes(US_ASCII);

    /** Takes the offsets of a frame, in its order. */
    interface Sink {
        void offset(long offset);
    }

    private OffsetFrames() {}

    /** Tells the offset of each message of a frame; a message without one (hidden, and its sender's own) has none. */
    static void read(ByteBuf frame, int index, int length, Sink sink) {
        int end = index + length;
        if (frame.getByte(index + PREFIX.length) != 's') {
            int data = Bytes.indexOf(frame, index, end, DATA);
            int at = Bytes.indexOf(frame, index, data < 0 ? end : data, OFFSET);
            if (at >= 0) {
                sink.offset(Bytes.decimal(frame, at + OFFSET.length));
            }
            return;
        }
        // An element begins at depth 3 ({ [ {) with its offset; deeper is data, and braces in strings are none.
        int depth = 0;
        boolean string = false;
        for (int i = index; i < end; i++) {
            byte b = frame.getByte(i);
            if (string) {
                if (b == '\\') {
                    i++;
                } else if (b == '"') {
                    string = false;
                }
            } else if (b == '"') {
                string = true;
            } else if (b == '{' || b == '[') {
                depth++;
                if (depth == 3
                        && b == '{'
                        && Bytes.indexOf(frame, i, Math.min(end, i + 1 + OFFSET.length), OFFSET) > 0) {
                    sink.offset(Bytes.decimal(frame, i + 1 + OFFSET.length));
                }
            } else if (b == '}' || b == ']') {
                depth--;
            }
        }
    }

    /** The number behind {@code "name":} in a frame's text, or -1 if there is none. */
    static long number(String text, String name) {
        int at = text.indexOf("\"" + name + "\":");
        if (at < 0) {
            return -1;
        }
        int from = at + name.length() + 3;
        int to = from;
        while (to < text.length() && Character.isDigit(text.charAt(to))) {
            to++;
        }
        return to == from ? -1 : Long.parseLong(text.substring(from, to));
    }
}
