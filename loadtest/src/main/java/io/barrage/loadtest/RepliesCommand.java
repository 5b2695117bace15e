package io.barrage.loadtest;

import io.barrage.loadtest.load.Replies;
import io.barrage.loadtest.load.RepliesPlan;
import io.barrage.loadtest.load.RepliesResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code replies}: how long answers take while a topic is under load. Used by one thread. */
@Command(
        name = "replies",
        description =
                "Barrage only: loads a topic and asks beside it: how long do pings and subscribes wait for their answers?",
        mixinStandardHelpOptions = true)
final class RepliesCommand implements Callable<Integer> {
    private static final int WINDOW = 32;

    @Mixin
    private ScenarioOptions scenario = new ScenarioOptions();

    @Option(
            names = "--subscribers",
            description = "Of the topic under load (default: ${DEFAULT-VALUE}).",
            defaultValue = "1000")
    private int subscribers;

    @ArgGroup
    private @Nullable PacingOptions pacing;

    @Option(names = "--askers", description = "Connections that ask (default: ${DEFAULT-VALUE}).", defaultValue = "16")
    private int askers;

    @Option(
            names = "--ask-rate",
            paramLabel = "PER_SECOND",
            description =
                    "Pings, and as many subscribes, of all of them together a second (default: ${DEFAULT-VALUE}).",
            defaultValue = "50")
    private double askRate;

    @Mixin
    private SpanOptions span = new SpanOptions("5s", "20s");

    @Mixin
    private PatienceOptions patience = new PatienceOptions("10s");

    @Mixin
    private MessageOptions message = new MessageOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        RepliesPlan plan = new RepliesPlan(
                scenario.target(),
                subscribers,
                PacingOptions.window(pacing, WINDOW),
                PacingOptions.rate(pacing),
                askers,
                askRate,
                span.warmup(),
                span.duration(),
                patience.patience(),
                message.bytes,
                scenario.connectTimeout(),
                scenario.pid());
        RepliesResult result = Replies.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
