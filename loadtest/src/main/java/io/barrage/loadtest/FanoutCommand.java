package io.barrage.loadtest;

import io.barrage.loadtest.load.Fanout;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.ProgressLine;
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
    private FanoutOptions options = new FanoutOptions("5s", "10s");

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
    private @Nullable PacingOptions pacing;

    @Mixin
    private ServerTreeOptions server = new ServerTreeOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        FanoutPlan plan = new FanoutPlan(
                target.target(),
                topics,
                subscribers,
                PacingOptions.window(pacing, burst),
                PacingOptions.rate(pacing),
                burst,
                options.message.bytes,
                options.span.warmup(),
                options.span.duration(),
                options.patience,
                options.crowd.connectTimeout,
                options.threads,
                options.publishConnections,
                options.samples(),
                options.maxOutstanding,
                server.pid(),
                server.tree());
        FanoutResult result = Fanout.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
