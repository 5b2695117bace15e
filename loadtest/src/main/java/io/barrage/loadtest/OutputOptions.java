package io.barrage.loadtest;

import io.barrage.loadtest.load.Fanout;
import io.barrage.loadtest.measure.Environment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Where a result goes besides standard output. Used by one thread. */
final class OutputOptions {
    @Option(
            names = "--json",
            paramLabel = "FILE",
            converter = OutputFile.class,
            description = "Write the result there too; report draws it.")
    private @Nullable Path json;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    /** Writes it if a file was named, with how and where it was measured. */
    void write(Object result) throws IOException {
        if (json == null || command == null) {
            return;
        }
        List<String> arguments = command.commandLine().getParseResult().originalArgs();
        Json.write(
                json,
                result,
                new Measurement(
                        command.name(),
                        List.copyOf(arguments),
                        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                        Environment.here(Fanout.transport())));
    }

    /**
     * How a result came about; in the file under {@code measured}. Immutable.
     *
     * @param command the command's name
     * @param arguments its command line
     * @param finished when, UTC
     * @param environment where
     */
    record Measurement(String command, List<String> arguments, String finished, Environment environment) {}
}
