package io.barrage.gateway.broker;

import io.barrage.protocol.ErrorCode;

/** What became of a publish. Immutable. */
public sealed interface PublishResult {
    /** The message has its place; {@code duplicate} if an earlier publish with its id had got it. */
    record Accepted(String epoch, long offset, boolean duplicate) implements PublishResult {}

    /** It is hidden from everybody but its sender, for a reason; {@code duplicate} as in {@link Accepted}. */
    record Shed(String reason, boolean duplicate) implements PublishResult {}

    /** It is merged into the value of a key; {@code duplicate} if an earlier publish with its id was, and this one wasn't. */
    record ValueAccepted(String key, boolean duplicate) implements PublishResult {}

    /**
     * It wasn't taken, and nothing has changed.
     *
     * @param retryAfterMillis when it may be worth trying again; 0 if nobody knows
     */
    record Refused(ErrorCode code, String message, long retryAfterMillis) implements PublishResult {
        /** A refusal that time doesn't change. */
        public Refused(ErrorCode code, String message) {
            this(code, message, 0);
        }

        /** Whether the node couldn't take it; otherwise a rule is against it. */
        public boolean isOverload() {
            return code == ErrorCode.OVERLOADED;
        }
    }
}
