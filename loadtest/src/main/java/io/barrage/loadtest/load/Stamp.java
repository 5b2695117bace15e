package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;

/**
 * The data that {@code fanout} publishes: JSON of a fixed size that carries when it was due and its number. Confined to its
 * event loop; the static part is thread-safe.
 *
 * <pre>{"due":"00000f3a5c1e9d10","n":"0000002a","pad":"xxxx"}</pre>
 */
final class Stamp {
    private static final String BEGIN = "{\"due\":\"";
    private static final String MIDDLE = "\",\"n\":\"";
    private static final String PAD = "\",\"pad\":\"";
    private static final String END = "\"}";
    private static final int DUE_DIGITS = 16;
    private static final int NUMBER_DIGITS = 8;
    private static final int NUMBER_AT = BEGIN.length() + DUE_DIGITS + MIDDLE.length();
    private static final byte[] MARK = BEGIN.getBytes(US_ASCII);
    private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);

    /** The smallest data that can carry a stamp. */
    static final int MIN_BYTES = NUMBER_AT + NUMBER_DIGITS + PAD.length() + END.length();

    private final byte[] data;

    Stamp(int bytes) {
        if (bytes < MIN_BYTES) {
            throw new IllegalArgumentException(bytes + " bytes: a stamp needs " + MIN_BYTES);
        }
        data = (BEGIN
                        + "0".repeat(DUE_DIGITS)
                        + MIDDLE
                        + "0".repeat(NUMBER_DIGITS)
                        + PAD
                        + "x".repeat(bytes - MIN_BYTES)
                        + END)
                .getBytes(US_ASCII);
    }

    /** The data for one message; valid until the next call. */
    byte[] write(long dueNanos, long number) {
        hex(dueNanos, BEGIN.length(), DUE_DIGITS);
        hex(number, NUMBER_AT, NUMBER_DIGITS);
        return data;
    }

    private void hex(long value, int at, int digits) {
        for (int i = at + digits - 1; i >= at; i--) {
            data[i] = HEX[(int) value & 15];
            value >>>= 4;
        }
    }

    /** Where a stamp starts in a delivered payload, or -1. */
    static int find(ByteBuf payload, int index, int length) {
        int at = Bytes.indexOf(payload, index, index + length, MARK);
        return at < 0 || at + MIN_BYTES > index + length ? -1 : at;
    }

    static long dueNanos(ByteBuf payload, int stamp) {
        return Bytes.hex(payload, stamp + BEGIN.length(), DUE_DIGITS);
    }

    static long number(ByteBuf payload, int stamp) {
        return Bytes.hex(payload, stamp + NUMBER_AT, NUMBER_DIGITS);
    }
}
