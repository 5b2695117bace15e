package io.barrage.gateway.hub;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Connections in the order that was asked for. Immutable.
 *
 * @param more whether others follow behind the last
 */
public record ConnectionPage(List<ConnectionInfo> connections, boolean more) {

    /** Several event loops' answers to one query as one. */
    static ConnectionPage merge(Collection<ConnectionPage> shards, ConnectionQuery query) {
        List<ConnectionInfo> all = shards.stream()
                .flatMap(shard -> shard.connections.stream())
                .sorted(Comparator.comparing(ConnectionInfo::place, query.order()))
                .toList();
        boolean more = all.size() > query.limit() || shards.stream().anyMatch(ConnectionPage::more);
        return new ConnectionPage(all.subList(0, Math.min(all.size(), query.limit())), more);
    }
}
