package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;

/** Looks into payloads without parsing them. Thread-safe: no state; every method borrows its buffer. */
public final class Bytes {
    private Bytes() {}

    /** The index of {@code needle} among the readable bytes, or -1. */
    public static int indexOf(ByteBuf in, byte[] needle) {
        return indexOf(in, in.readerIndex(), in.writerIndex(), needle);
    }

    /** The first index in {@code [from, to)} at which all of {@code needle} stands before {@code to}, or -1. */
    public static int indexOf(ByteBuf in, int from, int to, byte[] needle) {
        int last = to - needle.length;
        for (int i = from; i <= last; i++) {
            i = in.indexOf(i, last + 1, needle[0]);
            if (i < 0) {
                return -1;
            }
            int same = 1;
            while (same < needle.length && in.getByte(i + same) == needle[same]) {
                same++;
            }
            if (same == needle.length) {
                return i;
            }
        }
        return -1;
    }

    /** The decimal number that starts at {@code index} and ends before the first other byte; 0 if there is none. */
    public static long decimal(ByteBuf in, int index) {
        long value = 0;
        for (int i = index; i < in.writerIndex(); i++) {
            int digit = in.getByte(i) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = value * 10 + digit;
        }
        return value;
    }

    /** The number that {@code digits} lower-case hexadecimal digits at {@code index} write, or -1 if one isn't. */
    public static long hex(ByteBuf in, int index, int digits) {
        long value = 0;
        for (int i = index; i < index + digits; i++) {
            int digit = Character.digit(in.getByte(i), 16);
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /** The index behind the JSON object or array that starts at {@code index}, or -1 if it doesn't end before {@code end}. */
    public static int endOfJson(ByteBuf in, int index, int end) {
        int depth = 0;
        boolean string = false;
        for (int i = index; i < end; i++) {
            byte b = in.getByte(i);
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
            } else if ((b == '}' || b == ']') && --depth == 0) {
                return i + 1;
            }
        }
        return -1;
    }
}
