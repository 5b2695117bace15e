package io.barrage.gateway.broker;

/** What becomes of a connection that falls off a topic log. */
public enum Delivery {
    /** It is told what it misses, and goes on near the head. */
    LOSSY,
    /** It is closed, and recovers from the history. */
    RELIABLE
}
