package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.loadtest.measure.LatencySummary;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LoopLagTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final EventLoop loop = new DefaultEventLoop();

    @AfterEach
    void end() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** One that looks at its own, and is told by the test when. */
    private LoopLag watching(long fromNanos, long untilNanos) throws Exception {
        LoopLag lag = new LoopLag(loop);
        // The look that this schedules is due on the real clock, where the span is over: it doesn't count.
        loop.submit(() -> lag.watch(fromNanos, untilNanos)).get();
        return lag;
    }

    @Test
    void aStallCountsForAsLongAsItLasts() throws Exception {
        LoopLag lag = watching(0, 2_000 * MILLI);
        long next = lag.looked(10 * MILLI, 1_010 * MILLI);
        assertEquals(1_020 * MILLI, next);
        LatencySummary summary = lag.summary();
        assertEquals(101, summary.count());
        assertEquals(500_000, summary.p50(), 500);
        assertEquals(990_000, summary.p99(), 1_000);
    }

    @Test
    void aPunctualLookCountsOnce() throws Exception {
        LoopLag lag = watching(0, 2_000 * MILLI);
        assertEquals(20 * MILLI, lag.looked(10 * MILLI, 10 * MILLI));
        assertEquals(1, lag.summary().count());
    }

    @Test
    void countsOnlyWhatIsDueInTheSpan() throws Exception {
        LoopLag lag = watching(20 * MILLI, 50 * MILLI);
        lag.looked(10 * MILLI, 1_000 * MILLI);
        assertEquals(3, lag.summary().count());
    }
}
