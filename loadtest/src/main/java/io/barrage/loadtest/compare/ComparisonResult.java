package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison found: all runs, and how to sum them up. Immutable.
 *
 * @param environment where it was measured
 * @param versions each gateway's version, in the order of the command line
 * @param missing gateways that couldn't take part, and why
 * @param workloads the loads
 * @param runs every run, in the order in which they were made
 */
public record ComparisonResult(
        Environment environment,
        Map<String, String> versions,
        Map<String, String> missing,
        List<String> workloads,
        List<Run> runs) {

    /**
     * One run. Immutable.
     *
     * @param result null if it failed
     * @param failure why; empty if it didn't
     */
    public record Run(
            int round,
            String workload,
            String target,
            @Nullable FanoutResult result,
            String failure) {
        boolean usable() {
            return result != null && result.valid() && result.clean();
        }
    }

    /** Whether every gateway asked for gave at least one usable run of each workload. */
    public boolean complete() {
        return missing.isEmpty()
                && workloads.stream().allMatch(workload -> versions.keySet().stream()
                        .allMatch(target -> runs.stream().anyMatch(run -> of(run, workload, target) && run.usable())));
    }

    /** Prints the tables, in Markdown. */
    public void print(PrintStream out) {
        out.println(environment.inWords());
        versions.forEach((target, version) -> out.println(target + ": " + version));
        missing.forEach((target, why) -> out.println(target + ": missing, " + why));
        for (String workload : workloads) {
            out.println();
            out.println("**" + workload + "**, medians of the usable runs");
            out.println();
            out.println(
                    "| target | usable | disturbed | deliveries per CPU-second | ratio | deliveries/s | messages per read "
                            + "| p50 ms | p99 ms | server RSS MiB |");
            out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
            double reference = Double.NaN;
            for (String target : versions.keySet()) {
                Row row = row(workload, target);
                // The first gateway of the command line is the measure, even if it has nothing to show.
                reference = target.equals(versions.keySet().iterator().next()) ? row.perCpuSecond : reference;
                out.println(row.markdown(reference));
            }
        }
    }

    Row row(String workload, String target) {
        List<Run> all = runs.stream().filter(run -> of(run, workload, target)).toList();
        List<FanoutResult> usable = all.stream()
                .filter(Run::usable)
                .map(Run::result)
                .filter(result -> result != null)
                .toList();
        return new Row(
                target,
                usable.size(),
                all.size(),
                (int) usable.stream()
                        .filter(result -> result.generator().disturbed())
                        .count(),
                median(usable, ComparisonResult::perCpuSecond),
                median(usable, FanoutResult::deliveriesPerSecond),
                median(usable, FanoutResult::messagesPerRead),
                median(usable, result -> result.complete().p50()),
                median(usable, result -> result.complete().p99()),
                median(usable, ComparisonResult::rssMiB));
    }

    private static boolean of(Run run, String workload, String target) {
        return run.workload.equals(workload) && run.target.equals(target);
    }

    private static double perCpuSecond(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().deliveriesPerCpuSecond();
    }

    private static double rssMiB(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().rssBytes() / 1048576.0;
    }

    /** The middle value, or the mean of the two in the middle; NaN of nothing. */
    static <T> double median(List<T> of, ToDoubleFunction<T> value) {
        double[] sorted = of.stream().mapToDouble(value).sorted().toArray();
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** A line of a table: the medians of one gateway under one load. */
    record Row(
            String target,
            int usable,
            int all,
            int disturbed,
            double perCpuSecond,
            double perSecond,
            double messagesPerRead,
            double p50,
            double p99,
            double rssMiB) {

        String markdown(double reference) {
            return usable == 0
                    ? "| " + target + " | 0/" + all + " | - | - | - | - | - | - | - | - |"
                    : String.format(
                            Locale.ROOT,
                            "| %s | %d/%d | %d | %,.0f | %s | %,.0f | %.1f | %s | %s | %.0f |",
                            target,
                            usable,
                            all,
                            disturbed,
                            perCpuSecond,
                            Double.isNaN(reference)
                                    ? "-"
                                    : String.format(Locale.ROOT, "%.2f", perCpuSecond / reference),
                            perSecond,
                            messagesPerRead,
                            LatencySummary.millis(p50),
                            LatencySummary.millis(p99),
                            rssMiB);
        }
    }
}
