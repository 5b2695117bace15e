package io.barrage.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Where values stand between the ends of an axis. Immutable.
 *
 * @param log whether equal distances are equal ratios; then {@code from} is positive
 */
record Scale(double from, double to, boolean log) {
    /** Values that differ by more can't be told apart at the lower end otherwise. */
    private static final double MOST_LINEAR = 20;

    private static final double[] LEADS = {1, 2, 5};
    private static final double DECADES_WITH_LEADS = 2.5;
    private static final double ROOM = 1.02;

    /** From 0 for values that are near each other, by powers of ten if they aren't; values that are none are left out. */
    static Scale of(DoubleStream values) {
        double[] known = values.filter(Double::isFinite).toArray();
        double most = DoubleStream.of(known).max().orElse(1);
        double least = DoubleStream.of(known).filter(value -> value > 0).min().orElse(most);
        if (most > MOST_LINEAR * least) {
            return ofRatios(least, most);
        }
        double end = Math.max(most * ROOM, 1e-9);
        double step = step(end, 5);
        return new Scale(0, step * Math.ceil(end / step), false);
    }

    /** By powers of ten, wide enough for both. */
    static Scale ofRatios(double least, double most) {
        return new Scale(lead(least / ROOM, false), lead(most * ROOM, true), true);
    }

    /** The next 1, 2 or 5 times a power of ten. */
    private static double lead(double value, boolean above) {
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        double lead = value / power;
        if (above) {
            return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
        }
        return power * (lead >= 5 ? 5 : lead >= 2 ? 2 : 1);
    }

    /** How far a value is from the lower end, of the whole; what is beyond an end stands at it. */
    double share(double value) {
        double share = log
                ? (Math.log(Math.max(value, from)) - Math.log(from)) / (Math.log(to) - Math.log(from))
                : (value - from) / (to - from);
        return Math.max(0, Math.min(1, share));
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (log) {
            boolean few = Math.log10(to / from) <= DECADES_WITH_LEADS;
            for (double power = Math.pow(10, Math.floor(Math.log10(from))); power <= to * ROOM; power *= 10) {
                for (double lead : LEADS) {
                    double tick = lead * power;
                    if ((lead == 1 || few) && tick >= from / ROOM && tick <= to * ROOM) {
                        ticks.add(tick);
                    }
                }
            }
        } else {
            double step = step(to - from, 5);
            for (int i = 0; from + i * step <= to * 1.0001; i++) {
                ticks.add(from + i * step);
            }
        }
        return ticks;
    }

    /** A step of 1, 2 or 5 times a power of ten that gives about so many ticks. */
    static double step(double range, int ticks) {
        double raw = range / ticks;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double lead = raw / power;
        return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    }
}
