package io.barrage.loadtest.report;

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

    /** In the order of the command line; the first is the measure. */
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

    List<Run> of(String workload, String target) {
        return of(workload).stream().filter(run -> run.target().equals(target)).toList();
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

    /** The usable ones, or all that gave figures if none is. */
    static List<Run> shown(List<Run> runs) {
        List<Run> usable = runs.stream().filter(Run::usable).toList();
        return usable.isEmpty() ? runs.stream().filter(Run::finished).toList() : usable;
    }

    /** On how many processes of the gateway they were made; older files have one for each run, and don't say so. */
    static long starts(List<Run> runs) {
        return runs.stream()
                .mapToInt(run -> run.json.path("start").asInt(run.round()))
                .distinct()
                .count();
    }

    static double median(List<Run> runs, ToDoubleFunction<Run> figure) {
        return Stats.median(runs.stream().mapToDouble(figure));
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

        /** By its path; NaN if it has none. */
        double figure(String path) {
            JsonNode node = json.path("result");
            for (String name : path.split("\\.", -1)) {
                node = node.path(name);
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
