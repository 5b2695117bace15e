package io.barrage.loadtest.report;

import java.util.Locale;

/** Something that can be drawn as SVG, inside of a page or as a file of its own. Immutable. */
interface Plot {
    /** Its colours: for light and dark, inside of a page as well as alone. */
    String STYLE = """

            :root { --bg: #ffffff; --ink: #1f2933; --soft: #5f6c7b; --rule: #dfe5ec; --panel: #f6f8fb; --first: #2f6fed;
              --bar: #a9bfdd; --bad: #c62f2f; --warn: #9a6300; --good: #1c7a46; --link: #2159c9;
              --s0: #2f6fed; --s1: #d9730d; --s2: #16875a; --s3: #9145d6; --s4: #c62f2f; --s5: #64748b;
              --s6: #b83280; --s7: #7a6a1f; }
            @media (prefers-color-scheme: dark) { :root { --bg: #14181d; --ink: #e4e9ef; --soft: #9aa7b5; --rule: #2c343d;
              --panel: #1b2128; --first: #5b92ff; --bar: #44566e; --bad: #ff7b72; --warn: #e3b341; --good: #56c78a;
              --link: #82aeff; --s0: #6ea0ff; --s1: #f2a14a; --s2: #4cc38a; --s3: #c08bf5; --s4: #ff7b72;
              --s5: #94a3b8; --s6: #f08bbd; --s7: #c9b458; } }
            .plot { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 13px; }
            .plot text { fill: var(--ink); }
            .plot .plot-title { font-weight: 600; font-size: 14px; }
            .plot .tick { fill: var(--soft); font-size: 11.5px; }
            .plot .value { font-variant-numeric: tabular-nums; }
            .plot .strong { font-weight: 600; }
            .plot .grid { stroke: var(--rule); }
            .plot .reference { stroke: var(--first); stroke-dasharray: 4 4; }
            .plot .bar { fill: var(--bar); }
            .plot .first { fill: var(--first); fill-opacity: .75; }
            .plot .median { stroke: var(--ink); stroke-width: 2; }
            .plot .dot { fill: var(--bg); stroke: var(--ink); stroke-width: 1.2; }
            .plot .unusable { stroke: var(--bad); stroke-width: 1.6; fill: none; }
            .plot .curve { fill: none; stroke-width: 2; }
            .plot .background { fill: var(--bg); }
            .plot .s0 { stroke: var(--s0); } .plot .s1 { stroke: var(--s1); } .plot .s2 { stroke: var(--s2); }
            .plot .s3 { stroke: var(--s3); } .plot .s4 { stroke: var(--s4); } .plot .s5 { stroke: var(--s5); }
            .plot .s6 { stroke: var(--s6); } .plot .s7 { stroke: var(--s7); }
            .plot .f0 { fill: var(--s0); } .plot .f1 { fill: var(--s1); } .plot .f2 { fill: var(--s2); }
            .plot .f3 { fill: var(--s3); } .plot .f4 { fill: var(--s4); } .plot .f5 { fill: var(--s5); }
            .plot .f6 { fill: var(--s6); } .plot .f7 { fill: var(--s7); }
            .plot .mark { fill-opacity: .85; stroke: var(--bg); stroke-width: 1; }
            .plot .hollow { fill: none; stroke-width: 1.5; stroke-dasharray: 2 2; }
            .plot .point { fill: var(--bg); stroke-width: 2; }
            .plot .leader { stroke-width: 1; stroke-dasharray: 1 4; fill: none; opacity: .6; }
            """;

    /** How many gateways can be told apart. */
    int COLOURS = 8;

    String title();

    int width();

    int height();

    /** Writes its elements, within (0, 0) and its size. */
    void draw(Markup out);

    /** As a part of a page that has {@link #STYLE}. */
    default Markup inline() {
        Markup out = new Markup();
        begin(out);
        out.element("title", title());
        draw(out);
        return out.end();
    }

    /** As a file of its own. */
    default String file() {
        Markup out = new Markup();
        begin(out);
        out.element("title", title()).style(STYLE);
        out.empty("rect", "x", "-16", "y", "-12", "width", "100%", "height", "100%", "class", "background");
        draw(out);
        out.end().line();
        return out.toString();
    }

    private void begin(Markup out) {
        out.begin(
                "svg",
                "xmlns",
                "http://www.w3.org/2000/svg",
                "viewBox",
                "-16 -12 " + (width() + 32) + " " + (height() + 24),
                "width",
                Integer.toString(width() + 32),
                "class",
                "plot",
                "role",
                "img");
    }

    /** A coordinate with one digit behind the point. */
    static String at(double coordinate) {
        return String.format(Locale.ROOT, "%.1f", coordinate).replaceFirst("\\.0$", "");
    }
}
