package io.barrage.loadtest;

import io.barrage.loadtest.load.Likes;
import io.barrage.loadtest.load.LikesPlan;
import io.barrage.loadtest.load.LikesResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code likes}: a flood of changes to one value, and whether its viewers get the exact sum. Used by one thread. */
@Command(
        name = "likes",
        description =
                "Floods one value with likes over NDJSON streams and checks that every viewer gets the exact sum.",
        mixinStandardHelpOptions = true)
final class LikesCommand implements Callable<Integer> {
    @Mixin
    private TargetOptions target = new TargetOptions();

    @Option(names = "--viewers", description = "Who is told (default: ${DEFAULT-VALUE}).", defaultValue = "10000")
    private int viewers;

    @Option(names = "--rate", description = "Likes a second (default: ${DEFAULT-VALUE}).", defaultValue = "100000")
    private double rate;

    @Option(
            names = "--connections",
            description = "Streams to publish over (default: ${DEFAULT-VALUE}).",
            defaultValue = "4")
    private int connections;

    @Option(
            names = "--duration",
            description = "How long the load runs (default: ${DEFAULT-VALUE}).",
            defaultValue = "20s")
    private Duration duration = Duration.ZERO;

    @Option(
            names = "--patience",
            description = "How long after it the last value may take (default: ${DEFAULT-VALUE}).",
            defaultValue = "5s")
    private Duration patience = Duration.ZERO;

    @Option(
            names = "--connect-timeout",
            description = "For all viewers together (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    private Duration connectTimeout = Duration.ZERO;

    @Option(names = "--pid", description = "The server's process, to read its CPU time and memory.")
    private @Nullable Long pid;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there too.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        LikesPlan plan = new LikesPlan(
                target.barrage(),
                viewers,
                rate,
                connections,
                duration,
                patience,
                connectTimeout,
                pid == null ? OptionalLong.empty() : OptionalLong.of(pid));
        LikesResult result = Likes.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        if (json != null) {
            Json.write(json, result);
        }
        return !result.clean() ? Main.EXIT_LOSS : result.valid() ? 0 : Main.EXIT_INVALID;
    }
}
