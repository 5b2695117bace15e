package io.barrage.loadtest.report;

import io.barrage.loadtest.measure.MedianRuns;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Writes the page of a {@link Report}. Used once, by one thread. */
final class Page {
    private static final String STYLE = """

            * { box-sizing: border-box; }
            html { background: var(--bg); color: var(--ink); }
            body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; max-width: 1160px;
              margin: 0 auto; padding: 32px 24px 80px; }
            h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
            h2 { font-size: 20px; margin: 48px 0 8px; padding-top: 20px; border-top: 1px solid var(--rule); }
            h3 { font-size: 16px; margin: 32px 0 8px; }
            p { margin: 6px 0; } .soft { color: var(--soft); }
            a { color: inherit; text-decoration: underline dotted var(--soft); text-underline-offset: 3px; }
            a:hover { color: var(--link); }
            code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
            .command { display: block; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
              padding: 8px 12px; margin: 10px 0; }
            .badge { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 0 10px;
              font-size: 13px; font-weight: 600; margin-left: 8px; vertical-align: 2px; }
            .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
            .box { border-left: 3px solid currentColor; background: var(--panel); padding: 8px 14px; margin: 12px 0;
              border-radius: 0 6px 6px 0; }
            .box ul { margin: 0; padding-left: 18px; } .box li { color: var(--ink); overflow-wrap: anywhere; }
            figure { margin: 18px 0; padding: 8px; border: 1px solid var(--rule); border-radius: 8px; }
            .plot { display: block; width: 100%; max-width: 792px; height: auto; margin: 0 auto; }
            .wide { overflow-x: auto; }
            table { border-collapse: collapse; width: 100%; margin: 12px 0; font-variant-numeric: tabular-nums; }
            th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
            th { color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; white-space: normal; }
            th:first-child, td:first-child, .words { text-align: left; } td.words { white-space: normal; }
            tr.out td { color: var(--soft); }
            dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 10px 20px; margin: 14px 0; }
            dl div { border-top: 1px solid var(--rule); padding-top: 6px; min-width: 0; }
            dt { color: var(--soft); font-size: 13px; } dd { margin: 0; font-size: 17px; font-weight: 600;
              font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
            .machine { grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
            .machine dd { font-size: 14px; font-weight: 400; }
            details { margin: 12px 0; } summary { cursor: pointer; color: var(--link); }
            .definitions td { white-space: normal; text-align: left; } .definitions td:first-child { width: 30%; font-weight: 600; }
            tr:target td { background: var(--panel); }
            """;

    private final Figures figures = Figures.read();
    private final Markup out = new Markup();
    private final Map<String, Figures.Figure> used = new LinkedHashMap<>();
    private final String title;
    private final List<Result> results;

    Page(String title, List<Result> results) {
        this.title = title;
        this.results = results;
    }

    String html() {
        out.begin("html", "lang", "en").begin("head");
        out.empty("meta", "charset", "utf-8");
        out.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
        out.empty("meta", "name", "color-scheme", "content", "light dark");
        // The page says itself that it loads nothing and runs nothing.
        out.empty(
                "meta",
                "http-equiv",
                "Content-Security-Policy",
                "content",
                "default-src 'none'; style-src 'unsafe-inline'");
        out.element("title", title).style(Plot.STYLE + STYLE).end().line();
        out.begin("body");
        out.element("h1", title);
        out.begin("p", "class", "soft").text("Made by loadtest. Names of figures lead to their ");
        out.element("a", "definitions", "href", "#definitions")
                .text(" at the end of the page.")
                .end();
        for (Result result : results) {
            out.line();
            if (result.command().equals("compare")) {
                comparison(result);
            } else {
                single(result);
            }
        }
        definitions();
        out.end().end().line();
        return "<!DOCTYPE html>\n" + out;
    }

    // ---------------------------------------------------------------- one load

