package io.barrage.loadtest;

import io.barrage.loadtest.compare.ComparePlan;
import io.barrage.loadtest.compare.Comparison;
import io.barrage.loadtest.compare.ComparisonResult;
import io.barrage.loadtest.compare.Variant;
import io.barrage.loadtest.compare.Workload;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code compare}: interleaved runs of several gateways. Used by one thread. */
@Command(
        name = "compare",
        description = "Starts several gateways in turn, runs the same loads against each, prints medians and ratios.",
        mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {
    @Option(
            names = "--targets",
            split = ",",
            description = "Which gateways; the first is the measure (default: ${DEFAULT-VALUE}).",
            defaultValue = "barrage,barrage-batch,uwebsockets,uwebsockets-envelope,nchan,centrifugo,nats,netty-group",
            converter = KindConverter.class)
    private List<TargetKind> targets = new ArrayList<>();

    @Option(
            names = "--variant",
            paramLabel = "NAME=ARGS",
            description =
                    "Barrage with other arguments as one more gateway, such as 'barrage-serial=-XX:+UseSerialGC': --... is"
                            + " for Barrage, -... and @FILE for the JVM, a path is another Java; repeatable.")
    private List<String> variants = new ArrayList<>();

    @Option(
            names = "--workloads",
            split = ",",
            description = "Which loads: ${COMPLETION-CANDIDATES} (default: all).",
            converter = WorkloadConverter.class,
            completionCandidates = WorkloadConverter.class)
    private List<Workload> workloads = List.of(Workload.values());

    @Option(names = "--rounds", description = "How often (default: ${DEFAULT-VALUE}).", defaultValue = "5")
    private int rounds;

    @Option(
            names = "--starts",
            description = "In how many of the rounds servers are started anew; between them they are kept, idle while"
                    + " others are measured, and warmed up shortly (default: all rounds).")
    private @Nullable Integer starts;

    @Mixin
    private FanoutOptions options = new FanoutOptions("2s", "4s");

    @Option(
            names = "--jvm-warmup",
            description = "Warm-up of servers on a JVM, which compile meanwhile (default: ${DEFAULT-VALUE}).",
            defaultValue = "20s")
    private Duration jvmWarmup = Duration.ZERO;

    @Option(
            names = "--rewarmup",
            description = "Warm-up of servers that were kept from an earlier round (default: ${DEFAULT-VALUE}).",
            defaultValue = "1s")
    private Duration rewarmup = Duration.ZERO;

    @Mixin
    private PeersOptions peers = new PeersOptions();

    @Option(
            names = "--divide-subscribers-by",
            description = "Makes every load smaller, for a quick look (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private int divideSubscribersBy;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        ComparePlan plan = new ComparePlan(
                targets,
                variants.stream().map(Variant::parse).toList(),
                workloads,
                rounds,
                starts == null ? rounds : starts,
                peers.peers(),
                jvmWarmup,
                rewarmup,
                load(),
                divideSubscribersBy);
        SoFar soFar = new SoFar();
        Runtime.getRuntime().addShutdownHook(new Thread(soFar::printIfInterrupted, "print-what-is-complete"));
        ComparisonResult result = Comparison.run(plan, System.err, soFar);
        soFar.end();
        result.print(System.out);
        output.write(result);
        return result.complete() ? 0 : Main.EXIT_INVALID;
    }

    /** What all runs share; each run fills in the rest. */
    private FanoutPlan load() {
        InetSocketAddress none = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        return new FanoutPlan(
                TargetKind.BARRAGE.at(none, none),
                1,
                1,
                1,
                OptionalDouble.empty(),
                1,
                options.message.bytes,
                options.span.warmup(),
                options.span.duration(),
                options.patience,
                options.crowd.connectTimeout,
                options.threads,
                options.publishConnections,
                options.samples(),
                options.maxOutstanding,
                OptionalLong.empty(),
                false);
    }

    /** Writes what is complete behind each run, and prints it if the comparison doesn't get to its end. Thread-safe. */
    private final class SoFar implements Comparison.Watcher {
        private @Nullable ComparisonResult latest;
        private boolean over;

        @Override
        public synchronized void onRun(ComparisonResult soFar) throws IOException, InterruptedException {
            while (over) {
                wait(); // the JVM is going down: no further server may be started
            }
            latest = soFar;
            output.write(soFar);
        }

        synchronized void printIfInterrupted() {
            if (!over && latest != null) {
                latest.print(System.out);
                System.out.flush();
            }
            over = true;
        }

        synchronized void end() {
            over = true;
        }
    }
}
