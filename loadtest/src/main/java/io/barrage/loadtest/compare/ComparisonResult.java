package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison found: all runs, and how to sum them up. Immutable.
 *
 * @param environment where it was measured
 * @param versions each gateway's version, in the order of the command line
 * @param missing gateways that couldn't take part, and why
 * @param workloads the loads
 * @param planned how many runs there were to be; if there are fewer, it was cut off
 * @param runs every run, in the order in which they were made
 * @param unfit loads that a gateway that is there wasn't put under
 */
public record ComparisonResult(
        Environment environment,
        Map<String, String> versions,
        Map<String, String> missing,
        List<String> workloads,
        int planned,
        List<Run> runs,
        List<Unfit> unfit) {

    /**
     * A load that doesn't suit a gateway. Immutable.
     *
     * @param why in words
     */
    public record Unfit(String workload, String target, String why) {}

    /**
     * One run. Immutable.
     *
     * @param round counted from 1
     * @param start which process of this gateway under this load it was run on, counted from 1
     * @param result null if it failed
     * @param failure why; empty if it didn't
     */
    public record Run(
            int round,
            int start,
            String workload,
            String target,
            @Nullable FanoutResult result,
            String failure) {
        boolean usable() {
            return result != null && result.valid() && result.clean();
        }

        String whyUnusable() {
            if (result == null) {
                return failure;
            }
            List<String> reasons = new ArrayList<>(result.invalid());
            if (!result.clean()) {
                FanoutResult.Totals totals = result.totals();
                reasons.add(String.format(
                        Locale.ROOT,
                        "%,d lost, %,d too many, %,d repeated, %,d out of order, %,d refused",
                        totals.lost(),
                        totals.excess(),
                        totals.repeated(),
                        totals.disordered(),
                        totals.refused()));
                reasons.addAll(result.notes());
            }
            return String.join("; ", reasons);
        }
    }

    /** Whether all runs were made, and every gateway asked for gave at least one usable run of each workload that suits it. */
    public boolean complete() {
        return missing.isEmpty()
                && runs.size() >= planned
                && workloads.stream().allMatch(workload -> versions.keySet().stream()
                        .allMatch(target -> isUnfit(workload, target)
                                || runs.stream().anyMatch(run -> of(run, workload, target) && run.usable())));
    }

    private boolean isUnfit(String workload, String target) {
        return unfit.stream().anyMatch(one -> one.workload.equals(workload) && one.target.equals(target));
    }

    /** Prints the tables, in Markdown. */
    public void print(PrintStream out) {
        out.println(environment.inWords());
        versions.forEach((target, version) -> out.println(target + ": " + version));
        missing.forEach((target, why) -> out.println(target + ": missing, " + why));
        if (runs.size() < planned) {
            out.println("CUT OFF after " + runs.size() + " of " + planned + " runs");
        }
        workloads.stream().filter(this::begun).forEach(workload -> print(workload, out));
    }

    /** Whether there is something to say about a load; one that was cut off hasn't got to its last ones. */
    private boolean begun(String workload) {
        return runs.size() >= planned || runs.stream().anyMatch(run -> run.workload.equals(workload));
    }

    private void print(String workload, PrintStream out) {
        String counted = countsPublishes(workload) ? "publishes" : "deliveries";
        out.println();
        out.println("**" + workload + "**, medians of the usable runs; in brackets: of runs that must not be used");
        out.println();
        out.println(
                "| target | usable | starts | disturbed | " + counted + " per CPU-second | ratio | " + counted
                        + "/s | messages per read | bytes per delivery | p50 ms | p99 ms | server cores | server RSS MiB | generator cores | lost |");
        out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        double reference = Double.NaN;
        for (String target : versions.keySet()) {
            Row row = row(workload, target);
            // The first gateway of the command line is the measure, even if it has nothing to show.
            reference = target.equals(versions.keySet().iterator().next()) ? row.perCpuSecond : reference;
            if (row.all > 0) {
                out.println(row.markdown(reference));
            }
        }
        Workload beside = Workload.of(workload).beside();
        if (beside != null && workloads.contains(beside.label())) {
            for (String target : versions.keySet()) {
                Row row = row(beside.label(), target).named(target + ", " + beside);
                if (row.all > 0) {
                    out.println(row.markdown(reference));
                }
            }
        }
        List<String> remarks = remarks(workload);
        if (!remarks.isEmpty()) {
            out.println();
            remarks.forEach(remark -> out.println("- " + remark));
        }
    }

    /** Why a gateway has no row, or a run doesn't count. */
    private List<String> remarks(String workload) {
        List<String> remarks = new ArrayList<>();
        for (Unfit one : unfit) {
            if (one.workload.equals(workload)) {
                remarks.add(one.target + " isn't there: " + one.why);
            }
        }
        for (Run run : runs) {
            if (run.workload.equals(workload) && !run.usable()) {
                remarks.add(run.target + ", round " + run.round + ": " + run.whyUnusable());
            }
        }
        return remarks;
    }

    /** Whether nobody subscribes under this load, so that publishes are what counts. */
    private boolean countsPublishes(String workload) {
        return Workload.of(workload).subscribers() == 0;
    }

    Row row(String workload, String target) {
        List<Run> all = runs.stream().filter(run -> of(run, workload, target)).toList();
        List<Run> finishedRuns = all.stream().filter(run -> run.result != null).toList();
        List<Run> usableRuns = all.stream().filter(Run::usable).toList();
        // Figures that must not be used still tell why; their brackets say what they are.
        List<Run> shownRuns = usableRuns.isEmpty() ? finishedRuns : usableRuns;
        List<FanoutResult> usable = results(usableRuns);
        List<FanoutResult> finished = results(finishedRuns);
        List<FanoutResult> shown = results(shownRuns);
        boolean publishes = countsPublishes(workload);
        return new Row(
                target,
                usable.size(),
                finished.size(),
                all.size(),
                (int) shownRuns.stream().mapToInt(Run::start).distinct().count(),
                (int) usable.stream()
                        .filter(result -> result.generator().disturbed())
                        .count(),
                median(shown, publishes ? FanoutResult::publishesPerCpuSecond : ComparisonResult::perCpuSecond),
                median(shown, publishes ? FanoutResult::publishesPerSecond : FanoutResult::deliveriesPerSecond),
                median(shown, FanoutResult::messagesPerRead),
                median(shown, FanoutResult::bytesPerDelivery),
                median(shown, result -> result.complete().p50()),
                median(shown, result -> result.complete().p99()),
                median(shown, ComparisonResult::cores),
                median(shown, ComparisonResult::rssMiB),
                median(shown, result -> result.generator().cores()),
                finished.stream().mapToLong(result -> result.totals().lost()).sum());
    }

    private static List<FanoutResult> results(List<Run> runs) {
        List<FanoutResult> results = new ArrayList<>();
        runs.forEach(run -> {
            if (run.result != null) {
                results.add(run.result);
            }
        });
        return results;
    }

    private static boolean of(Run run, String workload, String target) {
        return run.workload.equals(workload) && run.target.equals(target);
    }

    private static double perCpuSecond(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().deliveriesPerCpuSecond();
    }

    private static double cores(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().cores();
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

    /**
     * A line of a table: the medians of one gateway under one load. Immutable.
     *
     * @param finished runs that gave figures
     * @param starts processes that the medians' runs were made on
     * @param lost deliveries that were missing, over all runs
     */
    record Row(
            String target,
            int usable,
            int finished,
            int all,
            int starts,
            int disturbed,
            double perCpuSecond,
            double perSecond,
            double messagesPerRead,
            double bytesPerDelivery,
            double p50,
            double p99,
            double cores,
            double rssMiB,
            double generatorCores,
            long lost) {

        Row named(String name) {
            return new Row(
                    name,
                    usable,
                    finished,
                    all,
                    starts,
                    disturbed,
                    perCpuSecond,
                    perSecond,
                    messagesPerRead,
                    bytesPerDelivery,
                    p50,
                    p99,
                    cores,
                    rssMiB,
                    generatorCores,
                    lost);
        }

        String markdown(double reference) {
            if (finished == 0) {
                return "| " + target + " | 0/" + all + " | - | - | - | - | - | - | - | - | - | - | - | - | - |";
            }
            String ratio = Double.isNaN(reference) ? "-" : String.format(Locale.ROOT, "%.2f", perCpuSecond / reference);
            List<String> figures = List.of(
                    String.format(Locale.ROOT, "%,.0f", perCpuSecond),
                    ratio,
                    String.format(Locale.ROOT, "%,.0f", perSecond),
                    messagesPerRead == 0 ? "-" : String.format(Locale.ROOT, "%.1f", messagesPerRead),
                    bytesPerDelivery == 0 ? "-" : String.format(Locale.ROOT, "%.1f", bytesPerDelivery),
                    LatencySummary.millis(p50),
                    LatencySummary.millis(p99),
                    String.format(Locale.ROOT, "%.2f", cores),
                    String.format(Locale.ROOT, "%.0f", rssMiB),
                    String.format(Locale.ROOT, "%.2f", generatorCores));
            return "| " + target + " | " + usable + "/" + all + " | " + starts + " | " + disturbed + " | "
                    + figures.stream()
                            .map(figure -> usable > 0 || figure.equals("-") ? figure : "(" + figure + ")")
                            .collect(Collectors.joining(" | "))
                    + String.format(Locale.ROOT, " | %,d |", lost);
        }
    }
}
