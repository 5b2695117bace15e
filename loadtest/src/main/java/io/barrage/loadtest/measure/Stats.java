package io.barrage.loadtest.measure;

import java.util.stream.DoubleStream;

/** Sums up values. Thread-safe: no state. */
public final class Stats {
    private Stats() {}

    /** The middle value, or the mean of the two in the middle; values that are none are left out; NaN of nothing. */
    public static double median(DoubleStream values) {
        double[] sorted = values.filter(value -> !Double.isNaN(value)).sorted().toArray();
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
