package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Records;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Counts the deliveries in a server's WebSocket byte stream. Confined to its event loop; one for each connection.
 *
 * <p>The receive path decides how much load one core can make, so it does the least that still is exact: a whole text frame
 * in the buffer costs one look at its header and at the first bytes of its payload, and nothing is copied or allocated.
 * All else (frames cut by a read, fragments, control frames, frames that are no delivery) takes the second path, which
 * goes byte by byte where it must. A delivery counts when its last byte has arrived.
 */
final class FrameParser {
    /** A message to inspect, or a frame that is no delivery, may have this many bytes; deliveries that are only counted, any. */
    static final int MAX_KEPT_BYTES = 1 << 20;

    private static final int WHOLE_TEXT_FRAME = 0x81;
    private static final int WHOLE_BINARY_FRAME = 0x82;
    private static final int CONTINUATION = 0;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;
    private static final int MAX_CONTROL_BYTES = 125;

    /** What the parser tells its connection. Called on the event loop, inside {@link #read}. */
    interface Sink {
        /** A whole delivery, if they are inspected. The buffer is lent for the call; its indexes must not be moved. */
        void onMessage(ByteBuf payload, int index, int length);

        /** A whole data frame, or record, that is no delivery. */
        void onOther(String text);

        void onPing(byte[] payload);

        /** The close frame, with code 1005 if it had none. */
        void onClose(int code, String reason);
    }

    private final byte[] prefix;
    /** The prefix as words for comparison; the last one overlaps its neighbour. Empty if the prefix is shorter than a word. */
    private final long[] prefixWords;

    /** Looks into payloads that hold records; null if every data frame is one. */
    private final @Nullable RecordSplitter splitter;

    private final boolean inspect;
    private final Sink sink;

    // The frame whose header or payload isn't complete.
    private final byte[] header = new byte[10];
    private int headerBytes;
    private int headerLength = 2;
    private int opcode;
    private boolean last;
    private long missing;
    private byte[] control = new byte[0];
    private int controlBytes;

    // The data message of one or more frames.
    private boolean inMessage;
    private boolean delivery;
    private boolean keeping;
    private byte[] kept = new byte[0];
    private int keptBytes;

    private boolean closed;
    private int messages;

    /**
     * @param prefix what a delivery's payload starts with; empty if every data frame is one
     * @param inspect whether the sink wants to see each message
     */
    FrameParser(byte[] prefix, boolean inspect, Sink sink) {
        this(prefix, null, inspect, sink);
    }

    /** A parser of frames that hold records. */
    FrameParser(Records records, boolean inspect, Sink sink) {
        this(new byte[0], new RecordSplitter(records, inspect, sink), inspect, sink);
    }

    private FrameParser(byte[] prefix, @Nullable RecordSplitter splitter, boolean inspect, Sink sink) {
        this.prefix = prefix.clone();
        this.prefixWords = words(prefix);
        this.splitter = splitter;
        this.inspect = inspect;
        this.sink = sink;
    }

    /**
     * Takes the next bytes of the stream; borrows the buffer and leaves its indexes alone.
     *
     * @return how many deliveries were completed by these bytes
     * @throws CorruptedFrameException if the stream breaks the protocol
     */
    int read(ByteBuf in) {
        messages = 0;
        int index = in.readerIndex();
        int end = in.writerIndex();
        while (index < end && !closed) {
            if (headerBytes == 0 && !inMessage && end - index >= 4) {
                int start = index + 2;
                int head = in.getUnsignedShort(index);
                int length = head & 0xff;
                if (length == 126) {
                    length = in.getUnsignedShort(start);
                    start += 2;
                } else if (length > 126) {
                    length = Integer.MAX_VALUE; // masked, or longer than 64 KiB
                }
                if (splitter != null) {
                    boolean whole = head >>> 8 == WHOLE_TEXT_FRAME || head >>> 8 == WHOLE_BINARY_FRAME;
                    if (whole && length <= end - start) {
                        messages += splitter.read(in, start, start + length, true);
                        index = start + length;
                        continue;
                    }
                } else if (head >>> 8 == WHOLE_TEXT_FRAME && length <= end - start && isDelivery(in, start, length)) {
                    messages++;
                    if (inspect) {
                        sink.onMessage(in, start, length);
                    }
                    index = start + length;
                    continue;
                }
            }
            index = step(in, index, end);
        }
        return messages;
    }

    private boolean isDelivery(ByteBuf in, int start, int length) {
        if (length < prefix.length) {
            return false;
        }
        if (prefixWords.length == 0) {
            return startsWithPrefix(in, start);
        }
        // Frames of one protocol begin alike and differ at the end of the prefix: look there first.
        int at = start + prefix.length - Long.BYTES;
        for (int word = prefixWords.length - 1; word >= 0; word--) {
            if (in.getLong(at) != prefixWords[word]) {
                return false;
            }
            at = start + (word - 1) * Long.BYTES;
        }
        return true;
    }