    private void single(Result result) {
        JsonNode json = result.json();
        String target = json.path("target").asString("");
        out.begin("h2", "id", result.name()).text(result.command() + (target.isEmpty() ? "" : ": " + target));
        if (result.invalid().isEmpty()) {
            out.element("span", "valid", "class", "badge good");
        } else {
            out.element("span", "invalid", "class", "badge bad");
        }
        out.end();
        if (json.path("plan").isString()) {
            out.element("p", json.path("plan").asString(""));
        }
        box("bad", "These figures must not be used:", result.invalid());
        box("warn", "", result.notes());
        List<Result.Value> values = result.values(figures);
        plot(Report.curves(result, figures).latencies().isEmpty() ? null : Report.curves(result, figures));
        latencies(values);
        out.begin("dl");
        for (Result.Value value : values) {
            if (!Latency.is(value.node())) {
                out.begin("div").begin("dt");
                link(value);
                out.end().element("dd", words(value)).end();
            }
        }
        out.end();
        for (Map.Entry<String, JsonNode> member : json.properties()) {
            if (member.getValue().isArray()
                    && !member.getValue().isEmpty()
                    && member.getValue().get(0).isObject()) {
                rows(result, member.getKey(), member.getValue());
            }
        }
        Bars memory = Report.memory(result, figures);
        plot(memory.bars().isEmpty() ? null : memory);
        how(json, json.path("measured").path("environment"), Map.of());
    }

    private void latencies(List<Result.Value> values) {
        List<Result.Value> latencies =
                values.stream().filter(value -> Latency.is(value.node())).toList();
        if (latencies.isEmpty()) {
            return;
        }
        String[] columns = {"p50", "p90", "p99", "p999", "max", "mean", "count"};
        out.begin("div", "class", "wide").begin("table").begin("tr").element("th", "latency, ms");
        for (String column : columns) {
            out.begin("th");
            link(figures.get(Figures.LATENCY, column));
            out.end();
        }
        out.end();
        for (Result.Value value : latencies) {
            out.begin("tr").begin("td");
            link(value);
            out.end();
            for (String column : columns) {
                Unit unit = figures.get(Figures.LATENCY, column).unit();
                out.element("td", unit.bare(value.node().path(column).asDouble(0)));
            }
            out.end();
        }
        out.end().end();
    }

    /** A table of a result's own rows. */
    private void rows(Result result, String name, JsonNode rows) {
        List<String> columns =
                rows.get(0).properties().stream().map(Map.Entry::getKey).toList();
        out.begin("div", "class", "wide").begin("table").begin("tr");
        for (String column : columns) {
            out.begin("th");
            Figures.Figure figure = figures.find(result.command(), name + "." + column);
            if (figure == null) {
                out.text(column);
            } else {
                link(figure);
            }
            out.end();
        }
        out.end();
        for (JsonNode row : rows) {
            out.begin("tr");
            for (String column : columns) {
                Figures.Figure figure = figures.find(result.command(), name + "." + column);
                JsonNode node = row.path(column);
                out.element("td", words(new Result.Value(column, figure, node)));
            }
            out.end();
        }
        out.end().end();
    }

    private static String words(Result.Value value) {
        JsonNode node = value.node();
        Figures.Figure figure = value.figure();
        if (node.isNumber()) {
            return (figure == null ? Unit.NONE : figure.unit()).format(node.asDouble());
        } else if (node.isObject()) {
            List<String> members = new ArrayList<>();
            node.properties()
                    .forEach(member -> members.add(member.getKey() + ": "
                            + (member.getValue().isNumber()
                                    ? Unit.number(member.getValue().asDouble())
                                    : member.getValue().asString(""))));
            return members.isEmpty() ? "none" : String.join("; ", members);
        }
        return node.isBoolean() ? (node.asBoolean() ? "yes" : "no") : node.asString("");
    }

    // ---------------------------------------------------------------- a comparison

    private void comparison(Result result) {
        JsonNode json = result.json();
        ComparedRuns runs = new ComparedRuns(json);
        out.element("h2", "compare: " + String.join(", ", runs.targets()), "id", result.name());
        List<String> missing = new ArrayList<>();
        json.path("missing")
                .properties()
                .forEach(peer ->
                        missing.add(peer.getKey() + ": " + peer.getValue().asString("")));
        box("bad", "Asked for, but missing:", missing);
        box("warn", "", result.notes());
        Overview overview = Report.overview(runs);
        plot(overview.rows().isEmpty() ? null : overview);
        for (String workload : runs.workloads()) {
            workload(runs, workload);
        }
        Map<String, String> versions = new LinkedHashMap<>();
        json.path("versions")
                .properties()
                .forEach(peer -> versions.put(peer.getKey(), peer.getValue().asString("")));
        JsonNode environment = json.path("environment");
        how(json, environment.isObject() ? environment : json.path("measured").path("environment"), versions);
    }

