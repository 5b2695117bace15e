package io.barrage.loadtest.target;

/** How a gateway takes publishes. Immutable. */
public enum Publishing {
    /** An HTTP request for each; requests may be pipelined. */
    HTTP,
    /** A line for each in an HTTP request that stays open, and a line for each in its answer. */
    NDJSON,
    /** The NATS client protocol over TCP: a {@code PUB} for each, and a {@code PING} behind those of one write. */
    NATS
}
