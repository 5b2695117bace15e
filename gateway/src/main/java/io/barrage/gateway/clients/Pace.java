package io.barrage.gateway.clients;

import io.barrage.gateway.config.Rate;

/**
 * How often something may happen, by the generic cell rate algorithm: of all that has happened it needs one moment, the one up to
 * which the allowance is used. A second's worth may come at once, and one at least. Stateless.
 */
final class Pace {
    private Pace() {}

    /** For how long the next one has to wait; 0 or less if it needn't. */
    static long waitNanos(Rate rate, long usedUntilNanos, long nowNanos) {
        return rate.isLimit() ? begun(rate, usedUntilNanos, nowNanos) - tolerance(rate) - nowNanos : 0;
    }

    /** The moment up to which the allowance is used when one more happens now. */
    static long used(Rate rate, long usedUntilNanos, long nowNanos) {
        if (!rate.isLimit()) {
            return nowNanos;
        }
        long begun = begun(rate, usedUntilNanos, nowNanos);
        return (begun - nowNanos > 0 ? begun : nowNanos) + interval(rate);
    }

    /** Begins anew where more is used than this rate ever lets be: a slower one has left it, before a reload. */
    private static long begun(Rate rate, long usedUntilNanos, long nowNanos) {
        return usedUntilNanos - nowNanos > tolerance(rate) + 2 * interval(rate) ? nowNanos : usedUntilNanos;
    }

    private static long interval(Rate rate) {
        return Math.max(1, Math.round(1e9 / rate.perSecond()));
    }

    private static long tolerance(Rate rate) {
        return (Math.max(1, (long) rate.perSecond()) - 1) * interval(rate);
    }
}
