package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.target.HostPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP request that publishes the same line again and again as an NDJSON stream, many lines in a write, and counts the
 * answers. Confined to its event loop, but for {@link #ready}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
final class StreamConnection extends SimpleChannelInboundHandler<HttpObject> implements Loops.Connects {
    private static final int CHUNK_FRAME_BYTES = 16;

    // any thread
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    // loop only
    private final InetSocketAddress backend;
    private final byte[] line;
    private final Consumer<String> broken;
    private final AnswerLines answers = new AnswerLines();
    private @Nullable ChannelHandlerContext context;
    private long sent;
    private boolean ended;

    /** @param broken learns, once, why the stream ended too early */
    StreamConnection(InetSocketAddress backend, byte[] line, Consumer<String> broken) {
        this.backend = backend;
        this.line = line.clone();
        this.broken = broken;
    }

    CompletableFuture<Void> ready() {
        return ready;
    }

    /** The handlers that the connection's pipeline needs, this one among them. */
    ChannelHandler[] handlers() {
        return new ChannelHandler[] {new HttpResponseDecoder(), this};
    }

    /** Sends the line so many times, as one chunk. */
    void send(int lines) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || ended || lines == 0) {
            return;
        }
        int bytes = lines * line.length;
        ByteBuf chunk = ctx.alloc().buffer(bytes + CHUNK_FRAME_BYTES);
        chunk.writeCharSequence(Integer.toHexString(bytes) + "\r\n", US_ASCII);
        for (int i = 0; i < lines; i++) {
            chunk.writeBytes(line);
        }
        chunk.writeCharSequence("\r\n", US_ASCII);
        sent += lines;
        ctx.writeAndFlush(chunk, ctx.voidPromise());
    }

    /** Ends the request; answers still come. */
    void end() {
        ended = true;
        if (context != null) {
            context.writeAndFlush(Unpooled.copiedBuffer("0\r\n\r\n", US_ASCII), context.voidPromise());
        }
    }

    /** Closes, whatever waits. */
    void close() {
        ended = true;
        if (context != null) {
            context.close();
        }
    }

    long sent() {
        return sent;
    }

    AnswerLines answers() {
        return answers;
    }

    long unanswered() {
        return sent - answers.accepted() - answers.refused();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        String head = "POST /v1/publish HTTP/1.1\r\nhost: " + HostPort.format(backend)
                + "\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
        ctx.writeAndFlush(Unpooled.copiedBuffer(head, US_ASCII), ctx.voidPromise());
        ready.complete(null);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject read) throws IOException {
        if (read.decoderResult().isFailure()) {
            throw new IOException("not HTTP: " + read.decoderResult().cause());
        }
        if (read instanceof HttpResponse response && response.status().code() != 200) {
            throw new IOException("the gateway answered " + response.status());
        }
        if (read instanceof HttpContent content) {
            answers.read(content.content());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(String.valueOf(cause.getMessage()));
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (!ended || unanswered() > 0) {
            fail("the gateway closed the connection");
        }
    }

    @Override
    public void connectFailed(Throwable cause) {
        ready.completeExceptionally(cause);
    }

    private void fail(String why) {
        broken.accept("a publishing stream broke with " + unanswered() + " unanswered lines: " + why);
    }
}
