package io.barrage.loadtest;

import io.barrage.loadtest.load.Likes;
import io.barrage.loadtest.load.LikesPlan;
import io.barrage.loadtest.load.LikesResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code likes}: a flood of changes to one value, and whether its viewers get the exact sum. Used by one thread. */
@Command(
        name = "likes",
        description =
                "Barrage only: floods one value with likes over NDJSON streams and checks that every viewer gets the exact sum.",
        mixinStandardHelpOptions = true)
final class LikesCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions scenario = new ScenarioOptions();

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

    @Mixin
    private PatienceOptions patience = new PatienceOptions("5s");

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        LikesPlan plan = new LikesPlan(
                scenario.target(),
                viewers,
                rate,
                connections,
                duration,
                patience.patience(),
                scenario.connectTimeout(),
                scenario.pid());
        LikesResult result = Likes.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
