package io.barrage.loadtest.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the whole machine has spent until now, from {@code /proc/stat}. Immutable.
 *
 * @param busySeconds CPU time of all processes and interrupts, over all processors
 * @param stolenSeconds time that a hypervisor gave to other guests
 */
public record MachineUsage(double busySeconds, double stolenSeconds) {
    /** Reads it now; all zero where there is no /proc. */
    public static MachineUsage now() {
        try {
            return parse(Files.readAllLines(Path.of("/proc/stat")).get(0), ClockTicks.PER_SECOND);
        } catch (IOException ignored) {
            return new MachineUsage(0, 0); // not Linux: the report then says nothing of others
        }
    }

    /** Reads the line {@code cpu user nice system idle iowait irq softirq steal ...}. */
    static MachineUsage parse(String cpuLine, long ticksPerSecond) {
        String[] fields = cpuLine.trim().split(" +", -1);
        double busy = 0;
        for (int field : new int[] {1, 2, 3, 6, 7}) {
            busy += Long.parseLong(fields[field]);
        }
        return new MachineUsage(busy / ticksPerSecond, (double) Long.parseLong(fields[8]) / ticksPerSecond);
    }
}
