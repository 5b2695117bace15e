package io.barrage.loadtest.report;

import io.barrage.loadtest.measure.MedianRuns;
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

    /**
     * The plots by file name.
     *
     * @throws IllegalArgumentException if two results have the same name, so that one's plots would replace the other's
     */
    public Map<String, String> plots() {
        Map<String, String> plots = new LinkedHashMap<>();
        for (Result result : results) {
            named(result).forEach((name, plot) -> {
                String file = (result.name() + "-" + name).replaceAll("[^A-Za-z0-9._-]+", "-") + ".svg";
                if (plots.put(file, plot.file()) != null) {
                    throw new IllegalArgumentException(
                            "two results have a plot " + file + ": name their files differently");
                }
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

    /** What each gateway gives for a CPU-second under every load, by what the measure does; no rows for a single load. */
    static Overview overview(ComparedRuns runs) {
        List<Overview.Row> rows = new ArrayList<>();
        for (String workload : runs.workloads()) {
            List<Overview.Mark> marks = new ArrayList<>();
            for (int name = 0; name < runs.targets().size(); name++) {
                String target = runs.targets().get(name);
                double ratio = runs.ratio(workload, target);
                if (Double.isFinite(ratio) && ratio > 0) {
                    boolean counts = runs.ratioCounts(workload, target);
                    String text = target + ": " + Unit.marked(Unit.ratio(ratio), counts);
                    marks.add(new Overview.Mark(name, ratio, counts, text));
                }
            }
            // One that nobody else was put under compares nothing.
            if (marks.size() > 1) {
                rows.add(new Overview.Row(workload, marks));
            }
        }
        return new Overview(
                "Deliveries, or publishes, per CPU-second of server",
                "ratio of medians to " + runs.measure()
                        + ", by powers of ten; dashed: half the runs or more don't count",
                runs.targets(),
                rows.size() > 1 ? rows : List.of());
    }

    /** What each gateway gives for a CPU-second, by what the measure does. */
    static Bars ratios(ComparedRuns runs, String workload) {
        boolean publishes = runs.countsPublishes(workload);
        String counted = publishes ? "publishes" : "deliveries";
        double reference = runs.perCpuSecond(workload, runs.measure());
        List<Bars.Bar> bars = new ArrayList<>();
        for (String target : runs.targets()) {
            MedianRuns<ComparedRuns.Run> of = runs.of(workload, target);
            if (of.all().isEmpty()) {
                continue;
            }
            List<Bars.Dot> dots = new ArrayList<>();
            for (ComparedRuns.Run run : of.all()) {
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
            double median = runs.perCpuSecond(workload, target);
            double ratio = median / reference;
            boolean ratioCounts = runs.ratioCounts(workload, target);
            bars.add(new Bars.Bar(
                    target,
                    ratioCounts ? ratio : Double.NaN,
                    Double.isNaN(ratio) ? "" : Unit.marked(Unit.ratio(ratio), ratioCounts),
                    (Double.isNaN(median)
                                    ? "no figures"
                                    : Unit.marked(Unit.NONE.format(Math.rint(median)), of.counts()))
                            + ", " + of.usable().size() + "/" + of.all().size(),
                    dots));
        }
        return new Bars(
                workload + ": " + counted + " per CPU-second of server",
                "ratio to " + runs.measure() + "; dots: single runs, crosses: runs that don't count",
                Double.isNaN(reference) ? Double.NaN : 1,
                bars);
    }

    /** How late the last subscriber gets a message, with each gateway. */
    static Curves curves(ComparedRuns runs, String workload) {
        List<Latency> latencies = new ArrayList<>();
        for (int colour = 0; colour < runs.targets().size(); colour++) {
            String target = runs.targets().get(colour);
            MedianRuns<ComparedRuns.Run> of = runs.of(workload, target);
            List<Latency> ofRuns = new ArrayList<>();
            for (ComparedRuns.Run run : of.shown()) {
                JsonNode complete = run.json().path("result").path("complete");
                if (complete.path("count").asLong(0) > 0) {
                    ofRuns.add(Latency.of(target, colour, complete));
                }
            }
            if (!ofRuns.isEmpty()) {
                latencies.add(Latency.median(target, colour, of.counts(), ofRuns));
            }
        }
        return new Curves(
                workload + ": latency to the last subscriber, medians; dashed: half the runs or more don't count",
                latencies);
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
