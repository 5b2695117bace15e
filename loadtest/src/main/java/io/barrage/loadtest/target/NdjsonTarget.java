package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;

/**
 * Barrage with publishes as lines of an NDJSON stream instead of a request for each. Immutable.
 *
 * @param barrage all the rest
 */
public record NdjsonTarget(BarrageTarget barrage) implements BarrageVariant {
    private static final byte[] TAIL = "}\n".getBytes(UTF_8);
    private static final byte[] ERROR = "\"error\":".getBytes(UTF_8);

    @Override
    public Publishing publishing() {
        return Publishing.NDJSON;
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        return ("{\"topic\":\"" + topic + "\",\"data\":").getBytes(UTF_8);
    }

    @Override
    public byte[] publishTail() {
        return TAIL.clone();
    }

    /** Reads a line of the answer. */
    @Override
    public Answer answer(int status, ByteBuf line) {
        return Bytes.indexOf(line, ERROR) >= 0 ? new Answer(Verdict.REFUSED, 0) : barrage.answer(status, line);
    }
}
