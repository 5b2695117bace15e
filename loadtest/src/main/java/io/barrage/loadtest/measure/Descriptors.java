package io.barrage.loadtest.measure;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How many more connections a process may open, by its limit of open files. Immutable.
 *
 * @param limit how many files it may have open ({@code ulimit -n})
 * @param open how many it has open now
 */
public record Descriptors(long limit, long open) {
    /** What a run needs besides its connections: epoll, its publishing connections, jars. */
    private static final long RESERVE = 100;

    private static final Pattern SOFT_LIMIT = Pattern.compile("Max open files +(\\d+|unlimited) .*");

    /** Those of this process. */
    public static Descriptors here() {
        OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
        return system instanceof UnixOperatingSystemMXBean unix
                ? new Descriptors(unix.getMaxFileDescriptorCount(), unix.getOpenFileDescriptorCount())
                : new Descriptors(Long.MAX_VALUE, 0);
    }

    /**
     * Those of another process.
     *
     * @throws IOException if there is no such process, or no /proc, or it is somebody else's
     */
    public static Descriptors of(long pid) throws IOException {
        Path process = Path.of("/proc", Long.toString(pid));
        try (Stream<Path> files = Files.list(process.resolve("fd"))) {
            return new Descriptors(softLimit(Files.readAllLines(process.resolve("limits"))), files.count());
        }
    }

    /** How many files a process has open, or with {@code tree} it and its living descendants; -1 if that can't be seen. */
    public static long open(long pid, boolean tree) {
        try {
            long open = of(pid).open;
            if (tree) {
                List<ProcessHandle> descendants;
                try (Stream<ProcessHandle> found =
                        ProcessHandle.of(pid).stream().flatMap(ProcessHandle::descendants)) {
                    descendants = found.toList();
                }
                for (ProcessHandle descendant : descendants) {
                    open += of(descendant.pid()).open;
                }
            }
            return open;
        } catch (IOException ignored) {
            return -1; // no /proc, or somebody else's process
        }
    }

    static long softLimit(List<String> limits) {
        return limits.stream()
                .map(SOFT_LIMIT::matcher)
                .filter(Matcher::matches)
                .filter(matcher -> !matcher.group(1).equals("unlimited"))
                .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    /** How many connections it can open beside what it needs otherwise. */
    public long possible() {
        return Math.max(0, limit - open - RESERVE);
    }

    /**
     * Checks that so many connections are possible for this process, and for the server's if its pid is known.
     *
     * @throws IllegalArgumentException if not; it says how many are
     */
    public static void require(long connections, OptionalLong server) {
        here().require(connections, "this generator", "use at most that, or a second generator beside it");
        if (server.isPresent()) {
            Descriptors theirs;
            try {
                theirs = of(server.getAsLong());
            } catch (IOException ignored) {
                return; // somebody else's process: the server itself will say what it can't
            }
            theirs.require(
                    connections, "the server (pid " + server.getAsLong() + ")", "start it with a higher ulimit -n");
        }
    }

    void require(long connections, String who, String what) {
        if (connections > possible()) {
            throw new IllegalArgumentException("connections: " + connections + " are more than " + who
                    + " can hold: its limit of " + limit + " open files leaves room for " + possible() + "; " + what);
        }
    }
}
