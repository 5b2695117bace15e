package io.barrage.gateway.clients;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a silent connection lives: nothing has come for a while, a ping goes out, and if nothing comes back, and what
 * waits for the socket doesn't drain either, the connection is dead. A phone that drains slowly lives, and so does a client that
 * isn't read from while somebody decides.
 *
 * <p>Confined to its event loop. It is the connection's last handler, too, to spare each connection one more: whoever extends it
 * calls {@link #bytesCame}, since the frames that get so far may be parts of what comes.
 */
abstract class Heartbeat extends IdleStateHandler {
    private static final double JITTER = 0.2;

    final WsConnection connection;
    private final int timeoutMillis;
    private @Nullable Future<?> timer;

    Heartbeat(WsConnection connection, Duration beat, Duration timeout) {
        super(spread(beat.toMillis()), 0, 0, TimeUnit.MILLISECONDS);
        this.connection = connection;
        this.timeoutMillis = (int) timeout.toMillis();
    }

    /** So that a hundred thousand connections of one start aren't pinged in one moment. */
    private static long spread(long millis) {
        return Math.round(
                millis * (1 + JITTER * (2 * ThreadLocalRandom.current().nextDouble() - 1)));
    }

    /** A read has ended, whether or not a frame was complete. */
    final void bytesCame() {
        resetReadTimeout();
    }

    @Override
    protected final void channelIdle(ChannelHandlerContext ctx, IdleStateEvent event) {
        if (timer == null) {
            try {
                connection.ping();
                await();
            } catch (RuntimeException e) {
                // No handler is behind this one.
                connection.failed(e);
            }
        }
    }

    /** A frame has come. */
    final void received() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void await() {
        long progress = connection.writeProgress();
        timer = connection
                .channel()
                .eventLoop()
                .schedule(
                        () -> {
                            try {
                                check(progress);
                            } catch (RuntimeException e) {
                                // The timer's future would keep it to itself.
                                connection.failed(e);
                            }
                        },
                        timeoutMillis,
                        TimeUnit.MILLISECONDS);
    }

    private void check(long progress) {
        timer = null;
        // Progress counts only where something waits: if the kernel has it all, only an answer tells that someone is
        // there.
        if (connection.isWaitingForDecision()
                || (connection.isWaitingForSocket() && connection.writeProgress() != progress)) {
            await();
        } else {
            connection.heartbeatMissed();
        }
    }
}
