package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.netty.channel.EventLoop;
import org.HdrHistogram.Histogram;

/** What one event loop of the generator measures in a {@code fanout} run. Confined to its event loop. */
final class FanoutLoop {
    final ReceiveCounters received = new ReceiveCounters();
    final Histogram sampledNanos = LatencySummary.histogram();
    long disordered;
    long repeated;
    long unreadable;
    int closedSubscribers;
    String firstClose = "";
    String firstNotice = "";

    final LoopLag lag;
    private long fromNanos = Long.MAX_VALUE;
    private long untilNanos = Long.MAX_VALUE;

    FanoutLoop(EventLoop loop) {
        lag = new LoopLag(loop);
    }

    /** Tells which messages count: those due in this span. Begins to watch the loop's own punctuality. */
    void measure(long fromNanos, long untilNanos) {
        this.fromNanos = fromNanos;
        this.untilNanos = untilNanos;
        lag.watch(fromNanos, untilNanos);
    }

    boolean counts(long dueNanos) {
        return dueNanos - fromNanos >= 0 && dueNanos - untilNanos < 0;
    }
}
