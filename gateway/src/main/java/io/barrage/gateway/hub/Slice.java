package io.barrage.gateway.hub;

/**
 * How much of a drain is done before the loop looks for I/O again, so that a ping is answered while a hundred thousand
 * connections are being written to.
 *
 * <p>Confined to its event loop.
 */
final class Slice {
    /** Writes of one slice: at about 5 us each this is as long as {@link #MAX_NANOS}. */
    static final int MAX_WRITES = 1024;

    /** Longer slices find more publishes in one read, and answer a ping later. */
    static final long MAX_NANOS = 5_000_000;

    /** The clock costs a tenth of a write, so it isn't asked before each. */
    private static final int WRITES_PER_CLOCK = 32;

    private final Loop loop;
    private int writesLeft;
    private long endNanos;

    Slice(Loop loop) {
        this.loop = loop;
    }

    void begin() {
        writesLeft = MAX_WRITES;
        endNanos = loop.nanoTime() + MAX_NANOS;
    }

    /** A write has been made. */
    void wrote() {
        writesLeft--;
    }

    int writesLeft() {
        return writesLeft;
    }

    boolean isOver() {
        if (writesLeft <= 0) {
            return true;
        }
        if (writesLeft % WRITES_PER_CLOCK == 0 && loop.nanoTime() - endNanos >= 0) {
            writesLeft = 0;
            return true;
        }
        return false;
    }
}
