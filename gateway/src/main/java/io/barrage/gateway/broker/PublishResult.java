package io.barrage.gateway.broker;

import io.barrage.protocol.ErrorCode;

/** What became of a publish. Immutable. */
public sealed interface PublishResult {
    /** The message has its place; {@code duplicate} if an earlier publish with its id had got it. */
    record Accepted(String epoch, long offset, boolean duplicate) implements PublishResult {}

    /** It is hidden from everybody but its sender, for a reason; {@code duplicate} as in {@link Accepted}. */
    record Shed(String reason, boolean duplicate) implements PublishResult {}

    /** There was no room for it, and it has no place: try again. */
    record Refused(ErrorCode code, String message) implements PublishResult {}
}
