package io.barrage.gateway.hub;

/** What the hub tells that can't be read off its counters. Thread-safe. */
@FunctionalInterface
public interface HubListener {
    /** Does nothing. */
    HubListener NOOP = nanos -> {};

    /** A message has been written to the last socket of an event loop, {@code nanos} after it was accepted. */
    void fannedOut(long nanos);
}
