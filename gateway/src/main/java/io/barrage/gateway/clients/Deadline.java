package io.barrage.gateway.clients;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Something that is done later, unless it is cancelled before. What it throws is told: the future of a timer would keep that to
 * itself.
 *
 * <p>Confined to its event loop.
 */
final class Deadline {
    /** The longest that a timer waits for a moment of the wall clock: that may be set meanwhile. */
    private static final long MAX_WAIT_MILLIS = 3_600_000;

    /** In place of a moment: the wall clock doesn't matter. */
    private static final long ANY_TIME = Long.MIN_VALUE;

    private final ScheduledExecutorService loop;
    private final Consumer<RuntimeException> failed;
    private final long atMillis;
    private final Runnable then;
    private Future<?> timer;

    private Deadline(
            ScheduledExecutorService loop,
            Consumer<RuntimeException> failed,
            long atMillis,
            long waitMillis,
            Runnable then) {
        this.loop = loop;
        this.failed = failed;
        this.atMillis = atMillis;
        this.then = then;
        this.timer = schedule(waitMillis);
    }

    /**
     * Does it when so much time has passed.
     *
     * @param failed told what it throws
     */
    static Deadline after(
            long millis, Runnable then, ScheduledExecutorService loop, Consumer<RuntimeException> failed) {
        return new Deadline(loop, failed, ANY_TIME, millis, then);
    }

    /**
     * Does it at a moment of the wall clock, however that is set meanwhile.
     *
     * @param atMillis since 1970
     * @param failed told what it throws
     */
    static Deadline at(long atMillis, Runnable then, ScheduledExecutorService loop, Consumer<RuntimeException> failed) {
        return new Deadline(loop, failed, atMillis, millisUntil(atMillis), then);
    }

    private static long millisUntil(long atMillis) {
        return Math.min(Math.max(0, atMillis - System.currentTimeMillis()), MAX_WAIT_MILLIS);
    }

    private Future<?> schedule(long waitMillis) {
        return loop.schedule(this::look, waitMillis, TimeUnit.MILLISECONDS);
    }

    private void look() {
        if (System.currentTimeMillis() < atMillis) {
            timer = schedule(millisUntil(atMillis));
            return;
        }
        try {
            then.run();
        } catch (RuntimeException e) {
            failed.accept(e);
        }
    }

    /** It isn't done any more. */
    void cancel() {
        timer.cancel(false);
    }
}
