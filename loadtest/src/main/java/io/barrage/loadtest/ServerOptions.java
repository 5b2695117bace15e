package io.barrage.loadtest;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The server's process, for runs that read what it uses. Used by one thread. */
final class ServerOptions {
    @Option(names = "--pid", description = "The server's process, to read its CPU time and memory.")
    private @Nullable Long pid;

    OptionalLong pid() {
        return pid == null ? OptionalLong.empty() : OptionalLong.of(pid);
    }
}
