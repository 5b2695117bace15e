package io.barrage.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.io.JsonStringEncoder;

/** JSON text as UTF-8 bytes, for the few frames that are written by hand because they are on the fast path. */
final class JsonText {
    private JsonText() {}

    /** {@code value} as a quoted JSON string. */
    static byte[] quote(String value) {
        byte[] plain = new byte[value.length() + 2];
        plain[0] = '"';
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                return quoteOther(value);
            }
            plain[i + 1] = (byte) c;
        }
        plain[plain.length - 1] = '"';
        return plain;
    }

    private static byte[] quoteOther(String value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(value.length() + 2);
        out.write('"');
        out.writeBytes(JsonStringEncoder.getInstance().quoteAsUTF8(value));
        out.write('"');
        return out.toByteArray();
    }

    /** Pure ASCII text as bytes. */
    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** How many digits {@code value >= 0} has. */
    static int digits(long value) {
        int digits = 1;
        for (long rest = value; rest >= 10; rest /= 10) {
            digits++;
        }
        return digits;
    }

    /** Writes {@code value >= 0} in decimal at {@code at}; gives the index behind it. */
    static int putDecimal(byte[] into, int at, long value) {
        int end = at + digits(value);
        long rest = value;
        for (int i = end - 1; i >= at; i--) {
            into[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return end;
    }

    /** Copies {@code bytes} to {@code at}; gives the index behind them. */
    static int put(byte[] into, int at, byte[] bytes) {
        System.arraycopy(bytes, 0, into, at, bytes.length);
        return at + bytes.length;
    }
}
