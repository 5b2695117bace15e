package io.barrage.loadtest.load;

/**
 * When each message of an open loop is due, in nanoseconds after the start. Immutable.
 *
 * <p>Latency is measured from these times. A generator that measures from the moment when it got round to sending forgets the
 * messages that a slow gateway kept it from sending: coordinated omission.
 */
interface Schedule {
    /** Due time of message {@code index}; grows with the index. */
    long dueNanos(long index);

    /** {@code perSecond} messages a second, {@code burst} of them due at once. */
    static Schedule steady(double perSecond, int burst) {
        if (!(perSecond > 0) || burst < 1) {
            throw new IllegalArgumentException("rate " + perSecond + " and burst " + burst + ": both must be positive");
        }
        double nanosPerBurst = 1e9 * burst / perSecond;
        return index -> {
            long whole = index / burst;
            return (long) (whole * nanosPerBurst);
        };
    }

    /** The times of a recording, {@code speed} times as fast; they must be sorted. */
    static Schedule recorded(long[] atNanos, double speed) {
        if (!(speed > 0)) {
            throw new IllegalArgumentException("speed " + speed + " must be positive");
        }
        long[] due = new long[atNanos.length];
        for (int i = 0; i < due.length; i++) {
            due[i] = (long) (atNanos[i] / speed);
        }
        return index -> due[(int) index];
    }
}
