package io.barrage.gateway.hub;

import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how often a stream is written to its connections: after a walk, its next one waits for the rest of the window. The
 * first message of a quiet topic leaves at once. The window is the configured one, or twice the last walk if that took longer: a loop
 * that can't keep up writes less often, with more in each write.
 *
 * <p>Confined to its event loop. One timer for all streams; what falls due is rounded up to a tick, so that it is one wake-up for
 * many, and each shard's ticks lie apart.
 */
final class Coalescing {
    static final long TICK_NANOS = 5_000_000;

    private final Loop loop;
    private final Runnable onDue;
    private final long phaseNanos;
    // Differences, since the clock may wrap round.
    private final PriorityQueue<Wait> waits =
            new PriorityQueue<>((one, other) -> Long.signum(one.dueNanos - other.dueNanos));
    private boolean armed;
    private long armedForNanos;

    /** A stream's place in the queue; stale once the stream has another, or none. */
    static final class Wait {
        private final Stream stream;
        private final long dueNanos;

        Wait(Stream stream, long dueNanos) {
            this.stream = stream;
            this.dueNanos = dueNanos;
        }
    }

    /**
     * @param phaseNanos where this shard's ticks lie within {@link #TICK_NANOS}
     * @param onDue runs on the loop when streams have fallen due
     */
    Coalescing(Loop loop, long phaseNanos, Runnable onDue) {
        this.loop = loop;
        this.phaseNanos = phaseNanos;
        this.onDue = onDue;
    }

    /** Whether a stream's next walk has to wait; if so, {@link #pollDue} gives it when it may begin. */
    boolean holds(Stream stream) {
        if (stream.windowNanos == 0) {
            return false;
        }
        long now = loop.nanoTime();
        if (stream.mayWalkNanos - now <= 0) {
            return false;
        }
        stream.wait = new Wait(stream, roundUp(stream.mayWalkNanos));
        waits.add(stream.wait);
        arm(stream.wait.dueNanos, now);
        return true;
    }

    private long roundUp(long nanos) {
        long past = Math.floorMod(nanos - phaseNanos, TICK_NANOS);
        return past == 0 ? nanos : nanos + TICK_NANOS - past;
    }

    private void arm(long dueNanos, long now) {
        if (!armed || dueNanos - armedForNanos < 0) {
            armed = true;
            armedForNanos = dueNanos;
            loop.executeAfter(() -> fire(dueNanos), dueNanos - now);
        }
    }

    private void fire(long dueNanos) {
        if (armed && armedForNanos == dueNanos) {
            armed = false;
            onDue.run();
        }
    }

    /** The next stream whose walk may begin, or null. */
    @Nullable
    Stream pollDue() {
        if (waits.isEmpty()) {
            return null;
        }
        long now = loop.nanoTime();
        for (Wait first = waits.peek(); first != null; first = waits.peek()) {
            boolean stale = first.stream.wait != first;
            if (!stale && first.dueNanos - now > 0) {
                arm(first.dueNanos, now);
                return null;
            }
            waits.remove();
            if (!stale) {
                first.stream.wait = null;
                return first.stream;
            }
        }
        return null;
    }

    /** A stream doesn't wait any more. */
    static void forget(Stream stream) {
        stream.wait = null;
    }

    /** A stream's walk, begun at {@code startNanos}, has ended. */
    void walked(Stream stream, long startNanos) {
        long configured = stream.topic.rules.coalesceNanos();
        if (configured > 0) {
            long twice = 2 * (loop.nanoTime() - startNanos);
            stream.windowNanos = Math.max(configured, Math.min(twice, stream.topic.rules.coalesceMaxNanos()));
            stream.mayWalkNanos = startNanos + stream.windowNanos;
        } else {
            stream.windowNanos = 0;
        }
    }
}
