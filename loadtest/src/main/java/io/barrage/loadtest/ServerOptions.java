package io.barrage.loadtest;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The server's process, for runs that read what it uses. Used by one thread. */
final class ServerOptions {
    @Option(names = "--pid", description = "The server's process, to read its CPU time and memory.")
    private @Nullable Long pid;

    /** @throws IllegalArgumentException if there is no such process: a run would find out behind its warm-up only */
    OptionalLong pid() {
        if (pid == null) {
            return OptionalLong.empty();
        }
        if (ProcessHandle.of(pid).isEmpty()) {
            throw new IllegalArgumentException("--pid " + pid + ": there is no such process");
        }
        return OptionalLong.of(pid);
    }
}
