package io.barrage.client;

import org.jspecify.annotations.Nullable;

/**
 * Why a call failed; the cause of the {@link java.util.concurrent.ExecutionException} that its future throws. Immutable.
 *
 * <p>{@link ProblemException} if the gateway refused it, {@link BusyException} if it was never begun, {@link BatchException} if it is a
 * batch that was begun; this class itself if no usable answer came in time.
 */
public class BarrageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final boolean outcomeUnknown;

    BarrageException(String message, boolean outcomeUnknown, @Nullable Throwable cause) {
        super(message + (outcomeUnknown ? "; it may have been carried out all the same" : ""), cause);
        this.outcomeUnknown = outcomeUnknown;
    }

    /** For the same reason, of which there is more to say. */
    BarrageException(BarrageException reason, String more) {
        super(reason.getMessage() + more, reason);
        this.outcomeUnknown = reason.outcomeUnknown;
    }

    /**
     * Whether the gateway may have carried the call out all the same, since the answer to an attempt was lost. False: nothing was
     * published or done. A publish whose outcome is unknown may be repeated with the same {@link Publish#messageId} within five
     * minutes of the first call, and isn't published twice.
     */
    public final boolean isOutcomeUnknown() {
        return outcomeUnknown;
    }

    /** The sentence for a person. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
