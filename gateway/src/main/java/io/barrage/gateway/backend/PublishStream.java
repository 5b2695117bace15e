package io.barrage.gateway.backend;

import io.barrage.gateway.backend.PublishHandler.Answers;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.ResponseStream;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A stream of publishes, one JSON object a line ({@code application/x-ndjson}), and one answer a line. A line that can't be
 * carried out is answered and doesn't end the stream.
 *
 * <p>Confined to its channel's event loop. The answers stand in the lines' order. Over its API key's rate a stream isn't
 * refused but read more slowly: its sender notices that as it would notice a slow network.
 */
final class PublishStream implements BodyReader {
    /** A stream that waits waits for so long at least, so that some lines go on together. */
    private static final long MIN_WAIT_NANOS = 2_000_000;

    private final Exchange exchange;
    private final PublishHandler handler;
    private final Caller caller;
    private final int maxLineBytes;
    private final ResponseStream answers;
    private final ArrayDeque<CompletableFuture<byte[]>> pending = new ArrayDeque<>();
    private byte[] partial = new byte[512];
    private int length;
    private boolean skipping;
    private boolean bodyEnded;
    private boolean ended;
    private long number;
    /** The line that waits for its API key's allowance, and what has been read behind it; null if none waits. */
    private @Nullable PublishRequest waitingLine;

    private ByteBuf waitingBytes = Unpooled.EMPTY_BUFFER;
    private @Nullable Future<?> timer;

    PublishStream(Call call, PublishHandler handler, int maxMessageBytes) {
        this.exchange = call.exchange();
        this.handler = handler;
        this.caller = call.caller();
        this.maxLineBytes = maxMessageBytes + PublishRequest.MAX_LINE_ENVELOPE_BYTES;
        this.answers = exchange.respondWithStream("application/x-ndjson");
    }

    @Override
    public void content(ByteBuf bytes) {
        if (waitingLine != null) {
            throw new IllegalStateException("reading goes on though a line waits");
        }
        int rest = take(bytes);
        if (waitingLine != null) {
            // The bytes are the reader's: what stays here is copied, once.
            waitingBytes = Unpooled.wrappedBuffer(ByteBufUtil.getBytes(bytes, rest, bytes.writerIndex() - rest));
        }
    }

    /** Carries out the lines of {@code bytes}, which is borrowed, up to one that has to wait; gives the index behind that. */
    private int take(ByteBuf bytes) {
        ByteBuf out = exchange.channel().alloc().buffer(bytes.readableBytes() / 2 + 256);
        try {
            int from = bytes.readerIndex();
            int end = bytes.writerIndex();
            while (from < end && waitingLine == null) {
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
            return Math.min(from, end);
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
            refuse(
                    out,
                    new ProtocolException(ErrorCode.TOO_LARGE, "the line is longer than " + maxLineBytes + " bytes"));
        } else if (!isBlank(text)) {
            publish(out, text);
        }
    }

    private void publish(ByteBuf out, byte[] text) {
        PublishRequest request;
        try {
            request = handler.read(text);
        } catch (ProtocolException e) {
            refuse(out, e);
            return;
        }
        long waitNanos = handler.takeAllowance(caller, request);
        if (waitNanos > 0) {
            handler.slowed(caller);
            waitingLine = request;
            waitFor(waitNanos);
        } else {
            publish(out, request);
        }
    }

    private void waitFor(long allowanceNanos) {
        long nanos = Math.max(MIN_WAIT_NANOS, allowanceNanos);
        exchange.holdReading(nanos);
        timer = exchange.channel().eventLoop().schedule(() -> carryOut(this::goOn), nanos, TimeUnit.NANOSECONDS);
    }

    /** Does what nobody up the stack would see fail. */
    private void carryOut(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            exchange.channel().pipeline().fireExceptionCaught(e);
        }
    }

    /** Tries again with the line that waits, and goes on behind it. */
    private void goOn() {
        PublishRequest request = Objects.requireNonNull(waitingLine);
        timer = null;
        if (!exchange.channel().isActive()) {
            // Whoever sent it has gone, and could not know what became of it.
            return;
        }
        long waitNanos = handler.takeAllowance(caller, request);
        if (waitNanos > 0) {
            // Another connection with the same key was first.
            waitFor(waitNanos);
            return;
        }
        ByteBuf out = exchange.channel().alloc().buffer(256);
        try {
            waitingLine = null;
            publish(out, request);
            answers.write(out.retain());
        } finally {
            out.release();
        }
        waitingBytes.readerIndex(take(waitingBytes));
        if (waitingLine == null) {
            waitingBytes = Unpooled.EMPTY_BUFFER;
            if (bodyEnded) {
                finish();
            } else {
                exchange.readOn();
            }
        }
    }

    @Override
    public void abort() {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private void publish(ByteBuf out, PublishRequest request) {
        long line = number;
        CompletableFuture<Answers> published = handler.publish(request, caller);
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
                (ignored, failure) -> carryOut(this::writePending),
                exchange.channel().eventLoop());
    }

    private void refuse(ByteBuf out, ProtocolException mistake) {
        if (mistake.code() == ErrorCode.TOO_LARGE) {
            handler.tooLarge();
        }
        byte[] line = PublishAnswers.line(number, mistake);
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
        bodyEnded = true;
        if (waitingLine == null) {
            finish();
        }
    }

    private void finish() {
        if (length > 0 || skipping) {
            // The last line may lack its newline.
            ByteBuf out = exchange.channel().alloc().buffer();
            line(out);
            answers.write(out);
            if (waitingLine != null) {
                // Comes back here.
                return;
            }
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
