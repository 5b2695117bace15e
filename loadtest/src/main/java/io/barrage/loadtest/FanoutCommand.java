package io.barrage.loadtest;

import io.barrage.loadtest.load.Fanout;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code fanout}: topics x subscribers under one load, measured. Used by one thread. */
@Command(
        name = "fanout",
        description = "Measures fan-out: topics x subscribers, closed loop over deliveries or open loop at a rate.",
        mixinStandardHelpOptions = true)
final class FanoutCommand implements Callable<Integer> {
    @Mixin
    private TargetOptions target = new TargetOptions();

    @Mixin
    private FanoutOptions options = new FanoutOptions();

    @Option(
            names = {"--topics", "--rooms"},
            description = "How many topics (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private int topics;

    @Option(
            names = "--subscribers",
            description = "Subscribers of each topic (default: ${DEFAULT-VALUE}).",
            defaultValue = "1000")
    private int subscribers;

    @Option(
            names = "--burst",
            description = "Messages to one topic at once (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private int burst;

    @ArgGroup
    private @Nullable Pacing pacing;

    @Option(names = "--pid", description = "The server's process, to read its CPU time and memory.")
    private @Nullable Long pid;

    @Option(names = "--pid-children", description = "Count the processes that the server started, too.")
    private boolean pidChildren;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there too.")
    private @Nullable Path json;

    /** A closed loop or an open one. */
    static final class Pacing {
        @Option(
                names = "--window",
                paramLabel = "W",
                description =
                        "Closed loop: messages published but not yet delivered to everybody (default: the burst).")
        private @Nullable Integer window;

        @Option(
                names = "--rate",
                paramLabel = "PER_SECOND",
                description = "Open loop: messages a second, over all topics.")
        private @Nullable Double rate;
    }

    @Override
    public Integer call() throws Exception {
        Integer window = pacing == null ? null : pacing.window;
        Double rate = pacing == null ? null : pacing.rate;
        FanoutPlan plan = new FanoutPlan(
                target.target(),
                topics,
                subscribers,
                window == null ? burst : window,
                rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate),
                burst,
                options.bytes,
                options.warmup,
                options.duration,
                options.patience,
                options.connectTimeout,
                options.threads,
                options.publishConnections,
                options.samples(),
                options.maxOutstanding,
                pid == null ? OptionalLong.empty() : OptionalLong.of(pid),
                pidChildren);
        FanoutResult result = Fanout.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        if (json != null) {
            Json.write(json, result);
        }
        return !result.clean() ? Main.EXIT_LOSS : result.valid() ? 0 : Main.EXIT_INVALID;
    }
}
