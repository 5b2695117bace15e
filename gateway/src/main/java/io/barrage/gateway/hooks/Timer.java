package io.barrage.gateway.hooks;

import java.util.concurrent.Future;

/** Runs things later, on one thread. Thread-safe. */
interface Timer {
    /** The {@link System#nanoTime} clock. */
    long nanoTime();

    /** Runs {@code task} after {@code delayNanos}, unless it is cancelled before. */
    Future<?> schedule(Runnable task, long delayNanos);
}
