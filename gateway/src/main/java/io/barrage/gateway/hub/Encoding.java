package io.barrage.gateway.hub;

/** How a connection wants its messages. Immutable. */
public enum Encoding {
    /** Each message is a frame. */
    PLAIN(false, false),
    /** The messages that leave together are one {@code messages} frame. */
    BATCH(true, false),
    /** As {@link #PLAIN}, and long frames are compressed (RFC 7692). */
    DEFLATED(false, true),
    /** As {@link #BATCH}, and long frames are compressed. */
    BATCH_DEFLATED(true, true);

    private final boolean batch;
    private final boolean deflated;

    Encoding(boolean batch, boolean deflated) {
        this.batch = batch;
        this.deflated = deflated;
    }

    /** Whether messages that leave together are one frame. */
    public boolean batch() {
        return batch;
    }

    /** Whether long frames are compressed. */
    public boolean deflated() {
        return deflated;
    }
}
