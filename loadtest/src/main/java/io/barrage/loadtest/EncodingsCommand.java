package io.barrage.loadtest;

import io.barrage.loadtest.load.Encodings;
import io.barrage.loadtest.load.EncodingsPlan;
import io.barrage.loadtest.load.EncodingsResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code encodings}: what batches and compression save, and what they cost. Used by one thread. */
@Command(
        name = "encodings",
        description =
                "Barrage only: publishes real comments to viewers that want them plain, in batches, compressed, or both, in turns;"
                        + " says how many bytes and how much of the server's CPU each takes.",
        mixinStandardHelpOptions = true)
final class EncodingsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "FILE", description = "Danmaku XML (default: a small sample inside).")
    private @Nullable Path file;

    @Mixin
    private TargetOptions target = new TargetOptions();

    @Mixin
    private TopicOptions topic = new TopicOptions("room:1");

    @Option(names = "--viewers", description = "In each phase (default: ${DEFAULT-VALUE}).", defaultValue = "1000")
    private int viewers;

    @Option(
            names = "--rate",
            paramLabel = "PER_SECOND",
            description = "Comments a second (default: ${DEFAULT-VALUE}).",
            defaultValue = "200")
    private int rate;

    @Option(names = "--duration", description = "Of each phase (default: ${DEFAULT-VALUE}).", defaultValue = "5s")
    private Duration duration = Duration.ZERO;

    @Option(names = "--rounds", description = "Phases of each kind (default: ${DEFAULT-VALUE}).", defaultValue = "5")
    private int rounds;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        EncodingsPlan plan = new EncodingsPlan(
                target.barrage(),
                topic.topic(),
                ReplayCommand.comments(file),
                viewers,
                rate,
                duration,
                rounds,
                server.pid());
        EncodingsResult result = Encodings.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
