package io.barrage.gateway.hub;

/**
 * Where a connection stands in a list, by the figures of the moment when it was read. A list goes on behind a place, whether or
 * not its connection is still there. Immutable.
 *
 * @param bytes what waits for it
 * @param stalledNanos when its socket stopped taking all, since the hub's birth; {@link #NEVER} if it takes all
 * @param number its number on this node
 */
public record ConnectionPlace(long bytes, long stalledNanos, long number) {
    /** Later than any stall. */
    public static final long NEVER = Long.MAX_VALUE;
}
