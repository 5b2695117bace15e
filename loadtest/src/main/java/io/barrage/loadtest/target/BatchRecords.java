package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;

/**
 * Records of {@code barrage.v1} with {@code batch=1}: a frame is one record, but a {@code messages} frame holds one for each
 * element. Confined to the event loop of its connection.
 *
 * <pre>{"type":"messages","topic":"t","messages":[{"offset":18,...},{"offset":19,...}]}</pre>
 *
 * <p>The first element's record has the frame's head before it, the last one's the frame's tail behind it. The elements of a
 * frame are alike in length nearly always, so the end of one is looked for where that of the one before was; only if what must stand
 * behind an element isn't there, its JSON is walked through.
 */
final class BatchRecords implements Records {
    private static final byte[] MESSAGE = "{\"type\":\"message".getBytes(US_ASCII);
    private static final byte[] MANY = "s\",".getBytes(US_ASCII);
    private static final byte[] ONE = "\",".getBytes(US_ASCII);
    private static final byte[] NEXT = "},{\"offset\":".getBytes(US_ASCII);
    private static final byte[] LAST = "}]}".getBytes(US_ASCII);
    private static final int TAIL_BYTES = 2;

    /** Of the element before, from brace to brace. */
    private int elementBytes;

    @Override
    public int end(ByteBuf in, int index, int end) {
        int element;
        if (in.getByte(index) == ',') {
            element = index + 1;
        } else if (startsWith(in, index, end, MESSAGE) && startsWith(in, index + MESSAGE.length, end, MANY)) {
            // Neither the type nor a topic's name has a bracket.
            int bracket = in.indexOf(index + MESSAGE.length, end, (byte) '[');
            if (bracket < 0) {
                return -1;
            }
            element = bracket + 1;
        } else {
            return -1; // all there is of it until the message ends
        }
        if (element >= end) {
            return -1;
        }
        if (in.getByte(element) != '{') {
            throw new CorruptedFrameException("a messages frame with an element that is no object");
        }
        int brace = element + elementBytes - 1;
        boolean alike = elementBytes > 0 && (startsWith(in, brace, end, NEXT) || startsWith(in, brace, end, LAST));
        int after = alike ? brace + 1 : Bytes.endOfJson(in, element, end);
        if (after < 0 || after >= end) {
            return -1;
        }
        elementBytes = after - element;
        if (in.getByte(after) == ',') {
            return after;
        }
        return after + TAIL_BYTES <= end ? after + TAIL_BYTES : -1;
    }

    private static boolean startsWith(ByteBuf in, int index, int end, byte[] bytes) {
        if (end - index < bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (in.getByte(index + i) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean endWithMessage() {
        return true;
    }

    @Override
    public boolean isDelivery(ByteBuf in, int index, int end) {
        return in.getByte(index) == ','
                || (startsWith(in, index, end, MESSAGE)
                        && (startsWith(in, index + MESSAGE.length, end, ONE)
                                || startsWith(in, index + MESSAGE.length, end, MANY)));
    }
}
