package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What one event loop of the generator measures in a {@code fanout} run. Confined to its event loop. */
final class FanoutLoop {
    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    final ReceiveCounters received = new ReceiveCounters();
    final Histogram sampledNanos = LatencySummary.histogram();
    final Histogram lagNanos = LatencySummary.histogram();
    long disordered;
    long repeated;
    long unreadable;
    int closedSubscribers;
    String firstClose = "";
    String firstNotice = "";

    private final EventLoop loop;
    private long fromNanos = Long.MAX_VALUE;
    private long untilNanos = Long.MAX_VALUE;
    private boolean probing;

    FanoutLoop(EventLoop loop) {
        this.loop = loop;
    }

    /** Tells which messages count: those due in this span. Begins to watch the loop's own punctuality. */
    void measure(long fromNanos, long untilNanos) {
        assert loop.inEventLoop();
        this.fromNanos = fromNanos;
        this.untilNanos = untilNanos;
        if (!probing) {
            probing = true;
            probe(System.nanoTime() + PROBE_NANOS);
        }
    }

    boolean counts(long dueNanos) {
        return dueNanos - fromNanos >= 0 && dueNanos - untilNanos < 0;
    }

    /** A task every 10 ms that notes how late it runs: what the loop couldn't do in time, no subscriber could either. */
    private void probe(long dueNanos) {
        schedule(
                () -> {
                    long now = System.nanoTime();
                    if (counts(dueNanos)) {
                        LatencySummary.record(lagNanos, now - dueNanos);
                    }
                    if (dueNanos - untilNanos < 0) {
                        probe(Math.max(dueNanos + PROBE_NANOS, now));
                    }
                },
                dueNanos - System.nanoTime());
    }

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void schedule(Runnable task, long nanos) {
        loop.schedule(task, Math.max(0, nanos), TimeUnit.NANOSECONDS);
    }
}