    private void workload(ComparedRuns runs, String workload) {
        out.line().element("h3", workload);
        List<String> unfit = new ArrayList<>();
        for (JsonNode one : runs.unfit(workload)) {
            unfit.add(one.path("target").asString("") + " isn't there: "
                    + one.path("why").asString(""));
        }
        box("warn", "", unfit);
        Bars bars = Report.ratios(runs, workload);
        plot(bars.bars().isEmpty() ? null : bars);
        medians(runs, workload);
        Curves curves = Report.curves(runs, workload);
        plot(curves.latencies().isEmpty() ? null : curves);
        out.begin("details").element("summary", "Every run of " + workload);
        everyRun(runs, workload);
        out.end();
    }

    private static final String[] PATHS = {
        "deliveriesPerSecond",
        "publishesPerSecond",
        "messagesPerRead",
        "bytesPerDelivery",
        "sampled.p50",
        "sampled.p99",
        "complete.p50",
        "complete.p99",
        "server.cores",
        "server.rssBytes",
        "generator.cores",
        "totals.lost"
    };

    private void medians(ComparedRuns runs, String workload) {
        boolean publishes = runs.countsPublishes(workload);
        out.begin("div", "class", "wide").begin("table").begin("tr").element("th", "gateway");
        heads("compare", "usable", "starts", "disturbed");
        heads("fanout", perCpuSecond(publishes));
        out.begin("th");
        link(figures.get("compare", "ratio"));
        out.text(" to " + runs.measure()).end();
        heads("fanout", PATHS);
        out.end();
        for (String target : runs.targets()) {
            MedianRuns<ComparedRuns.Run> of = runs.of(workload, target);
            if (of.all().isEmpty()) {
                continue;
            }
            out.begin("tr", "class", of.counts() ? "in" : "out").element("td", target);
            out.element("td", of.usable().size() + " of " + of.all().size());
            out.element("td", Long.toString(ComparedRuns.starts(of.shown())));
            out.element(
                    "td",
                    Long.toString(of.usable().stream()
                            .filter(ComparedRuns.Run::disturbed)
                            .count()));
            out.element("td", Unit.NONE.bare(Math.rint(runs.perCpuSecond(workload, target))));
            out.element(
                    "td", Unit.marked(Unit.ratio(runs.ratio(workload, target)), runs.ratioCounts(workload, target)));
            for (String path : PATHS) {
                // What is lost is never a median.
                double value = path.equals("totals.lost")
                        ? of.finished().stream()
                                .mapToDouble(run -> run.figure(path))
                                .sum()
                        : ComparedRuns.median(of, run -> run.figure(path));
                out.element("td", bare(path, value));
            }
            out.end();
        }
        out.end().end();
        out.element(
                "p",
                "Medians of the usable runs; grey: of all runs, since half of them or more must not be used. A ratio of which"
                        + " either median is grey stands in brackets. Lost is the sum over all runs.",
                "class",
                "soft");
    }

    private void everyRun(ComparedRuns runs, String workload) {
        boolean publishes = runs.countsPublishes(workload);
        out.begin("div", "class", "wide").begin("table").begin("tr");
        out.element("th", "gateway").element("th", "round");
        heads("fanout", perCpuSecond(publishes));
        heads("fanout", PATHS);
        heads("fanout", "generator.busiestLoop");
        out.element("th", "verdict", "class", "words").end();
        for (ComparedRuns.Run run : runs.of(workload)) {
            out.begin("tr", "class", run.usable() ? "in" : "out");
            out.element("td", run.target()).element("td", Integer.toString(run.round()));
            out.element("td", Unit.NONE.bare(Math.rint(run.perCpuSecond(publishes))));
            for (String path : PATHS) {
                out.element("td", bare(path, run.figure(path)));
            }
            out.element("td", bare("generator.busiestLoop", run.figure("generator.busiestLoop")));
            if (run.usable()) {
                out.element("td", run.disturbed() ? "usable, disturbed" : "usable", "class", "words good");
            } else {
                out.element("td", String.join("; ", run.objections()), "class", "words bad");
            }
            out.end();
        }
        out.end().end();
    }

