package io.barrage.gateway.hub;

import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads the connections of one event loop for a query: looks at all, keeps no more than a page of them.
 *
 * <p>Confined to its event loop.
 */
final class ConnectionView {
    /** Topics that are named of one connection: with the longest names a page stays below 3 MB. */
    static final int MAX_TOPICS = 10;

    private final HubShard shard;
    private final ConnectionQuery query;
    private final long originNanos;
    private final long nowNanos;

    /** @param originNanos the hub's birth: the clock may wrap round, so places have distances from here */
    ConnectionView(HubShard shard, ConnectionQuery query, long originNanos) {
        this.shard = shard;
        this.query = query;
        this.originNanos = originNanos;
        this.nowNanos = shard.loop().nanoTime();
    }

    private record Found(Connection connection, ConnectionPlace place) {}

    /** This event loop's part of the page. */
    ConnectionPage read() {
        Comparator<Found> order = Comparator.comparing(Found::place, query.order());
        // The last of those kept is the first to go.
        PriorityQueue<Found> kept = new PriorityQueue<>(order.reversed());
        boolean more = false;
        for (Connection connection : shard.connections()) {
            if (!isAskedFor(connection)) {
                continue;
            }
            Found found = new Found(connection, placeOf(connection));
            if (query.after() != null && query.order().compare(found.place, query.after()) <= 0) {
                continue;
            }
            kept.add(found);
            if (kept.size() > query.limit()) {
                kept.remove();
                more = true;
            }
        }
        List<ConnectionInfo> page =
                kept.stream().sorted(order).map(this::describe).toList();
        return new ConnectionPage(page, more);
    }

    private boolean isAskedFor(Connection connection) {
        if (query.user() != null && !query.user().equals(connection.user())) {
            return false;
        }
        return query.topic() == null || shard.isSubscribed(connection, query.topic());
    }

    private ConnectionPlace placeOf(Connection connection) {
        if (query.order() == ConnectionOrder.OPENED || !isBehind(connection)) {
            return new ConnectionPlace(0, ConnectionPlace.NEVER, connection.number());
        }
        long stalledNanos =
                connection.inFlight == null ? ConnectionPlace.NEVER : connection.stalledSinceNanos - originNanos;
        return new ConnectionPlace(bytesFor(connection), stalledNanos, connection.number());
    }

    private ConnectionInfo describe(Found found) {
        Connection connection = found.connection;
        return new ConnectionInfo(
                connection.id(),
                connection.user(),
                connection.address(),
                connection.transport(),
                nowNanos - connection.openedNanos,
                connection.subscriptionCount(),
                behindOf(connection),
                found.place);
    }

    private ConnectionInfo.@Nullable Behind behindOf(Connection connection) {
        if (!isBehind(connection)) {
            return null;
        }
        long messages = messagesInFlight(connection);
        List<Subscription> unread = new ArrayList<>();
        for (Subscription subscription : connection.subscriptions) {
            messages += unreadMessages(subscription);
            if (subscription.isBehind() || unreadBytes(subscription) > 0) {
                unread.add(subscription);
            }
        }
        unread.sort(Comparator.comparingLong(ConnectionView::unreadBytes).reversed());
        List<TopicName> topics =
                unread.stream().limit(MAX_TOPICS).map(ConnectionView::topicOf).toList();
        long forNanos = connection.inFlight == null ? 0 : nowNanos - connection.stalledSinceNanos;
        return new ConnectionInfo.Behind(
                messages, bytesFor(connection), forNanos, topics, unread.size() - topics.size());
    }

    /**
     * Whether its socket doesn't take all, or has something to catch up on. One that merely waits for its topic's next walk
     * keeps up.
     */
    private static boolean isBehind(Connection connection) {
        if (connection.inFlight != null) {
            return true;
        }
        // By index: this runs for each connection of the loop.
        for (int i = 0; i < connection.subscriptions.size(); i++) {
            if (connection.subscriptions.get(i).isBehind()) {
                return true;
            }
        }
        return false;
    }

    private static long bytesFor(Connection connection) {
        long bytes = connection.heldBytes();
        for (Subscription subscription : connection.subscriptions) {
            bytes += unreadBytes(subscription);
        }
        return bytes;
    }

    private static long messagesInFlight(Connection connection) {
        long messages = 0;
        for (InFlight part = connection.inFlight; part != null; part = part.next) {
            for (int ofPriority : part.messages) {
                messages += ofPriority;
            }
        }
        return messages;
    }

    // ---------------------------------------------------------------- what a subscription's cursor tells

    private static TopicName topicOf(Subscription subscription) {
        return subscription.stream.topic.name;
    }

    /** Bytes that it has still to be given, as far as the log still has them. */
    private static long unreadBytes(Subscription subscription) {
        return subscription.stream.log.bytesFrom(subscription.cursor);
    }

    /** Messages that it has still to be given, also those that the log has dropped. */
    private static long unreadMessages(Subscription subscription) {
        TopicLog log = subscription.stream.log;
        long[] before = subscription.messagesBefore;
        if (before == null) {
            before = new long[NamespaceCounters.PRIORITIES];
            log.messagesBefore(subscription.cursor, before);
        }
        Replay replay = subscription.replay;
        long messages = replay == null ? 0 : Math.max(0, replay.through - subscription.offset);
        for (int priority = 0; priority < before.length; priority++) {
            messages += log.messages(priority) - before[priority];
        }
        return messages;
    }
}
