package io.barrage.loadtest.measure;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What this process has used. Thread-safe: no state. */
public final class SelfUsage {
    private SelfUsage() {}

    /** User and system time of all threads until now; finer than {@code /proc}'s ticks. */
    public static double cpuSeconds() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return Math.max(0, system.getProcessCpuTime()) / 1e9;
    }
}
