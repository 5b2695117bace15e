package io.barrage.loadtest.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** Draws results as a page that needs nothing else, or as plots for other pages. Immutable. */
public final class Report {
    private final String title;
    private final List<Result> results;

    public Report(String title, List<Result> results) {
        this.title = title;
        this.results = List.copyOf(results);
    }

    /** The page: HTML that is XML too, without scripts, and without anything from elsewhere. */
    public String html() {
        return new Page(title, results).html();
    }

    /** The plots by file name. */
    public Map<String, String> plots() {
        Map<String, String> plots = new LinkedHashMap<>();
        for (Result result : results) {
            named(result).forEach((name, plot) -> {
                String file = (result.name() + "-" + name).replaceAll("[^A-Za-z0-9._-]+", "-");
                plots.put(file + ".svg", plot.file());
            });
        }
        return plots;
    }

    private static Map<String, Plot> named(Result result) {
        Map<String, Plot> plots = new LinkedHashMap<>();
        if (result.command().equals("compare")) {
            ComparedRuns runs = new ComparedRuns(result.json());
            Overview overview = overview(runs);
            if (!overview.rows().isEmpty()) {
                plots.put("overview", overview);
            }
            for (String workload : runs.workloads()) {
                plots.put(workload, ratios(runs, workload));
                Curves curves = curves(runs, workload);
                if (!curves.latencies().isEmpty()) {
                    plots.put(workload + "-latency", curves);
                }
            }
        } else {
            Curves curves = curves(result, Figures.read());
            if (!curves.latencies().isEmpty()) {
                plots.put("latency", curves);
            }
            Bars memory = memory(result, Figures.read());
            if (!memory.bars().isEmpty()) {
                plots.put("memory", memory);
            }
        }
        return plots;
    }

    /** What each gateway gives for a CPU-second under every load, by what the first one does; no rows for a single load. */
    static Overview overview(ComparedRuns runs) {
        List<Overview.Row> rows = new ArrayList<>();
        for (String workload : runs.workloads()) {
            boolean publishes = runs.countsPublishes(workload);
            List<Overview.Mark> marks = new ArrayList<>();
            for (int name = 0; name < runs.targets().size(); name++) {
                String target = runs.targets().get(name);
                double ratio = median(runs, workload, target, publishes)
                        / median(runs, workload, runs.targets().get(0), publishes);
                if (Double.isFinite(ratio) && ratio > 0) {
                    boolean usable = runs.of(workload, target).stream().anyMatch(ComparedRuns.Run::usable);
                    String text = target + ": " + Unit.ratio(ratio) + (usable ? "" : ", but no run counts");
                    marks.add(new Overview.Mark(name, ratio, usable, text));
                }
            }
            // One that nobody else was put under compares nothing.
            if (marks.size() > 1) {
                rows.add(new Overview.Row(workload, marks));
            }
        }
        String measure = runs.targets().isEmpty() ? "" : runs.targets().get(0);
        return new Overview(
                "Deliveries, or publishes, per CPU-second of server",
                "ratio of medians to " + measure + ", by powers of ten; dashed: no run counts",
                runs.targets(),
                rows.size() > 1 ? rows : List.of());
    }

