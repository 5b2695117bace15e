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
        int at = frame.indexOf(index + PREFIX.length, end, (byte) '[') + 1; // neither type nor topic has a bracket
        while (at > 0 && at < end && frame.getByte(at) == '{') {
            if (Bytes.indexOf(frame, at + 1, Math.min(end, at + 1 + OFFSET.length), OFFSET) >= 0) {
                sink.offset(Bytes.decimal(frame, at + 1 + OFFSET.length));
            }
            int after = Bytes.endOfJson(frame, at, end);
            at = after > 0 && after < end && frame.getByte(after) == ',' ? after + 1 : -1;
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
