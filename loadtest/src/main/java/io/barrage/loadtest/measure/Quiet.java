package io.barrage.loadtest.measure;

import java.io.IOException;
import java.time.Duration;

/** Waits until a server has done what it was left to do. Thread-safe: no state. */
public final class Quiet {
    private static final Duration LOOK_EVERY = Duration.ofMillis(200);

    /** Two of the kernel's ticks in that time: a tenth of a processor. */
    private static final double CPU_SECONDS = 0.025;

    private Quiet() {}

    /**
     * Returns when a process takes hardly any CPU time, or when {@code atMost} is over.
     *
     * @param tree whether its descendants belong to it
     * @throws IOException if there is no such process, or no /proc
     */
    public static void await(long pid, boolean tree, Duration atMost) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        double before = ProcessUsage.of(pid, tree).cpuSeconds();
        while (System.nanoTime() - deadline < 0) {
            Thread.sleep(LOOK_EVERY.toMillis());
            double now = ProcessUsage.of(pid, tree).cpuSeconds();
            if (now - before <= CPU_SECONDS) {
                return;
            }
            before = now;
        }
    }
}