    /** What each gateway gives for a CPU-second, by what the first one does. */
    static Bars ratios(ComparedRuns runs, String workload) {
        boolean publishes = runs.countsPublishes(workload);
        String counted = publishes ? "publishes" : "deliveries";
        double reference = runs.targets().isEmpty()
                ? Double.NaN
                : median(runs, workload, runs.targets().get(0), publishes);
        List<Bars.Bar> bars = new ArrayList<>();
        for (String target : runs.targets()) {
            List<ComparedRuns.Run> all = runs.of(workload, target);
            if (all.isEmpty()) {
                continue;
            }
            double median = median(runs, workload, target, publishes);
            List<Bars.Dot> dots = new ArrayList<>();
            for (ComparedRuns.Run run : all) {
                double value = run.perCpuSecond(publishes);
                double ratio = value / reference;
                if (!Double.isNaN(ratio)) {
                    String why = run.usable() ? "" : ": " + String.join("; ", run.objections());
                    dots.add(new Bars.Dot(
                            ratio,
                            run.usable(),
                            "round " + run.round() + ", " + Unit.NONE.format(Math.rint(value)) + why));
                }
            }
            boolean usable = all.stream().anyMatch(ComparedRuns.Run::usable);
            double ratio = median / reference;
            bars.add(new Bars.Bar(
                    target,
                    usable ? ratio : Double.NaN,
                    Double.isNaN(ratio) ? "" : Unit.ratio(ratio),
                    Double.isNaN(median)
                            ? "no figures"
                            : Unit.NONE.format(Math.rint(median)) + (usable ? "" : " (invalid)"),
                    dots));
        }
        String measure = runs.targets().isEmpty() ? "" : runs.targets().get(0);
        return new Bars(
                workload + ": " + counted + " per CPU-second of server",
                "ratio to " + measure + "; dots: single runs, crosses: runs that don't count",
                Double.isNaN(reference) ? Double.NaN : 1,
                bars);
    }

    private static double median(ComparedRuns runs, String workload, String target, boolean publishes) {
        return ComparedRuns.median(ComparedRuns.shown(runs.of(workload, target)), run -> run.perCpuSecond(publishes));
    }

    /** How late the last subscriber gets a message, with each gateway. */
    static Curves curves(ComparedRuns runs, String workload) {
        List<Latency> latencies = new ArrayList<>();
        for (int colour = 0; colour < runs.targets().size(); colour++) {
            String target = runs.targets().get(colour);
            List<Latency> ofRuns = new ArrayList<>();
            for (ComparedRuns.Run run : runs.of(workload, target)) {
                JsonNode complete = run.json().path("result").path("complete");
                if (run.usable() && complete.path("count").asLong(0) > 0) {
                    ofRuns.add(Latency.of(target, colour, complete));
                }
            }
            if (!ofRuns.isEmpty()) {
                latencies.add(Latency.median(target, colour, ofRuns));
            }
        }
        return new Curves(workload + ": latency to the last subscriber, medians of the usable runs", latencies);
    }

    /** All latencies of a result in one plot. */
    static Curves curves(Result result, Figures figures) {
        List<Latency> latencies = new ArrayList<>();
        for (Result.Value value : result.values(figures)) {
            if (Latency.is(value.node())) {
                Latency latency = Latency.of(label(value), latencies.size(), value.node());
                // What is always 0, such as lateness in a closed loop, is no curve.
                if (latency.count() > 0 && latency.max() > 0) {
                    latencies.add(latency);
                }
            }
        }
        return new Curves(result.command() + ": latencies", latencies);
    }

    /** All amounts of memory in one plot. */
    static Bars memory(Result result, Figures figures) {
        List<Bars.Bar> bars = new ArrayList<>();
        for (Result.Value value : result.values(figures)) {
            if (value.figure() != null
                    && value.figure().unit() == Unit.MEBIBYTES
                    && value.figure().label().startsWith("server RSS")
                    && value.node().asDouble(0) > 0
                    && !value.path().endsWith("growth")) {
                double mebibytes = value.node().asDouble() / 1048576;
                bars.add(new Bars.Bar(
                        value.figure().label().replaceFirst("^server RSS,? ?", ""),
                        mebibytes,
                        "",
                        Unit.MEBIBYTES.format(value.node().asDouble()),
                        List.of()));
            }
        }
        return new Bars(
                result.command() + ": resident memory of the server",
                "MiB",
                Double.NaN,
                bars.size() > 2 ? bars : List.of());
    }

    static String label(Result.Value value) {
        return value.figure() == null ? value.path() : value.figure().label();
    }
}
