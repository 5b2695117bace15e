package io.barrage.client;

/** As many calls are in flight as there may be: nothing was sent, and the caller decides what gives way. Immutable. */
public final class BusyException extends BarrageException {
    private static final long serialVersionUID = 1;

    BusyException(int maxInFlight) {
        super(
                maxInFlight
                        + " calls are in flight, which is as many as there may be: nothing was sent. Publish more slowly, in "
                        + "batches, or with a higher maxInFlight",
                false,
                null);
    }
}
