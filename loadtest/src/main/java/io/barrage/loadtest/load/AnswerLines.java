package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Counts the answers of an NDJSON stream, however its bytes are cut. Confined to its event loop. */
final class AnswerLines {
    private static final byte[] ERROR = "\"error\":".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_LINE_BYTES = 64 * 1024;

    /** The beginning of a line whose end hasn't come. */
    private final ByteBuf begun = Unpooled.buffer(256, MAX_LINE_BYTES);

    private long accepted;
    private long refused;
    private String firstRefusal = "";

    /** Takes the next bytes; borrows them and leaves their indexes alone. */
    void read(ByteBuf in) {
        int index = in.readerIndex();
        int end = in.writerIndex();
        while (index < end) {
            int newline = in.indexOf(index, end, (byte) '\n');
            if (newline < 0) {
                begun.writeBytes(in, index, end - index);
                return;
            }
            if (begun.isReadable()) {
                begun.writeBytes(in, index, newline - index);
                line(begun, 0, begun.writerIndex());
                begun.clear();
            } else {
                line(in, index, newline);
            }
            index = newline + 1;
        }
    }

    private void line(ByteBuf in, int from, int to) {
        if (Bytes.indexOf(in, from, to, ERROR) < 0) {
            accepted++;
        } else if (refused++ == 0) {
            firstRefusal = in.toString(from, to - from, StandardCharsets.UTF_8);
        }
    }

    long accepted() {
        return accepted;
    }

    long refused() {
        return refused;
    }

    /** The first answer that was an error, or empty. */
    String firstRefusal() {
        return firstRefusal;
    }
}
