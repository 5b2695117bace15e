package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A connection that collects publishes and sends all that wait in one write. Confined to its event loop, but for
 * {@link #ready}.
 *
 * @param <I> what its decoders make of the answers
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
abstract class BufferedOutlet<I> extends SimpleChannelInboundHandler<I> implements Outlet, Loops.Connects {
    private static final int FIRST_BYTES = 4 * 1024;

    // any thread
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    // loop only
    protected final Target target;
    private final PublishConnection.Listener listener;
    private final ArrayDeque<Publication> unanswered = new ArrayDeque<>();
    private @Nullable ChannelHandlerContext context;
    private @Nullable ByteBuf pending;
    private boolean closing;

    BufferedOutlet(Class<? extends I> answers, Target target, PublishConnection.Listener listener) {
        super(answers);
        this.target = target;
        this.listener = listener;
    }

    /** What the connection says first; empty if nothing. */
    abstract String opening();

    /** Writes what stands before the publishes of one write; {@code bytes} is their length. */
    abstract void beforePublishes(ByteBuf out, int bytes);

    /** Writes what stands behind the publishes of one write. */
    abstract void behindPublishes(ByteBuf out);

    @Override
    public final CompletableFuture<Void> ready() {
        return ready;
    }

    @Override
    public abstract ChannelHandler[] handlers();

    @Override
    public final void publish(Publication publication, byte[] head, byte[] data, byte[] tail) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || !ctx.channel().isActive()) {
            return; // onBroken has been told, or will be by the same pass of the loop
        }
        ByteBuf out = pending;
        if (out == null) {
            out = ctx.alloc().buffer(FIRST_BYTES);
            pending = out;
        }
        out.writeBytes(head).writeBytes(data).writeBytes(tail);
        unanswered.add(publication);
    }

    @Override
    public final void flush() {
        ByteBuf publishes = pending;
        ChannelHandlerContext ctx = context;
        if (publishes == null || ctx == null) {
            return;
        }
        pending = null;
        ByteBuf before = ctx.alloc().buffer(16);
        beforePublishes(before, publishes.readableBytes());
        behindPublishes(publishes);
        ctx.write(before, ctx.voidPromise());
        ctx.writeAndFlush(publishes, ctx.voidPromise());
    }

    @Override
    public final int unanswered() {
        return unanswered.size();
    }

    /** Tells the oldest publish without an answer what became of it; borrows the answer. */
    final void answered(int status, ByteBuf answer) throws IOException {
        Publication publication = unanswered.poll();
        if (publication == null) {
            throw new IOException("an answer to no publish: " + answer.toString(StandardCharsets.UTF_8));
        }
        Answer verdict = target.answer(status, answer);
        listener.onAnswer(
                publication,
                verdict,
                verdict.verdict() == Answer.Verdict.ACCEPTED
                        ? ""
                        : answer.toString(StandardCharsets.UTF_8).strip());
    }

    @Override
    public final void close() {
        closing = true;
        if (context != null) {
            context.close();
        }
    }

    @Override
    public final void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        Channel channel = ctx.channel();
        ByteBuf opening = channel.alloc().buffer();
        opening.writeCharSequence(opening(), StandardCharsets.US_ASCII);
        ctx.writeAndFlush(opening, ctx.voidPromise());
        ready.complete(null);
    }

    @Override
    public final void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        broken(String.valueOf(cause.getMessage()));
        ctx.close();
    }

    @Override
    public final void channelInactive(ChannelHandlerContext ctx) {
        broken("the gateway closed the connection");
        if (pending != null) {
            pending.release();
            pending = null;
        }
    }

    @Override
    public final void connectFailed(Throwable cause) {
        ready.completeExceptionally(cause);
    }

    private void broken(String why) {
        if (!closing) {
            closing = true;
            listener.onBroken(unanswered.size(), why);
        }
    }
}
