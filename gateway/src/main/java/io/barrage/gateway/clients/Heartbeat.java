package io.barrage.gateway.clients;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a silent connection lives: the idle-state handler says that nothing has come for a while, a ping goes out,
 * and if nothing comes back, and what waits for the socket doesn't drain either, the connection is dead. A phone that drains
 * slowly lives.
 *
 * <p>Confined to its event loop.
 */
final class Heartbeat {
    private final WsConnection connection;
    private final long timeoutNanos;
    private @Nullable Future<?> timer;
    private long progress;

    Heartbeat(WsConnection connection, long timeoutNanos) {
        this.connection = connection;
        this.timeoutNanos = timeoutNanos;
    }

    /** Nothing has come for the heartbeat's time. */
    void idle() {
        if (timer == null) {
            connection.ping();
            await();
        }
    }

    /** Something has come. */
    void received() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void await() {
        progress = connection.writeProgress();
        timer = connection.channel().eventLoop().schedule(this::check, timeoutNanos, TimeUnit.NANOSECONDS);
    }

    private void check() {
        timer = null;
        // Progress counts only where something waits: if the kernel has it all, only an answer tells that someone is
        // there.
        if (connection.isWaitingForSocket() && connection.writeProgress() != progress) {
            await();
        } else {
            connection.heartbeatMissed();
        }
    }
}
