package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A keep-alive HTTP connection that publishes, several requests at a time. Confined to its event loop, but for
 * {@link #ready}.
 *
 * <p>Requests are pipelined, so the messages of one connection reach the gateway in the order of the calls.
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
final class PublishConnection extends SimpleChannelInboundHandler<HttpObject> implements Outlet, Loops.Connects {
    private static final int MAX_BODY_BYTES = 64 * 1024;

    /** Learns what became of each publish, in order. Called on the event loop. */
    interface Listener {
        /** A publish was answered; {@code detail} is what the gateway said, or empty if it accepted. */
        void onAnswer(Publication publication, Answer answer, String detail);

        /** The connection ended with {@code unanswered} publishes of which nobody knows what became. */
        void onBroken(int unanswered, String why);
    }

    // any thread
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    // loop only
    private final Target target;
    private final Listener listener;
    private final ArrayDeque<Publication> unanswered = new ArrayDeque<>();
    private final ByteBuf body = Unpooled.buffer(256, MAX_BODY_BYTES);
    private @Nullable ChannelHandlerContext context;
    private int status;
    private boolean lastAnswer;
    private boolean closing;

    PublishConnection(Target target, Listener listener) {
        this.target = target;
        this.listener = listener;
    }

    @Override
    public CompletableFuture<Void> ready() {
        return ready;
    }

    @Override
    public ChannelHandler[] handlers() {
        return new ChannelHandler[] {new HttpResponseDecoder(), this};
    }

    @Override
    public void publish(Publication publication, byte[] head, byte[] data, byte[] tail) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || !ctx.channel().isActive()) {
            return; // onBroken has been told, or will be by the same pass of the loop
        }
        ByteBuf request = ctx.alloc().buffer(head.length + data.length + tail.length);
        request.writeBytes(head).writeBytes(data).writeBytes(tail);
        unanswered.add(publication);
        ctx.write(request, ctx.voidPromise());
    }

    @Override
    public void flush() {
        if (context != null) {
            context.flush();
        }
    }

    @Override
    public int unanswered() {
        return unanswered.size();
    }

    @Override
    public void close() {
        closing = true;
        if (context != null) {
            context.close();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        ready.complete(null);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject read) throws IOException {
        if (read.decoderResult().isFailure()) {
            throw new IOException("not HTTP: " + read.decoderResult().cause());
        }
        if (read instanceof HttpResponse response) {
            status = response.status().code();
            lastAnswer = !HttpUtil.isKeepAlive(response);
            body.clear();
        }
        if (read instanceof HttpContent content) {
            ByteBuf part = content.content();
            body.writeBytes(part, Math.min(part.readableBytes(), body.maxCapacity() - body.writerIndex()));
        }
        if (read instanceof LastHttpContent && status >= 200) {
            Publication publication = unanswered.poll();
            if (publication == null) {
                throw new IOException("an answer (" + status + ") to no request");
            }
            Answer answer = target.answer(status, body);
            String detail = answer.verdict() == Answer.Verdict.ACCEPTED
                    ? ""
                    : status + " " + body.toString(StandardCharsets.UTF_8).strip();
            listener.onAnswer(publication, answer, detail);
            if (lastAnswer) {
                throw new IOException("the gateway ends keep-alive");
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        broken(String.valueOf(cause.getMessage()));
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        broken("the gateway closed the connection");
    }

    @Override
    public void connectFailed(Throwable cause) {
        ready.completeExceptionally(cause);
    }

    private void broken(String why) {
        if (!closing) {
            closing = true;
            listener.onBroken(unanswered.size(), why);
        }
    }
}
