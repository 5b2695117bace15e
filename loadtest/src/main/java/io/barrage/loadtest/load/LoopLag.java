package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * How late tasks run on an event loop of the generator: what it couldn't do in time, no subscriber could either. Confined to
 * its event loop.
 */
final class LoopLag {
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final EventLoop loop;
    private final Histogram nanos = LatencySummary.histogram();
    private long fromNanos;
    private long untilNanos;

    LoopLag(EventLoop loop) {
        this.loop = loop;
    }

    /** Looks every 10 ms until the end of the span; the looks that are due in it count. */
    void watch(long fromNanos, long untilNanos) {
        assert loop.inEventLoop();
        this.fromNanos = fromNanos;
        this.untilNanos = untilNanos;
        lookAt(System.nanoTime() + EVERY_NANOS);
    }

    /** Ends the span now. */
    void end() {
        untilNanos = System.nanoTime();
    }

    Histogram nanos() {
        return nanos;
    }

    LatencySummary summary() {
        return LatencySummary.of(nanos);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void lookAt(long dueNanos) {
        loop.schedule(
                () -> {
                    long next = looked(dueNanos, System.nanoTime());
                    if (next - untilNanos < 0) {
                        lookAt(next);
                    }
                },
                Math.max(0, dueNanos - System.nanoTime()),
                TimeUnit.NANOSECONDS);
    }

    /**
     * A look that was due then happens now. Those that fell due meanwhile were as late, each by what was left: a stall counts
     * for as long as it lasts, not once.
     *
     * @return when the next one is due
     */
    long looked(long dueNanos, long nowNanos) {
        long due = dueNanos;
        do {
            if (due - fromNanos >= 0 && due - untilNanos < 0) {
                LatencySummary.record(nanos, nowNanos - due);
            }
            due += EVERY_NANOS;
        } while (due - nowNanos <= 0);
        return due;
    }
}
