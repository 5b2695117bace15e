package io.barrage.loadtest.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A plot of latencies by percentile: to the right ten times as rare, upwards longer, both by powers of ten; each as far as
 * its number of values tells. Immutable.
 *
 * @param title what it shows
 */
record Curves(String title, List<Latency> latencies) implements Plot {
    private static final int LEFT = 64;
    private static final int PLOT = 500;
    private static final int TEXTS = 196;
    private static final int TOP = 34;
    private static final int HEIGHT = 250;
    private static final int BOTTOM = 40;
    private static final int LINE = 16;
    private static final String[] NAMES = {"p50", "p90", "p99", "p99.9", "max"};
    private static final double[] NINES = {0.301, 1, 2, 3, 4};
    /** Below it everything is alike: a log scale has no 0. */
    private static final double LEAST_MICROS = 10;

    /** Where a curve ends, and whose it is. Immutable. */
    private record End(Latency latency, double x, double y) {}

    @Override
    public void draw(Markup out) {
        double lowest = LEAST_MICROS * 1e9;
        double highest = LEAST_MICROS;
        for (Latency latency : latencies) {
            for (double point : latency.points()) {
                lowest = Math.min(lowest, Math.max(LEAST_MICROS, point));
                highest = Math.max(highest, point);
            }
        }
        double from = Math.floor(Math.log10(lowest) * 3 + 1e-9) / 3;
        double to = Math.max(from + 1, Math.ceil(Math.log10(highest) * 3 - 1e-9) / 3);
        out.element("text", title, "x", "0", "y", "16", "class", "plot-title");
        axes(out, from, to);
        List<End> ends = new ArrayList<>();
        for (int i = 0; i < latencies.size(); i++) {
            double[] points = latencies.get(i).points();
            StringBuilder path = new StringBuilder();
            for (int p = 0; p < points.length; p++) {
                path.append(p == 0 ? "M" : "L")
                        .append(Plot.at(x(p)))
                        .append(' ')
                        .append(Plot.at(y(points[p], from, to)));
            }
            String colour = "s" + latencies.get(i).colour() % COLOURS;
            String kind = latencies.get(i).counts() ? "curve " : "hollow ";
            out.empty("path", "d", path.toString(), "class", kind + colour);
            for (int p = 0; p < points.length; p++) {
                out.begin(
                                "circle",
                                "cx",
                                Plot.at(x(p)),
                                "cy",
                                Plot.at(y(points[p], from, to)),
                                "r",
                                "3.5",
                                "class",
                                "point " + colour)
                        .element(
                                "title",
                                latencies.get(i).name() + " " + NAMES[p] + ": " + Unit.MILLIS.format(points[p]))
                        .end();
            }
            int last = points.length - 1;
            ends.add(new End(latencies.get(i), x(last), y(points[last], from, to)));
        }
        names(out, ends);
    }

    private static void axes(Markup out, double from, double to) {
        for (int power = (int) Math.floor(from); power <= to; power++) {
            for (int lead : new int[] {1, 2, 5}) {
                double micros = lead * Math.pow(10, power);
                double log = Math.log10(micros);
                if (log < from - 1e-9 || log > to + 1e-9 || (lead != 1 && to - from > 3)) {
                    continue;
                }
                double y = y(micros, from, to);
                out.empty(
                        "line",
                        "x1",
                        Plot.at(LEFT),
                        "x2",
                        Plot.at(x(4)),
                        "y1",
                        Plot.at(y),
                        "y2",
                        Plot.at(y),
                        "class",
                        "grid");
                out.element(
                        "text",
                        Unit.number(Math.round(micros) / 1000.0) + " ms",
                        "x",
                        Plot.at(LEFT - 8),
                        "y",
                        Plot.at(y + 4),
                        "class",
                        "tick",
                        "text-anchor",
                        "end");
            }
        }
        for (int p = 0; p < NAMES.length; p++) {
            double x = x(p);
            out.empty(
                    "line",
                    "x1",
                    Plot.at(x),
                    "x2",
                    Plot.at(x),
                    "y1",
                    Plot.at(TOP),
                    "y2",
                    Plot.at(TOP + HEIGHT),
                    "class",
                    "grid");
            out.element(
                    "text",
                    NAMES[p],
                    "x",
                    Plot.at(x),
                    "y",
                    Plot.at(TOP + HEIGHT + 18),
                    "class",
                    "tick",
                    "text-anchor",
                    "middle");
        }
    }

    /** The curves' names at their ends, moved apart where they would cover each other. */
    private void names(Markup out, List<End> ends) {
        ends.sort(Comparator.comparingDouble(End::y));
        double[] at = new double[ends.size()];
        for (int i = 0; i < at.length; i++) {
            at[i] = Math.max(ends.get(i).y, i == 0 ? TOP : at[i - 1] + LINE);
        }
        for (int i = at.length - 1; i >= 0; i--) {
            double most = i == at.length - 1 ? height() - 14 : at[i + 1] - LINE;
            at[i] = Math.min(at[i], most);
        }
        for (int i = 0; i < at.length; i++) {
            End end = ends.get(i);
            double x = x(NAMES.length - 1);
            out.empty(
                    "path",
                    "d",
                    "M" + Plot.at(end.x + 6) + " " + Plot.at(end.y) + "L" + Plot.at(x + 18) + " " + Plot.at(at[i]),
                    "class",
                    "leader s" + end.latency.colour() % COLOURS);
            String name = end.latency.name();
            out.element(
                    "text",
                    name.length() > 26 ? name.substring(0, 25) + "…" : name,
                    "x",
                    Plot.at(x + 22),
                    "y",
                    Plot.at(at[i] + 4),
                    "class",
                    "label");
        }
    }

    private static double x(int percentile) {
        return LEFT + PLOT * (NINES[percentile] - NINES[0]) / (NINES[NINES.length - 1] - NINES[0]);
    }

    private static double y(double micros, double from, double to) {
        double log = Math.log10(Math.max(LEAST_MICROS, micros));
        return TOP + HEIGHT * (1 - (log - from) / (to - from));
    }

    @Override
    public int width() {
        return LEFT + PLOT + TEXTS;
    }

    @Override
    public int height() {
        return TOP + HEIGHT + BOTTOM;
    }
}
