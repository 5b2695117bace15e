package io.barrage.gateway.hub;

import io.barrage.protocol.TopicName;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A user's connections at one moment. Immutable.
 *
 * @param count how many there are
 * @param connections the oldest of them, at most {@link #MAX_LISTED}
 */
public record UserConnections(int count, List<Listed> connections) {
    /** Connections that are listed. */
    public static final int MAX_LISTED = 100;

    /** Topics that are named of each. */
    public static final int MAX_TOPICS = 100;

    /**
     * One of them. Immutable.
     *
     * @param address its peer's; null if that isn't known any more
     * @param transport as in metrics: {@code websocket}
     * @param topics that it is on, without that of the pushes to the user, in the order in which it came to them
     * @param moreTopics how many others there are
     */
    public record Listed(
            String id,
            long number,
            @Nullable SocketAddress address,
            String transport,
            long connectedNanos,
            List<TopicName> topics,
            int moreTopics) {

        static Listed of(Connection connection, long nowNanos) {
            List<TopicName> all = connection.topics();
            all.removeIf(topic -> topic.namespace().equals(TopicName.USER_NAMESPACE));
            List<TopicName> named = List.copyOf(all.subList(0, Math.min(all.size(), MAX_TOPICS)));
            return new Listed(
                    connection.id(),
                    connection.number(),
                    connection.address(),
                    connection.transport(),
                    nowNanos - connection.openedNanos,
                    named,
                    all.size() - named.size());
        }
    }

    /** Those of one event loop. */
    static UserConnections of(Collection<Connection> connections, long nowNanos) {
        return new UserConnections(
                connections.size(),
                connections.stream()
                        .sorted(Comparator.comparingLong(Connection::number))
                        .limit(MAX_LISTED)
                        .map(connection -> Listed.of(connection, nowNanos))
                        .toList());
    }

    /** Several event loops' as one. */
    static UserConnections merge(Collection<UserConnections> parts) {
        return new UserConnections(
                parts.stream().mapToInt(UserConnections::count).sum(),
                parts.stream()
                        .flatMap(part -> part.connections.stream())
                        .sorted(Comparator.comparingLong(Listed::number))
                        .limit(MAX_LISTED)
                        .toList());
    }
}
