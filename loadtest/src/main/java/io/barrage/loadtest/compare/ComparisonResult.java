package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.MedianRuns;
import io.barrage.loadtest.measure.Stats;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison found: all runs, and how to sum them up. Immutable.
 *
 * @param environment where it was measured
 * @param measure the gateway that the others are compared with, even if it couldn't take part
 * @param versions the version of each gateway that took part, in the order of the command line
 * @param missing gateways that couldn't take part, and why
 * @param workloads the loads
 * @param planned how many runs there were to be; if there are fewer, it was cut off
 * @param runs every run, in the order in which they were made
 * @param unfit loads that a gateway that is there wasn't put under
 */
public record ComparisonResult(
        Environment environment,
        String measure,
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

    /** Whether all runs were made, and most of every gateway's asked for are usable, under each workload that suits it. */
    public boolean complete() {
        return missing.isEmpty()
                && runs.size() >= planned
                && workloads.stream().allMatch(workload -> versions.keySet().stream()
                        .allMatch(target -> isUnfit(workload, target)
                                || runs(workload, target).counts()));
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
        out.println("**" + workload
                + "**, medians of the usable runs; in brackets: of all runs, since half of them or more must"
                + " not be used");
        out.println();
        out.println(
                "| target | usable | starts | disturbed | " + counted + " per CPU-second | ratio to " + measure + " | "
                        + counted
                        + "/s | messages per read | bytes per delivery | p50 ms | p99 ms | last, p50 ms | last, p99 ms"
                        + " | server cores | server RSS MiB | generator cores | lost |");
        out.println(
                "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        Row reference = row(workload, measure);
        for (String target : versions.keySet()) {
            Row row = row(workload, target);
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

    private MedianRuns<Run> runs(String workload, String target) {
        return MedianRuns.of(
                runs.stream()
                        .filter(run -> run.workload.equals(workload) && run.target.equals(target))
                        .toList(),
                run -> run.result != null,
                Run::usable);
    }

    Row row(String workload, String target) {
        MedianRuns<Run> of = runs(workload, target);
        List<FanoutResult> shown = results(of.shown());
        boolean publishes = countsPublishes(workload);
        return new Row(
                target,
                of.counts(),
                of.usable().size(),
                of.finished().size(),
                of.all().size(),
                (int) of.shown().stream().mapToInt(Run::start).distinct().count(),
                (int) results(of.usable()).stream()
                        .filter(result -> result.generator().disturbed())
                        .count(),
                median(shown, publishes ? FanoutResult::publishesPerCpuSecond : ComparisonResult::perCpuSecond),
                median(shown, publishes ? FanoutResult::publishesPerSecond : FanoutResult::deliveriesPerSecond),
                publishes ? Double.NaN : median(shown, FanoutResult::messagesPerRead),
                publishes ? Double.NaN : median(shown, FanoutResult::bytesPerDelivery),
                Latency.median(shown, FanoutResult::sampled),
                Latency.median(shown, FanoutResult::complete),
                median(shown, ComparisonResult::cores),
                median(shown, ComparisonResult::rssMiB),
                median(shown, result -> result.generator().cores()),
                results(of.finished()).stream()
                        .mapToLong(result -> result.totals().lost())
                        .sum());
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

    private static double perCpuSecond(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().deliveriesPerCpuSecond();
    }

    private static double cores(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().cores();
    }

    private static double rssMiB(FanoutResult result) {
        return result.server() == null ? Double.NaN : result.server().rssBytes() / 1048576.0;
    }

    private static double median(List<FanoutResult> of, ToDoubleFunction<FanoutResult> figure) {
        return Stats.median(of.stream().mapToDouble(figure));
    }

    /** Medians of a latency's percentiles, in microseconds; NaN if nobody measured it. Immutable. */
    record Latency(double p50, double p99) {
        static Latency median(List<FanoutResult> of, Function<FanoutResult, LatencySummary> which) {
            List<LatencySummary> measured = of.stream()
                    .map(which)
                    .filter(latency -> latency.count() > 0)
                    .toList();
            return new Latency(
                    Stats.median(measured.stream().mapToDouble(LatencySummary::p50)),
                    Stats.median(measured.stream().mapToDouble(LatencySummary::p99)));
        }
    }

    /**
     * A line of a table: the medians of one gateway under one load. Immutable.
     *
     * @param counts whether the medians may be used
     * @param usable runs that may be used
     * @param finished runs that gave figures
     * @param all runs that were made
     * @param starts processes that the medians' runs were made on
     * @param sampled latency at the sampled subscribers
     * @param last latency to the last subscriber
     * @param lost deliveries that were missing, over all runs
     */
    record Row(
            String target,
            boolean counts,
            int usable,
            int finished,
            int all,
            int starts,
            int disturbed,
            double perCpuSecond,
            double perSecond,
            double messagesPerRead,
            double bytesPerDelivery,
            Latency sampled,
            Latency last,
            double cores,
            double rssMiB,
            double generatorCores,
            long lost) {

        Row named(String name) {
            return new Row(
                    name,
                    counts,
                    usable,
                    finished,
                    all,
                    starts,
                    disturbed,
                    perCpuSecond,
                    perSecond,
                    messagesPerRead,
                    bytesPerDelivery,
                    sampled,
                    last,
                    cores,
                    rssMiB,
                    generatorCores,
                    lost);
        }

        /** @param measure the line of the gateway that is compared with */
        String markdown(Row measure) {
            if (finished == 0) {
                return "| " + target + " | 0/" + all + " |" + " - |".repeat(15);
            }
            double ratio = perCpuSecond / measure.perCpuSecond;
            List<String> cells = List.of(
                    target,
                    usable + "/" + all,
                    String.valueOf(starts),
                    String.valueOf(disturbed),
                    figure("%,.0f", perCpuSecond),
                    cell(String.format(Locale.ROOT, "%.2f", ratio), ratio, counts && measure.counts),
                    figure("%,.0f", perSecond),
                    figure("%.1f", messagesPerRead),
                    figure("%.1f", bytesPerDelivery),
                    millis(sampled.p50),
                    millis(sampled.p99),
                    millis(last.p50),
                    millis(last.p99),
                    figure("%.2f", cores),
                    figure("%.0f", rssMiB),
                    figure("%.2f", generatorCores),
                    String.format(Locale.ROOT, "%,d", lost));
            return "| " + String.join(" | ", cells) + " |";
        }

        private String millis(double micros) {
            return cell(LatencySummary.millis(micros), micros, counts);
        }

        private String figure(String format, double value) {
            return cell(String.format(Locale.ROOT, format, value), value, counts);
        }

        private static String cell(String figure, double value, boolean counts) {
            return Double.isNaN(value) ? "-" : counts ? figure : "(" + figure + ")";
        }
    }
}
