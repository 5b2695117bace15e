package io.barrage.loadtest.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a process has used until now, from {@code /proc}. Immutable.
 *
 * @param cpuSeconds user and system time of all its threads; the kernel counts in ticks of 10 ms
 * @param rssBytes its resident memory now, shared pages included
 * @param peakRssBytes the most that its resident memory ever was
 */
public record ProcessUsage(double cpuSeconds, long rssBytes, long peakRssBytes) {
    // The index of a field of /proc/PID/stat behind the name, which may itself hold spaces and brackets.
    private static final int UTIME = 11;
    private static final int STIME = 12;

    /**
     * Reads one process, or with {@code tree} the sum of it and its living descendants: for servers that fork workers.
     *
     * @throws IOException if there is no such process, or no /proc
     */
    public static ProcessUsage of(long pid, boolean tree) throws IOException {
        ProcessUsage sum = read(Path.of("/proc", Long.toString(pid)));
        if (tree) {
            List<ProcessHandle> descendants;
            try (Stream<ProcessHandle> found = ProcessHandle.of(pid).stream().flatMap(ProcessHandle::descendants)) {
                descendants = found.toList();
            }
            for (ProcessHandle descendant : descendants) {
                sum = sum.plus(read(Path.of("/proc", Long.toString(descendant.pid()))));
            }
        }
        return sum;
    }

    /** How many living processes it has started itself; 0 if there is no such process. */
    public static long children(long pid) {
        try (Stream<ProcessHandle> found = ProcessHandle.of(pid).stream().flatMap(ProcessHandle::children)) {
            return found.count();
        }
    }

    private static ProcessUsage read(Path process) throws IOException {
        double cpuSeconds = parseCpuSeconds(Files.readString(process.resolve("stat")), ClockTicks.PER_SECOND);
        List<String> status = Files.readAllLines(process.resolve("status"));
        return new ProcessUsage(cpuSeconds, kibibytes(status, "VmRSS:"), kibibytes(status, "VmHWM:"));
    }

    static double parseCpuSeconds(String stat, long ticksPerSecond) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (double) (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME])) / ticksPerSecond;
    }

    /** The value of a line such as {@code VmRSS:     1234 kB}, in bytes; 0 for a zombie, which has no such line. */
    static long kibibytes(List<String> status, String key) {
        return status.stream()
                .filter(line -> line.startsWith(key))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                .findFirst()
                .orElse(0);
    }

    private ProcessUsage plus(ProcessUsage other) {
        return new ProcessUsage(
                cpuSeconds + other.cpuSeconds, rssBytes + other.rssBytes, peakRssBytes + other.peakRssBytes);
    }
}
