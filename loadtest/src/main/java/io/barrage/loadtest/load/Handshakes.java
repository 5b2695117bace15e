package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** Opens connections and notes how long each handshake took since it was due. Confined to the first event loop. */
final class Handshakes {
    private final Loops loops;
    private final Histogram nanos = LatencySummary.histogram();
    private final Map<String, Integer> failures = new TreeMap<>();
    private int inProgress;
    private int opened;
    private int failed;
    private long lastNanos;

    Handshakes(Loops loops) {
        this.loops = loops;
    }

    /**
     * Opens one; {@code done} runs when it stands or has failed.
     *
     * @param measured whether its latency counts
     */
    @SuppressWarnings("FutureReturnValueIgnored") // counted here, failure or not
    void open(Subscriber subscriber, long dueNanos, boolean measured, Runnable done) {
        assert loops.loop(0).inEventLoop();
        inProgress++;
        subscriber.ready().whenComplete((ignored, failure) -> {
            inProgress--;
            lastNanos = System.nanoTime();
            if (failure == null) {
                opened++;
                if (measured) {
                    LatencySummary.record(nanos, lastNanos - dueNanos);
                }
            } else {
                failed++;
                failures.merge(String.valueOf(failure.getMessage()), 1, Integer::sum);
            }
            done.run();
        });
        loops.connect(0, subscriber.target.clients(), true, subscriber);
    }

    int inProgress() {
        return inProgress;
    }

    int opened() {
        return opened;
    }

    int failed() {
        return failed;
    }

    /** How many by which reason. */
    Map<String, Integer> failures() {
        return new TreeMap<>(failures);
    }

    /** When the last one stood or failed. */
    long lastNanos() {
        return lastNanos;
    }

    /** From due to standing, those that counted. */
    LatencySummary latency() {
        return LatencySummary.of(nanos);
    }
}
