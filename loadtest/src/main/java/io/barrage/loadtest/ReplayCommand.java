package io.barrage.loadtest;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.danmaku.DanmakuXml;
import io.barrage.loadtest.load.Replay;
import io.barrage.loadtest.load.ReplayPlan;
import io.barrage.loadtest.load.ReplayResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.io.BufferedInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code replay}: publishes a danmaku recording at its own times and checks every delivery. Used by one thread. */
@Command(
        name = "replay",
        description = "Publishes the comments of a danmaku file at their own times and checks every delivery.",
        mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {
    private static final String SAMPLE = "sample-danmaku.xml";

    @Parameters(arity = "0..1", paramLabel = "FILE", description = "Danmaku XML (default: a small sample inside).")
    private @Nullable Path file;

    @Mixin
    private TargetOptions target = new TargetOptions();

    @Mixin
    private TopicOptions topic = new TopicOptions("demo:stage");

    @Option(
            names = "--speed",
            description = "Times as fast as the recording (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private double speed;

    @Option(
            names = "--subscribers",
            description = "Connections that watch and check (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private int subscribers;

    @Option(
            names = "--in-flight",
            description = "Publishes that may wait for their answer (default: ${DEFAULT-VALUE}).",
            defaultValue = "64")
    private int inFlight;

    @Option(
            names = "--patience",
            description = "How long nothing may happen before what is missing is lost (default: ${DEFAULT-VALUE}).",
            defaultValue = "10s")
    private Duration patience = Duration.ZERO;

    @Mixin
    private CrowdOptions crowd = new CrowdOptions();

    @Mixin
    private ServerTreeOptions server = new ServerTreeOptions();

    @Option(names = "--accept-gaps", description = "Loss that the gateway admitted with a gap is no failure.")
    private boolean acceptGaps;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        ReplayPlan plan = new ReplayPlan(
                target.target(),
                topic.topic(),
                comments(file),
                speed,
                subscribers,
                inFlight,
                patience,
                crowd.connectTimeout,
                server.pid(),
                server.tree());
        ReplayResult result = Replay.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(acceptGaps), result.valid());
    }

    /** The comments of a file, or of the sample inside without one. */
    static List<DanmakuComment> comments(@Nullable Path file) throws IOException {
        String source = file == null ? SAMPLE : file.toString();
        try (InputStream in = file == null ? sample() : new BufferedInputStream(Files.newInputStream(file))) {
            return DanmakuXml.read(in, source);
        }
    }

    private static InputStream sample() throws IOException {
        @Nullable InputStream in = ReplayCommand.class.getResourceAsStream("/" + SAMPLE);
        if (in == null) {
            throw new FileNotFoundException(SAMPLE + " is missing from the jar");
        }
        return in;
    }
}
