package io.barrage.gateway.backend;

import io.barrage.gateway.backend.PublishHandler.Answers;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.ResponseStream;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/**
 * A stream of publishes, one JSON object a line ({@code application/x-ndjson}), and one answer a line. A line that can't be
 * carried out is answered and doesn't end the stream.
 *
 * <p>Confined to its channel's event loop. The answers stand in the lines' order.
 */
final class PublishStream implements BodyReader {
    /** What a line may have beside a message's data. */
    private static final int ENVELOPE_BYTES = 4 * 1024;

    private final Exchange exchange;
    private final PublishHandler handler;
    private final String publisher;
    private final int maxLineBytes;
    private final ResponseStream answers;
    private final ArrayDeque<CompletableFuture<byte[]>> pending = new ArrayDeque<>();
    private byte[] partial = new byte[512];
    private int length;
    private boolean skipping;
    private boolean ended;
    private long number;

    PublishStream(Exchange exchange, PublishHandler handler, String publisher, int maxMessageBytes) {
        this.exchange = exchange;
        this.handler = handler;
        this.publisher = publisher;
        this.maxLineBytes = maxMessageBytes + ENVELOPE_BYTES;
        this.answers = exchange.respondWithStream("application/x-ndjson");
    }

    @Override
    public void content(ByteBuf bytes) {
        ByteBuf out = exchange.channel().alloc().buffer(bytes.readableBytes() / 2 + 256);
        try {
            int from = bytes.readerIndex();
            int end = bytes.writerIndex();
            while (from < end) {
                int newline = bytes.indexOf(from, end, (byte) '\n');
                int to = newline < 0 ? end : newline;
                collect(bytes, from, to);
                from = to + 1;
                if (newline >= 0) {
                    line(out);
                }
            }
            if (out.isReadable()) {
                answers.write(out.retain());
            }
        } finally {
            out.release();
        }
    }

    private void collect(ByteBuf bytes, int from, int to) {
        int more = to - from;
        if (skipping || more > maxLineBytes - length) {
            skipping = true;
            return;
        }
        if (length + more > partial.length) {
            partial = Arrays.copyOf(partial, Math.max(length + more, Math.min(maxLineBytes, partial.length * 2)));
        }
        bytes.getBytes(from, partial, length, more);
        length += more;
    }

    private void line(ByteBuf out) {
        number++;
        byte[] text = Arrays.copyOf(partial, length);
        boolean tooLong = skipping;
        length = 0;
        skipping = false;
        if (tooLong) {
            answer(
                    out,
                    PublishAnswers.line(
                            number,
                            new ProtocolException(
                                    ErrorCode.TOO_LARGE, "the line is longer than " + maxLineBytes + " bytes")));
        } else if (!isBlank(text)) {
            publish(out, text);
        }
    }

    private void publish(ByteBuf out, byte[] text) {
        long line = number;
        CompletableFuture<Answers> published;
        try {
            published = handler.publish(text, publisher);
        } catch (ProtocolException e) {
            answer(out, PublishAnswers.line(line, e));
            return;
        }
        if (published.isDone() && pending.isEmpty()) {
            out.writeBytes(PublishAnswers.line(line, published.join()));
            return;
        }
        CompletableFuture<byte[]> answer = published.handle((all, failure) -> all == null
                ? PublishAnswers.line(
                        line, new ProtocolException(ErrorCode.INTERNAL, "the gateway failed to publish this"))
                : PublishAnswers.line(line, all));
        pending.add(answer);
        answer.whenCompleteAsync(
                (ignored, failure) -> writePending(), exchange.channel().eventLoop());
    }

    private void answer(ByteBuf out, byte[] line) {
        if (pending.isEmpty()) {
            out.writeBytes(line);
        } else {
            pending.add(CompletableFuture.completedFuture(line));
        }
    }

    private void writePending() {
        while (!pending.isEmpty() && pending.element().isDone()) {
            answers.write(Unpooled.wrappedBuffer(pending.remove().join()));
        }
        endIfDone();
    }

    private static boolean isBlank(byte[] text) {
        for (byte b : text) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    @Override
    public void end() {
        if (length > 0 || skipping) {
            // The last line may lack its newline.
            ByteBuf out = exchange.channel().alloc().buffer();
            line(out);
            answers.write(out);
        }
        ended = true;
        endIfDone();
    }

    private void endIfDone() {
        if (ended && pending.isEmpty()) {
            ended = false;
            answers.end();
        }
    }
}