    private boolean startsWithPrefix(ByteBuf in, int start) {
        for (int i = 0; i < prefix.length; i++) {
            if (in.getByte(start + i) != prefix[i]) {
                return false;
            }
        }
        return true;
    }

    /** Goes on by one header or one stretch of payload; returns the index behind it. */
    private int step(ByteBuf in, int start, int end) {
        int index = start;
        while (headerBytes < headerLength) {
            if (index == end) {
                return index;
            }
            header[headerBytes++] = in.getByte(index++);
            if (headerBytes == 2) {
                int length = header[1] & 0x7f;
                headerLength = length < 126 ? 2 : length == 126 ? 4 : 10;
            }
            if (headerBytes == headerLength) {
                beginFrame();
            }
        }
        int bytes = (int) Math.min(missing, end - index);
        if (opcode >= CLOSE) {
            in.getBytes(index, control, controlBytes, bytes);
            controlBytes += bytes;
        } else if (splitter != null) {
            messages += splitter.read(in, index, index + bytes, last && bytes == missing);
        } else if (keeping) {
            keep(in, index, bytes);
        }
        missing -= bytes;
        if (missing == 0) {
            headerBytes = 0;
            headerLength = 2;
            endFrame();
        }
        return index + bytes;
    }

    private void beginFrame() {
        if ((header[0] & 0x70) != 0) {
            throw new CorruptedFrameException("reserved bits are set, but no extension was agreed");
        }
        if ((header[1] & 0x80) != 0) {
            throw new CorruptedFrameException("a server's frame is masked");
        }
        last = (header[0] & 0x80) != 0;
        opcode = header[0] & 0x0f;
        missing = header[1] & 0x7f;
        if (headerLength > 2) {
            missing = 0;
            for (int i = 2; i < headerLength; i++) {
                missing = (missing << 8) | (header[i] & 0xff);
            }
        }
        if (missing < 0) {
            throw new CorruptedFrameException("a frame's length has its highest bit set");
        }
        if (opcode >= CLOSE) {
            if (opcode > PONG || !last || missing > MAX_CONTROL_BYTES) {
                throw new CorruptedFrameException("bad control frame: opcode " + opcode + ", " + missing + " bytes");
            }
            control = new byte[(int) missing];
            controlBytes = 0;
        } else {
            if (opcode > BINARY || (opcode == CONTINUATION) != inMessage) {
                throw new CorruptedFrameException(
                        "opcode " + opcode + (inMessage ? " within a fragmented message" : " starts no message"));
            }
            if (!inMessage) {
                inMessage = true;
                delivery = prefix.length == 0;
                keeping = inspect || !delivery;
                keptBytes = 0;
            }
        }
    }

    private void keep(ByteBuf in, int index, int bytes) {
        if (keptBytes + bytes > MAX_KEPT_BYTES) {
            throw new CorruptedFrameException("a message of more than " + MAX_KEPT_BYTES + " bytes to look into");
        }
        if (keptBytes + bytes > kept.length) {
            kept = Arrays.copyOf(kept, Math.max(keptBytes + bytes, Math.max(256, 2 * kept.length)));
        }
        in.getBytes(index, kept, keptBytes, bytes);
        boolean undecided = keptBytes < prefix.length;
        keptBytes += bytes;
        if (undecided && keptBytes >= prefix.length) {
            delivery = Arrays.equals(kept, 0, prefix.length, prefix, 0, prefix.length);
            keeping = inspect || !delivery;
        }
    }

    private void endFrame() {
        if (opcode >= CLOSE) {
            endControlFrame();
        } else if (last) {
            inMessage = false;
            if (splitter != null) {
                return; // it has seen the payload already
            }
            if (delivery) {
                messages++;
                if (inspect) {
                    sink.onMessage(Unpooled.wrappedBuffer(kept, 0, keptBytes), 0, keptBytes);
                }
            } else {
                sink.onOther(new String(kept, 0, keptBytes, StandardCharsets.UTF_8));
            }
        }
    }

    private void endControlFrame() {
        if (opcode == PING) {
            sink.onPing(control);
        } else if (opcode == CLOSE) {
            closed = true;
            int code = control.length < 2 ? 1005 : ((control[0] & 0xff) << 8) | (control[1] & 0xff);
            String reason =
                    control.length < 2 ? "" : new String(control, 2, control.length - 2, StandardCharsets.UTF_8);
            sink.onClose(code, reason);
        }
    }

    private static long[] words(byte[] prefix) {
        if (prefix.length < Long.BYTES) {
            return new long[0];
        }
        long[] words = new long[(prefix.length + Long.BYTES - 1) / Long.BYTES];
        ByteBuf bytes = Unpooled.wrappedBuffer(prefix);
        for (int i = 0; i < words.length - 1; i++) {
            words[i] = bytes.getLong(i * Long.BYTES);
        }
        words[words.length - 1] = bytes.getLong(prefix.length - Long.BYTES);
        return words;
    }
}
