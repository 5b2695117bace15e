package io.barrage.loadtest.measure;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * The percentiles of one latency. Immutable. All times are microseconds.
 *
 * @param count how many values it was made of; with 0, all others are 0
 */
public record LatencySummary(long count, double p50, double p90, double p99, double p999, double max, double mean) {

    /** Of no values at all. */
    public static final LatencySummary NONE = new LatencySummary(0, 0, 0, 0, 0, 0, 0);

    /** A day and a half: no latency is longer, and a stuck one still fits. */
    private static final long HIGHEST_NANOS = 1L << 47;

    /** A histogram of nanoseconds for {@link #of}: three digits, growing with what it sees. Not thread-safe. */
    public static Histogram histogram() {
        Histogram histogram = new Histogram(3);
        histogram.setAutoResize(true);
        return histogram;
    }

    /** Records a value, within what a histogram can hold. A clock read on another core may make it slightly negative. */
    public static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.min(Math.max(nanos, 0), HIGHEST_NANOS));
    }

    /** Sums up a histogram of nanoseconds. */
    public static LatencySummary of(Histogram nanos) {
        if (nanos.getTotalCount() == 0) {
            return NONE;
        }
        return new LatencySummary(
                nanos.getTotalCount(),
                micros(nanos.getValueAtPercentile(50)),
                micros(nanos.getValueAtPercentile(90)),
                micros(nanos.getValueAtPercentile(99)),
                micros(nanos.getValueAtPercentile(99.9)),
                micros(nanos.getMaxValue()),
                micros(Math.round(nanos.getMean())));
    }

    /** One line for a person, in milliseconds. */
    public String inWords() {
        if (count == 0) {
            return "nothing measured";
        }
        return String.format(
                Locale.ROOT,
                "p50 %s  p90 %s  p99 %s  p99.9 %s  max %s ms  (%,d values)",
                millis(p50),
                millis(p90),
                millis(p99),
                millis(p999),
                millis(max),
                count);
    }

    /** Microseconds as milliseconds with three digits that count. */
    public static String millis(double micros) {
        double ms = micros / 1000;
        return String.format(Locale.ROOT, ms < 10 ? "%.2f" : ms < 100 ? "%.1f" : "%.0f", ms);
    }

    private static double micros(long nanos) {
        return Math.round(nanos / 10.0) / 100.0;
    }
}
