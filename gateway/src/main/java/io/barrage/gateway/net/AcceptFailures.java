package io.barrage.gateway.net;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a listener alive when accepting fails, most often for want of descriptors. Confined to the acceptor's event loop.
 *
 * <p>The connection that couldn't be accepted stays in the kernel's queue, so trying again at once would fail at once: the
 * loop would spin. Netty's own acceptor pauses too, but says so once a second for as long as it lasts.
 */
final class AcceptFailures extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(AcceptFailures.class);

    /** Short enough for who waits, long enough for the loop. */
    static final long PAUSE_MILLIS = 200;

    /**
     * It works again when nothing failed for so long. At the limit each connection that leaves makes room for one that is
     * accepted: without this, both lines would be logged with every one of them.
     */
    static final long RECOVERED_MILLIS = 10_000;

    private final String listener;
    private long failures;
    private long lastFailureNanos;
    private @Nullable Future<?> resumption;

    AcceptFailures(String listener) {
        this.listener = listener;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (failures++ == 0) {
            log.warn(
                    "Can't accept connections, trying again; if descriptors ran out, raise the limit (ulimit -n)"
                            + " listener={} reason={}",
                    listener,
                    cause.toString());
        }
        lastFailureNanos = ctx.executor().ticker().nanoTime();
        if (resumption == null || resumption.isDone()) {
            ChannelConfig config = ctx.channel().config();
            config.setAutoRead(false);
            resumption = ctx.executor().schedule(() -> config.setAutoRead(true), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object connection) {
        if (failures > 0 && millisSinceLastFailure(ctx) >= RECOVERED_MILLIS) {
            log.info("Accepting connections again listener={} failures={}", listener, failures);
            failures = 0;
        }
        ctx.fireChannelRead(connection);
    }

    private long millisSinceLastFailure(ChannelHandlerContext ctx) {
        return TimeUnit.NANOSECONDS.toMillis(ctx.executor().ticker().nanoTime() - lastFailureNanos);
    }
}
