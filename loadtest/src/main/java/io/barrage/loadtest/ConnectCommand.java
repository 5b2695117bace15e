package io.barrage.loadtest;

import io.barrage.loadtest.load.Connect;
import io.barrage.loadtest.load.ConnectPlan;
import io.barrage.loadtest.load.ConnectResult;
import io.barrage.loadtest.load.Doorstep;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code connect}: handshakes a second, and what an idle connection costs. Used by one thread. */
@Command(
        name = "connect",
        description = "Opens connections, holds them idle; measures handshakes and the server's memory for each.",
        mixinStandardHelpOptions = true)
final class ConnectCommand implements Callable<Integer> {
    @Mixin
    private TargetOptions target = new TargetOptions();

    @ArgGroup
    private @Nullable Where where;

    @Option(
            names = "--connections",
            description = "How many to open and hold (default: ${DEFAULT-VALUE}).",
            defaultValue = "1000")
    private int connections;

    @ArgGroup
    private @Nullable Pacing pacing;

    @Option(
            names = "--topics",
            paramLabel = "N",
            description =
                    "Spread the connections over so many topics; 1 is a room with all of them (default: each has a"
                            + " topic of its own, so that what a topic costs is in the figure, with every gateway).")
    private @Nullable Integer topics;

    @Option(
            names = "--warmup-handshakes",
            paramLabel = "N",
            description =
                    "Connections opened and closed before anything counts, so that the server's code is warm and its"
                            + " memory that of a server that has worked: a JVM has touched its young generation then"
                            + " (default: ${DEFAULT-VALUE}).",
            defaultValue = "5000")
    private int warmupHandshakes;

    @Option(
            names = "--warmup-connections",
            paramLabel = "N",
            description = "How many of those stand at a time, at most (default: ${DEFAULT-VALUE}).",
            defaultValue = "200")
    private int warmupConnections;

    @Option(
            names = "--hold",
            description = "How long all are held idle (default: ${DEFAULT-VALUE}).",
            defaultValue = "10s")
    private Duration hold = Duration.ZERO;

    @Mixin
    private CrowdOptions crowd = new CrowdOptions();

    @Mixin
    private ServerTreeOptions server = new ServerTreeOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Spec
    private @Nullable CommandSpec spec;

    /** What connections say in their handshake. */
    static final class Where {
        @Option(names = "--without-topic", description = "Barrage only: connections that subscribe to nothing.")
        private boolean withoutTopic;

        @Option(
                names = "--url",
                paramLabel = "URL",
                description = "Any WebSocket server instead, such as ws://127.0.0.1:9000/chat?room={n}; {n} becomes a"
                        + " name of the connection's own.")
        private @Nullable String url;
    }

    /** A closed loop or an open one. */
    static final class Pacing {
        @Option(
                names = "--in-progress",
                paramLabel = "C",
                description = "Closed loop: handshakes that wait for their answers at once (default: 64).")
        private @Nullable Integer inProgress;

        @Option(names = "--rate", paramLabel = "PER_SECOND", description = "Open loop: handshakes begun a second.")
        private @Nullable Double rate;
    }

    private static final int IN_PROGRESS = 64;

    @Override
    public Integer call() throws Exception {
        Integer inProgress = pacing == null ? null : pacing.inProgress;
        Double rate = pacing == null ? null : pacing.rate;
        ConnectPlan plan = new ConnectPlan(
                whom(),
                connections,
                rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate),
                inProgress == null ? IN_PROGRESS : inProgress,
                topics == null ? 0 : topics,
                warmupHandshakes,
                warmupConnections,
                hold,
                crowd.connectTimeout,
                server.pid(),
                server.tree());
        ConnectResult result = Connect.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }

    /** @throws IllegalArgumentException if an option was said that the URL leaves without a meaning */
    private void refuseBesideUrl(String url) {
        ParseResult said =
                Objects.requireNonNull(spec, "picocli injects it").commandLine().getParseResult();
        for (String option : List.of("--target", "--clients", "--backend")) {
            if (said.hasMatchedOption(option)) {
                throw new IllegalArgumentException(option + " and --url exclude each other");
            }
        }
        if (topics != null && !url.contains("{n}")) {
            throw new IllegalArgumentException("--topics needs a --url with {n} in it");
        }
    }

    private Target whom() {
        if (topics != null && topics < 1) {
            throw new IllegalArgumentException("--topics " + topics + " is less than 1");
        }
        if (topics != null && where != null && where.withoutTopic) {
            throw new IllegalArgumentException("--topics and --without-topic exclude each other");
        }
        if (where != null && where.url != null) {
            refuseBesideUrl(where.url);
            Doorstep doorstep = Doorstep.of(where.url);
            target.check("--url", doorstep.clients());
            return doorstep;
        }
        return where != null && where.withoutTopic ? Doorstep.of(target.barrage()) : target.target();
    }
}
