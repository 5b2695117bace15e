package io.barrage.gateway.backend;

/** What the backend's door counts. Thread-safe. */
public interface BackendMetrics {
    /** Counts nothing. */
    BackendMetrics NOOP = new BackendMetrics() {};

    /** A publish was refused, since its API key was over its rate. */
    default void overRate(String key) {}

    /** A stream of publishes was made to wait, since its API key was over its rate. */
    default void slowed(String key) {}

    /** A line of a stream, or the data in it, was larger than may be. */
    default void tooLarge() {}
}
