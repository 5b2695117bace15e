package io.barrage.loadtest.report;

import io.barrage.loadtest.measure.MedianRuns;
import io.barrage.loadtest.measure.Stats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.JsonNode;

/** The runs of a comparison, by load and gateway. Immutable. */
final class ComparedRuns {
    private final JsonNode comparison;

    ComparedRuns(JsonNode comparison) {
        this.comparison = comparison;
    }

    List<String> workloads() {
        return Result.strings(comparison.path("workloads"));
    }

    /** The gateway that the others are compared with; older files don't say it, there it is the first that took part. */
    String measure() {
        return comparison
                .path("measure")
                .asString(targets().stream().findFirst().orElse(""));
    }

    /** Those that took part, in the order of the command line. */
    List<String> targets() {
        return comparison.path("versions").properties().stream()
                .map(Map.Entry::getKey)
                .toList();
    }

    List<Run> of(String workload) {
        List<Run> runs = new ArrayList<>();
        for (JsonNode run : comparison.path("runs")) {
            if (run.path("workload").asString("").equals(workload)) {
                runs.add(new Run(run));
            }
        }
        return runs;
    }

    MedianRuns<Run> of(String workload, String target) {
        return MedianRuns.of(
                of(workload).stream().filter(run -> run.target().equals(target)).toList(), Run::finished, Run::usable);
    }

    /** The median of what a gateway gives for a CPU-second; NaN if nobody knows. */
    double perCpuSecond(String workload, String target) {
        boolean publishes = countsPublishes(workload);
        return median(of(workload, target), run -> run.perCpuSecond(publishes));
    }

    /** The same, by the measure's. */
    double ratio(String workload, String target) {
        return perCpuSecond(workload, target) / perCpuSecond(workload, measure());
    }

    /** Whether both medians behind a ratio may be used. */
    boolean ratioCounts(String workload, String target) {
        return of(workload, target).counts() && of(workload, measure()).counts();
    }

    /** Loads that a gateway wasn't put under, and why. */
    List<JsonNode> unfit(String workload) {
        List<JsonNode> unfit = new ArrayList<>();
        for (JsonNode one : comparison.path("unfit")) {
            if (one.path("workload").asString("").equals(workload)) {
                unfit.add(one);
            }
        }
        return unfit;
    }

    /** Whether nobody subscribes under this load, so that publishes are what counts. */
    boolean countsPublishes(String workload) {
        List<Run> runs = of(workload);
        return !runs.isEmpty()
                && runs.stream().noneMatch(run -> run.figure("totals.expected") > 0)
                && runs.stream().anyMatch(run -> run.figure("totals.sent") > 0);
    }

    /** On how many processes of the gateway they were made; older files have one for each run, and don't say so. */
    static long starts(List<Run> runs) {
        return runs.stream()
                .mapToInt(run -> run.json.path("start").asInt(run.round()))
                .distinct()
                .count();
    }

    /** The median of a figure over the runs that are shown. */
    static double median(MedianRuns<Run> runs, ToDoubleFunction<Run> figure) {
        return Stats.median(runs.shown().stream().mapToDouble(figure));
    }

    /** One run. Immutable. */
    record Run(JsonNode json) {
        int round() {
            return json.path("round").asInt(0);
        }

        String target() {
            return json.path("target").asString("");
        }

        boolean finished() {
            return json.path("result").isObject();
        }

        /** By its path; NaN if it has none, or if it is of a latency that nobody measured. */
        double figure(String path) {
            JsonNode node = json.path("result");
            for (String name : path.split("\\.", -1)) {
                node = node.path(name);
                if (Latency.is(node) && node.path("count").asLong(0) == 0) {
                    return Double.NaN;
                }
            }
            return node.isNumber() ? node.asDouble() : Double.NaN;
        }

        double perCpuSecond(boolean publishes) {
            double cores = figure("server.cores");
            return !publishes
                    ? figure("server.deliveriesPerCpuSecond")
                    : cores > 0 ? figure("publishesPerSecond") / cores : Double.NaN;
        }

        boolean disturbed() {
            return json.path("result").path("generator").path("disturbed").asBoolean(false);
        }

        boolean usable() {
            return finished() && objections().isEmpty();
        }

        /** Why it doesn't count; empty if it does. */
        List<String> objections() {
            if (!finished()) {
                return List.of(json.path("failure").asString("failed"));
            }
            List<String> objections =
                    new ArrayList<>(Result.strings(json.path("result").path("invalid")));
            String[] counts = {"lost", "excess", "repeated", "disordered", "refused"};
            String[] words = {"lost", "too many", "repeated", "out of order", "refused"};
            for (int i = 0; i < counts.length; i++) {
                double count = figure("totals." + counts[i]);
                if (count > 0) {
                    objections.add(Unit.number(count) + " " + words[i]);
                }
            }
            return objections;
        }
    }
}
