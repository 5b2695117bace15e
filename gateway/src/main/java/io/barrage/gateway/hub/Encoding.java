package io.barrage.gateway.hub;

/**
 * How a topic's messages become the frames of a connection. Subscriptions of one encoding read the same bytes. Immutable.
 */
public enum Encoding {
    /** A {@code message} frame for each. */
    PLAIN(false, false),
    /** Several in a {@code messages} frame. */
    BATCH(true, false),
    /** As {@link #PLAIN}, a frame compressed where that pays. */
    DEFLATED(false, true),
    /** As {@link #BATCH}, a frame compressed where that pays. */
    BATCH_DEFLATED(true, true);

    private final boolean batch;
    private final boolean deflated;

    Encoding(boolean batch, boolean deflated) {
        this.batch = batch;
        this.deflated = deflated;
    }

    /** The encoding with these traits. */
    public static Encoding of(boolean batch, boolean deflated) {
        if (batch) {
            return deflated ? BATCH_DEFLATED : BATCH;
        }
        return deflated ? DEFLATED : PLAIN;
    }

    /** Whether several messages may share a frame. */
    public boolean batch() {
        return batch;
    }

    /** Whether a frame may be compressed. */
    public boolean deflated() {
        return deflated;
    }
}
