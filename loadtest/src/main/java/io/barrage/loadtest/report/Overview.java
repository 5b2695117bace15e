package io.barrage.loadtest.report;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A plot of ratios: a row for each load, a mark for each gateway, by powers of ten. Immutable.
 *
 * @param title what it shows
 * @param axis what the marks are measured in
 * @param names the gateways; the place of each is its colour
 */
record Overview(String title, String axis, List<String> names, List<Row> rows) implements Plot {
    private static final int LABELS = 120;
    private static final int PLOT = 450;
    private static final int TEXTS = 190;
    private static final int ROW = 30;
    private static final int TOP = 34;
    private static final int BOTTOM = 40;
    private static final int LINE = 20;
    private static final double RADIUS = 5.5;

    /**
     * A load. Immutable.
     *
     * @param label what stands before it
     */
    record Row(String label, List<Mark> marks) {}

    /**
     * A gateway's figure. Immutable.
     *
     * @param name its place among the names
     * @param ratio its figure by the first gateway's
     * @param counts whether both figures may be used
     * @param text what is shown if one points at it
     */
    record Mark(int name, double ratio, boolean counts, String text) {}

    @Override
    public void draw(Markup out) {
        DoubleStream ratios = rows.stream()
                .flatMapToDouble(row -> row.marks.stream().mapToDouble(Mark::ratio))
                .filter(ratio -> ratio > 0);
        double[] known = DoubleStream.concat(ratios, DoubleStream.of(0.5, 2)).toArray();
        Scale scale = Scale.ofRatios(
                DoubleStream.of(known).min().orElse(0.5),
                DoubleStream.of(known).max().orElse(2));
        int bottom = TOP + ROW * rows.size();
        out.element("text", title, "x", "0", "y", "16", "class", "plot-title");
        for (double tick : scale.ticks()) {
            String x = Plot.at(x(scale, tick));
            out.empty("line", "x1", x, "x2", x, "y1", Plot.at(TOP), "y2", Plot.at(bottom), "class", "grid");
            String text = Unit.tick(tick);
            out.element("text", text, "x", x, "y", Plot.at(bottom + 16), "class", "tick", "text-anchor", "middle");
        }
        out.element(
                "text",
                axis,
                "x",
                Plot.at(LABELS + PLOT / 2.0),
                "y",
                Plot.at(bottom + 34),
                "class",
                "tick",
                "text-anchor",
                "middle");
        String one = Plot.at(x(scale, 1));
        out.empty("line", "x1", one, "x2", one, "y1", Plot.at(TOP), "y2", Plot.at(bottom), "class", "reference");
        for (int i = 0; i < rows.size(); i++) {
            draw(out, rows.get(i), TOP + ROW * i + ROW / 2.0, scale);
        }
        for (int i = 0; i < names.size(); i++) {
            double y = TOP + LINE * i + LINE / 2.0;
            double x = LABELS + PLOT + 26.0;
            out.empty(
                    "circle", "cx", Plot.at(x), "cy", Plot.at(y), "r", Plot.at(RADIUS), "class", "mark f" + colour(i));
            String name = names.get(i).length() > 20 ? names.get(i).substring(0, 19) + "…" : names.get(i);
            out.element("text", name, "x", Plot.at(x + 12), "y", Plot.at(y + 4), "class", "label");
        }
    }

    private static void draw(Markup out, Row row, double middle, Scale scale) {
        String y = Plot.at(middle);
        out.empty("line", "x1", Plot.at(LABELS), "x2", Plot.at(LABELS + PLOT), "y1", y, "y2", y, "class", "grid");
        out.element(
                "text",
                row.label.length() > 18 ? row.label.substring(0, 17) + "…" : row.label,
                "x",
                Plot.at(LABELS - 10),
                "y",
                Plot.at(middle + 4),
                "class",
                "label",
                "text-anchor",
                "end");
        for (Mark mark : row.marks) {
            if (Double.isFinite(mark.ratio) && mark.ratio > 0) {
                String kind = mark.counts ? "mark f" : "hollow s";
                out.begin(
                                "circle",
                                "cx",
                                Plot.at(x(scale, mark.ratio)),
                                "cy",
                                y,
                                "r",
                                Plot.at(RADIUS),
                                "class",
                                kind + colour(mark.name))
                        .element("title", mark.text)
                        .end();
            }
        }
    }

    private static int colour(int name) {
        return name % Plot.COLOURS;
    }

    private static double x(Scale scale, double value) {
        return LABELS + PLOT * scale.share(value);
    }

    @Override
    public int width() {
        return LABELS + PLOT + TEXTS;
    }

    @Override
    public int height() {
        return Math.max(TOP + ROW * rows.size() + BOTTOM, TOP + LINE * names.size());
    }
}
