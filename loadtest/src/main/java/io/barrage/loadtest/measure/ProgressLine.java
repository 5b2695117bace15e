package io.barrage.loadtest.measure;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a person sees while a run goes on: one line that is refreshed on a terminal, a line per second elsewhere. Used by one
 * thread.
 */
public final class ProgressLine {
    private static final long REFRESH_NANOS = Duration.ofMillis(100).toNanos();
    private static final long LINE_NANOS = Duration.ofSeconds(1).toNanos();
    private static final String ERASE_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final long everyNanos;
    private long nextNanos;
    private boolean open;

    /** Writes to standard error, so that the summary alone goes to standard output. */
    public static ProgressLine toStandardError() {
        return new ProgressLine(System.err, standardErrorIsTerminal());
    }

    /** Asked of Linux, since the JDK only tells about standard input and output; elsewhere lines are printed. */
    private static boolean standardErrorIsTerminal() {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
        } catch (IOException ignored) {
            return false;
        }
    }

    ProgressLine(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
        this.everyNanos = terminal ? REFRESH_NANOS : LINE_NANOS;
    }

    /** How long to wait before the next {@link #show}. */
    public Duration pause() {
        return Duration.ofNanos(REFRESH_NANOS);
    }

    /** Shows a line if it is time for one. */
    public void show(long nowNanos, String line) {
        if (nextNanos != 0 && nowNanos < nextNanos) {
            return;
        }
        nextNanos = nowNanos + everyNanos;
        if (terminal) {
            out.print(ERASE_LINE + line);
            out.flush();
            open = true;
        } else {
            out.println(line);
        }
    }

    /** Leaves the line as it stands; what follows starts a new one. */
    public void end() {
        if (open) {
            out.println();
            open = false;
        }
    }
}
