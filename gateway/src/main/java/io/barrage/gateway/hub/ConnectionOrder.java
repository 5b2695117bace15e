package io.barrage.gateway.hub;

import java.util.Comparator;

/** In which order connections are listed. */
public enum ConnectionOrder implements Comparator<ConnectionPlace> {
    /** The oldest first. */
    OPENED,
    /** Those that most bytes wait for first, then those that have been stalled for longest, then the oldest. */
    BEHIND;

    private static final Comparator<ConnectionPlace> BY_NUMBER = Comparator.comparingLong(ConnectionPlace::number);

    private static final Comparator<ConnectionPlace> BY_BACKLOG = Comparator.comparingLong(ConnectionPlace::bytes)
            .reversed()
            .thenComparingLong(ConnectionPlace::stalledNanos)
            .thenComparing(BY_NUMBER);

    @Override
    public int compare(ConnectionPlace a, ConnectionPlace b) {
        return (this == BEHIND ? BY_BACKLOG : BY_NUMBER).compare(a, b);
    }
}