    private static String perCpuSecond(boolean publishes) {
        return publishes ? "server.publishesPerCpuSecond" : "server.deliveriesPerCpuSecond";
    }

    private void heads(String command, String... paths) {
        for (String path : paths) {
            out.begin("th");
            if (isPercentile(path)) {
                int point = path.indexOf('.');
                out.text(figures.get(Figures.LATENCY, path.substring(point + 1)).label() + ", ms, ");
                link(figures.get(command, path.substring(0, point)));
            } else {
                Figures.Figure figure = figures.get(command, path);
                link(figure);
                if (!figure.unit().format(0).equals("0") && !figure.label().contains("cores")) {
                    out.text("," + figure.unit().format(0).substring(1));
                }
            }
            out.end();
        }
    }

    private String bare(String path, double value) {
        Unit unit =
                isPercentile(path) ? Unit.MILLIS : figures.get("fanout", path).unit();
        return unit.bare(value);
    }

    /** Whether a path is one of a latency's percentiles, rather than a figure of its own. */
    private static boolean isPercentile(String path) {
        return path.startsWith("sampled.") || path.startsWith("complete.");
    }

    // ---------------------------------------------------------------- what both have

    private void how(JsonNode json, JsonNode environment, Map<String, String> versions) {
        JsonNode measured = json.path("measured");
        out.element("h3", "How it was measured");
        if (measured.isObject()) {
            out.element("code", "loadtest " + String.join(" ", quoted(measured.path("arguments"))), "class", "command");
        }
        out.begin("dl", "class", "machine");
        if (measured.path("finished").isString()) {
            term("finished", measured.path("finished").asString(""));
        }
        environment
                .properties()
                .forEach(member -> term(
                        member.getKey(),
                        member.getValue().isNumber()
                                ? Unit.number(member.getValue().asDouble())
                                : member.getValue().asString("")));
        versions.forEach(this::term);
        out.end();
    }

    private void term(String name, String value) {
        out.begin("div").element("dt", name).element("dd", value).end();
    }

    /** Arguments as a shell takes them. */
    private static List<String> quoted(JsonNode arguments) {
        return Result.strings(arguments).stream()
                .map(argument -> argument.matches("[A-Za-z0-9_./:,=%@+-]+")
                        ? argument
                        : "'" + argument.replace("'", "'\\''") + "'")
                .toList();
    }

    private void box(String kind, String head, List<String> lines) {
        if (lines.isEmpty()) {
            return;
        }
        out.begin("div", "class", "box " + kind);
        if (!head.isEmpty()) {
            out.element("strong", head);
        }
        out.begin("ul");
        lines.forEach(line -> out.element("li", line));
        out.end().end();
    }

    private void plot(@Nullable Plot plot) {
        if (plot != null) {
            out.begin("figure").include(plot.inline()).end();
        }
    }

    private void link(Result.Value value) {
        if (value.figure() == null) {
            out.text(value.path());
        } else {
            link(value.figure());
        }
    }

    private void link(Figures.Figure figure) {
        used.put(figure.id(), figure);
        out.element("a", figure.label(), "href", "#" + figure.id(), "title", figure.meaning());
    }

    private void definitions() {
        out.line().element("h2", "Definitions", "id", "definitions");
        out.element(
                "p",
                "Due time is when the schedule wanted something sent, not when the generator got round to it. Latencies"
                        + " are HdrHistograms with three digits.",
                "class",
                "soft");
        out.begin("table", "class", "definitions");
        used.values().forEach(figure -> out.begin("tr", "id", figure.id())
                .element("td", figure.label())
                .element("td", figure.meaning())
                .end());
        out.end();
    }
}
