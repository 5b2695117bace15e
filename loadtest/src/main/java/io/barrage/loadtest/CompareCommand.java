package io.barrage.loadtest;

import io.barrage.loadtest.compare.ComparePlan;
import io.barrage.loadtest.compare.Comparison;
import io.barrage.loadtest.compare.ComparisonResult;
import io.barrage.loadtest.compare.Workload;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
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
            defaultValue = "barrage,netty-group,nchan",
            converter = KindConverter.class)
    private List<TargetKind> targets = new ArrayList<>();

    @Option(
            names = "--workloads",
            split = ",",
            description = "Which loads: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
            defaultValue = "lone,w32")
    private List<Workload> workloads = new ArrayList<>();

    @Option(names = "--rounds", description = "How often (default: ${DEFAULT-VALUE}).", defaultValue = "5")
    private int rounds;

    @Mixin
    private FanoutOptions options = new FanoutOptions();

    @Option(
            names = "--gateway",
            paramLabel = "JAR",
            description = "Barrage's jar (default: ${DEFAULT-VALUE}).",
            defaultValue = "gateway/target/barrage.jar")
    private Path gateway = Path.of("");

    @Option(names = "--java", description = "The Java that runs servers (default: the one that runs this).")
    private Path java = Path.of(System.getProperty("java.home"), "bin", "java");

    @Option(names = "--jvm-arg", description = "An option for the servers' Java; repeatable.")
    private List<String> jvmArgs = new ArrayList<>();

    @Option(
            names = "--divide-subscribers-by",
            description = "Makes every load smaller, for a quick look (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private int divideSubscribersBy;

    @Option(names = "--json", paramLabel = "FILE", description = "Write all runs there too.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        List<String> jvm = new ArrayList<>();
        jvm.add(java.toString());
        jvm.addAll(jvmArgs);
        ComparisonResult result = Comparison.run(
                new ComparePlan(targets, workloads, rounds, gateway, jvm, load(), divideSubscribersBy), System.err);
        result.print(System.out);
        if (json != null) {
            Json.write(json, result);
        }
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
                options.bytes,
                options.warmup,
                options.duration,
                options.patience,
                options.connectTimeout,
                options.threads,
                options.publishConnections,
                options.samples(),
                options.maxOutstanding,
                OptionalLong.empty(),
                false);
    }
}
