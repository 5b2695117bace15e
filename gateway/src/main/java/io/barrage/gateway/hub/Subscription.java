package io.barrage.gateway.hub;

import org.jspecify.annotations.Nullable;

/**
 * A connection on a topic, with its cursor: all that a connection costs for what it hasn't read yet.
 *
 * <p>Confined to its event loop.
 */
final class Subscription {
    final Connection connection;
    final Topic topic;
    /** Its place in the topic's {@link SubscriptionList}. */
    int index;
    /** Ordinal of the next frame that it reads. */
    long cursor;
    /** Offset of the last message that it read or was told that it won't get. */
    long offset;
    /** While behind: the messages of each priority before the cursor, which the log can't tell once it has trimmed there. */
    long @Nullable [] messagesBefore;

    Subscription(Connection connection, Topic topic, long cursor, long offset) {
        this.connection = connection;
        this.topic = topic;
        this.cursor = cursor;
        this.offset = offset;
    }

    boolean isBehind() {
        return messagesBefore != null;
    }
}
