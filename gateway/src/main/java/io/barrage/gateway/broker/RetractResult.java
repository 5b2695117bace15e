package io.barrage.gateway.broker;

import io.barrage.protocol.ErrorCode;

/** What became of a retraction. Immutable. */
public sealed interface RetractResult {
    /**
     * It is done.
     *
     * @param count of the messages that weren't retracted before
     */
    record Retracted(int count) implements RetractResult {}

    /**
     * It wasn't taken, or not as a whole: what has been retracted stays so, and to try again is harmless.
     *
     * @param retryAfterMillis when it may be worth trying again; 0 if nobody knows
     */
    record Refused(ErrorCode code, String message, long retryAfterMillis) implements RetractResult {}
}
