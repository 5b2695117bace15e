package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Records;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;

/**
 * Counts the deliveries among the records that the payloads of data frames hold. Confined to its event loop; one for each
 * connection.
 *
 * <p>A record that is whole where it lies is looked at there; only one that a read or a frame cuts is copied.
 */
final class RecordSplitter {
    /** Enough to end most records that were cut; what isn't needed was copied for nothing. */
    private static final int PIECE_BYTES = 256;

    private final Records records;
    private final boolean inspect;
    private final FrameParser.Sink sink;

    /** The beginning of a record whose end hasn't come. */
    private final ByteBuf cut = Unpooled.buffer(0, FrameParser.MAX_KEPT_BYTES);

    /** @param inspect whether the sink wants to see each delivery */
    RecordSplitter(Records records, boolean inspect, FrameParser.Sink sink) {
        this.records = records;
        this.inspect = inspect;
        this.sink = sink;
    }

    /**
     * Takes the next bytes of the payload; borrows the buffer and leaves its indexes alone.
     *
     * @param messageEnds whether the WebSocket message ends at {@code end}
     * @return how many deliveries these bytes completed
     */
    int read(ByteBuf in, int start, int end, boolean messageEnds) {
        int messages = 0;
        int index = start;
        while (cut.isReadable() && index < end) {
            int had = cut.readableBytes();
            int piece = Math.min(PIECE_BYTES, end - index);
            keep(in, index, piece);
            int recordEnd = records.end(cut, 0, cut.writerIndex());
            if (recordEnd < 0) {
                index += piece;
            } else {
                index += recordEnd - had;
                messages += take(cut, 0, recordEnd);
                cut.clear();
            }
        }
        while (index < end) {
            int recordEnd = records.end(in, index, end);
            if (recordEnd < 0 && messageEnds && records.endWithMessage()) {
                recordEnd = end;
            }
            if (recordEnd < 0) {
                keep(in, index, end - index);
                return messages;
            }
            messages += take(in, index, recordEnd);
            index = recordEnd;
        }
        if (messageEnds && records.endWithMessage() && cut.isReadable()) {
            messages += take(cut, 0, cut.writerIndex());
            cut.clear();
        }
        return messages;
    }

    private void keep(ByteBuf in, int index, int bytes) {
        if (cut.writerIndex() + bytes > cut.maxCapacity()) {
            throw new CorruptedFrameException("a record of more than " + cut.maxCapacity() + " bytes");
        }
        cut.writeBytes(in, index, bytes);
    }

    private int take(ByteBuf in, int index, int end) {
        if (records.isDelivery(in, index, end)) {
            if (inspect) {
                sink.onMessage(in, index, end - index);
            }
            return 1;
        }
        String text = in.toString(index, end - index, StandardCharsets.UTF_8);
        if (!text.isBlank()) {
            sink.onOther(text);
        }
        return 0;
    }
}
