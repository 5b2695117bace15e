package io.barrage.loadtest.report;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;

/** What a figure is counted in, and how it is written. Immutable. */
enum Unit {
    NONE("", 1, ""),
    PER_SECOND("/s", 1, ""),
    SECONDS("s", 1, " s"),
    BYTES("bytes", 1, " bytes"),
    /** Counted in bytes. */
    MEBIBYTES("MiB", 1.0 / 1048576, " MiB"),
    /** Counted in microseconds. */
    MILLIS("ms", 1.0 / 1000, " ms"),
    MICROS("µs", 1, " µs"),
    CORES("cores", 1, " cores"),
    /** Counted as a share of 1. */
    PERCENT("%", 100, " %"),
    TIMES("x", 1, " ×");

    private static final String UNKNOWN = "–";

    private final String symbol;
    private final double factor;
    private final String suffix;

    Unit(String symbol, double factor, String suffix) {
        this.symbol = symbol;
        this.factor = factor;
        this.suffix = suffix;
    }

    /** @throws IllegalArgumentException if there is none of this symbol */
    static Unit of(String symbol) {
        return Arrays.stream(values())
                .filter(unit -> unit.symbol.equals(symbol))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + symbol + "' is no unit"));
    }

    /** A value in this unit, in words. */
    String format(double value) {
        return Double.isNaN(value) ? UNKNOWN : number(value * factor) + suffix;
    }

    /** The same without the unit's name, for tables that say it above. */
    String bare(double value) {
        return Double.isNaN(value) ? UNKNOWN : number(value * factor);
    }

    /** A ratio, always with as many digits, so that a column of them can be read down. */
    static String ratio(double value) {
        return Double.isNaN(value) ? UNKNOWN : String.format(Locale.ROOT, value < 0.1 ? "%.3f" : "%.2f", value);
    }

    /** A figure as it stands in a text: in brackets if it may not be used. */
    static String marked(String figure, boolean counts) {
        return counts || figure.equals(UNKNOWN) ? figure : "(" + figure + ")";
    }

    /** A value of an axis, with no more digits than it needs. */
    static String tick(double value) {
        return value >= 1000
                ? number(Math.rint(value))
                : BigDecimal.valueOf(Math.round(value * 1e6), 6)
                        .stripTrailingZeros()
                        .toPlainString();
    }

    /** Whole numbers as they are; others with three digits that count. */
    static String number(double value) {
        double size = Math.abs(value);
        if (value == Math.rint(value) && size < 1e15) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        int digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + digits + "f", value);
    }
}
