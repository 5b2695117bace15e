package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;

/**
 * Records of the NATS client protocol: a line, which in a {@code MSG} names the length of the data behind it. Immutable.
 *
 * <p>Over a WebSocket it stays a stream of bytes: a frame holds many records, and may begin or end inside of one.
 */
final class NatsRecords implements Records {
    /** Longer than any line that a server sends; INFO, the longest, takes less than a kilobyte. */
    private static final int MAX_LINE_BYTES = 32 * 1024;

    private static final int CRLF_BYTES = 2;

    @Override
    public int end(ByteBuf in, int index, int end) {
        int newline = in.indexOf(index, end, (byte) '\n');
        if (newline < 0) {
            if (end - index > MAX_LINE_BYTES) {
                throw new CorruptedFrameException("a NATS line of more than " + MAX_LINE_BYTES + " bytes");
            }
            return -1;
        }
        if (in.getByte(index) != 'M') {
            return newline + 1;
        }
        long dataBytes = dataBytes(in, index, newline - 1);
        long dataEnd = newline + 1 + dataBytes + CRLF_BYTES;
        return dataEnd <= end ? (int) dataEnd : -1;
    }

    /** {@code MSG subject sid [reply-to] length}: the length is the last word, so it is read from its end. */
    private static long dataBytes(ByteBuf in, int index, int lineEnd) {
        long value = 0;
        long unit = 1;
        int at = lineEnd - 1;
        while (at > index && in.getByte(at) != ' ') {
            int digit = in.getByte(at--) - '0';
            if (digit < 0 || digit > 9 || unit > Integer.MAX_VALUE) {
                throw new CorruptedFrameException("a NATS MSG without a length");
            }
            value += digit * unit;
            unit *= 10;
        }
        if (unit == 1 || in.getByte(lineEnd) != '\r') {
            throw new CorruptedFrameException("a NATS MSG without a length");
        }
        return value;
    }

    @Override
    public boolean endWithMessage() {
        return false;
    }

    @Override
    public boolean isDelivery(ByteBuf in, int index, int end) {
        return in.getByte(index) == 'M';
    }
}
