package io.barrage.client;

import io.barrage.protocol.Position;

/** What became of a publish at one of its targets. Immutable. */
public sealed interface Outcome {
    /** The topic; <code>$user:u7</code> for a push to the user u7. */
    String topic();

    /**
     * It has its place in the topic's order and is on its way to all who are there.
     *
     * @param position its epoch and offset
     * @param duplicate whether an earlier publish, or an earlier attempt of this one, with the same message id was published: the
     *     position is that one's, and nothing was published again
     */
    record Accepted(String topic, Position position, boolean duplicate) implements Outcome {}

    /**
     * It was taken and is hidden from all but its sender: the room is over its budget.
     *
     * @param reason {@code budget}
     * @param duplicate as with {@link Accepted}
     */
    record Shed(String topic, String reason, boolean duplicate) implements Outcome {}

    /**
     * It was merged into the topic's value of this key.
     *
     * @param duplicate as with {@link Accepted}
     */
    record Merged(String topic, String key, boolean duplicate) implements Outcome {}

    /**
     * It was refused: nothing was published to this target.
     *
     * @param code the stable name of the reason, such as {@code not_permitted} or {@code overloaded}
     * @param message the reason for a person
     */
    record Refused(String topic, String code, String message) implements Outcome {}
}
