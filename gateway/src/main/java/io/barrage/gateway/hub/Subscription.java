package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Membership;
import org.jspecify.annotations.Nullable;

/**
 * A connection on a topic, with its cursor: all that a connection costs for what it hasn't read yet.
 *
 * <p>Confined to its event loop.
 */
final class Subscription {
    final Connection connection;
    /** What it reads; changes with its level of attention. */
    Stream stream;
    /** Its place in the stream's {@link SubscriptionList}. */
    int index;
    /** Ordinal of the next frame that it reads. */
    long cursor;
    /** The last offset that it read or was told that it won't get. */
    long offset;
    /** What it reads from the topic's past before it goes on at its cursor; null if nothing, or if it isn't behind. */
    @Nullable
    Replay replay;
    /** Its user's part in it, where subscribers are told of each other; null elsewhere, and without a user. */
    @Nullable
    Membership membership;
    /** Whether a backend wants it, whatever its client may do by itself. */
    boolean byBackend;
    /** While behind: the messages of each priority before the cursor, which the log can't tell once it has trimmed there. */
    long @Nullable [] messagesBefore;
    /** While behind: the hidden messages that frames before the cursor have told of. */
    long hiddenToldBefore;

    Subscription(Connection connection, Stream stream, long cursor, long offset) {
        this.connection = connection;
        this.stream = stream;
        this.cursor = cursor;
        this.offset = offset;
    }

    boolean isBehind() {
        return messagesBefore != null;
    }
}
