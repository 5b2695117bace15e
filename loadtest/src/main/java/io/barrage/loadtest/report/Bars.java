package io.barrage.loadtest.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * A plot of bars, with the single runs as dots: from 0, or by powers of ten where one is many times another. Immutable.
 *
 * @param title what it shows
 * @param axis what the bars are measured in
 * @param reference where a line marks the measure of all; NaN for none
 */
record Bars(String title, String axis, double reference, List<Bar> bars) implements Plot {
    private static final int LABELS = 150;
    private static final int PLOT = 420;
    private static final int TEXTS = 190;
    private static final int ROW = 34;
    private static final int TOP = 34;
    private static final int BOTTOM = 40;
    private static final int THICK = 16;

    /**
     * One of them. Immutable.
     *
     * @param value the median; NaN if it may not be used
     * @param ratio what stands behind it, in bold; may be empty
     * @param text what stands behind that
     * @param dots its runs
     */
    record Bar(String label, double value, String ratio, String text, List<Dot> dots) {}

    /**
     * A run. Immutable.
     *
     * @param usable whether it counts in the median
     * @param text what is shown if one points at it
     */
    record Dot(double value, boolean usable, String text) {}

    @Override
    public void draw(Markup out) {
        Scale scale = scale();
        int height = height();
        out.element("text", title, "x", "0", "y", "16", "class", "plot-title");
        for (double tick : scale.ticks()) {
            double x = x(tick, scale);
            out.empty("line", "x1", at(x), "x2", at(x), "y1", at(TOP), "y2", at(height - BOTTOM), "class", "grid");
            out.element(
                    "text",
                    Unit.tick(tick),
                    "x",
                    at(x),
                    "y",
                    at(height - BOTTOM + 16),
                    "class",
                    "tick",
                    "text-anchor",
                    "middle");
        }
        out.element(
                "text",
                scale.log() ? axis + "; by powers of ten" : axis,
                "x",
                at(LABELS + PLOT / 2.0),
                "y",
                at(height - 6),
                "class",
                "tick",
                "text-anchor",
                "middle");
        for (int i = 0; i < bars.size(); i++) {
            draw(out, bars.get(i), i, scale);
        }
        if (!Double.isNaN(reference)) {
            double x = x(reference, scale);
            out.empty("line", "x1", at(x), "x2", at(x), "y1", at(TOP), "y2", at(height - BOTTOM), "class", "reference");
        }
    }

    private void draw(Markup out, Bar bar, int index, Scale scale) {
        double middle = TOP + ROW * index + ROW / 2.0;
        out.element(
                "text",
                bar.label.length() > 22 ? bar.label.substring(0, 21) + "…" : bar.label,
                "x",
                at(LABELS - 10),
                "y",
                at(middle + 4),
                "class",
                "label",
                "text-anchor",
                "end");
        if (!Double.isNaN(bar.value)) {
            out.empty(
                    "rect",
                    "x",
                    at(LABELS),
                    "y",
                    at(middle - THICK / 2.0),
                    "width",
                    at(Math.max(1, x(bar.value, scale) - LABELS)),
                    "height",
                    at(THICK),
                    "rx",
                    "2",
                    "class",
                    index == 0 && !Double.isNaN(reference) ? "bar first" : "bar");
            double x = x(bar.value, scale);
            out.empty(
                    "line",
                    "x1",
                    at(x),
                    "x2",
                    at(x),
                    "y1",
                    at(middle - THICK / 2.0 - 4),
                    "y2",
                    at(middle + THICK / 2.0 + 4),
                    "class",
                    "median");
        }
        for (int d = 0; d < bar.dots.size(); d++) {
            Dot dot = bar.dots.get(d);
            // Spread over the bar's height, so that runs of one value don't hide each other.
            double y = middle + (bar.dots.size() == 1 ? 0 : (d / (bar.dots.size() - 1.0) - 0.5) * (THICK - 5));
            double x = x(dot.value, scale);
            if (dot.usable) {
                out.begin("circle", "cx", at(x), "cy", at(y), "r", "3", "class", "dot")
                        .element("title", dot.text)
                        .end();
            } else {
                String cross = String.format(Locale.ROOT, "M%.1f %.1fl6 6m0 -6l-6 6", x - 3, y - 3);
                out.begin("path", "d", cross, "class", "unusable")
                        .element("title", dot.text)
                        .end();
            }
        }
        double behind = LABELS + PLOT + 12.0;
        if (!bar.ratio.isEmpty()) {
            out.element("text", bar.ratio, "x", at(behind), "y", at(middle + 4), "class", "value strong");
            behind += 64;
        }
        out.element("text", bar.text, "x", at(behind), "y", at(middle + 4), "class", "value");
    }

    private Scale scale() {
        DoubleStream.Builder values = DoubleStream.builder().add(reference);
        for (Bar bar : bars) {
            values.add(bar.value);
            bar.dots.forEach(dot -> values.add(dot.value));
        }
        return Scale.of(values.build());
    }

    private static double x(double value, Scale scale) {
        return LABELS + PLOT * scale.share(value);
    }

    @Override
    public int width() {
        return LABELS + PLOT + TEXTS;
    }

    @Override
    public int height() {
        return TOP + ROW * bars.size() + BOTTOM;
    }

    private static String at(double coordinate) {
        return Plot.at(coordinate);
    }
}
