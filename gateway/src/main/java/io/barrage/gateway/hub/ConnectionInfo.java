package io.barrage.gateway.hub;

import io.barrage.protocol.TopicName;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A connection as an operator sees it, at one moment. Immutable.
 *
 * @param user null if it has none
 * @param address its peer's; null if that isn't known any more
 * @param transport as in metrics: {@code websocket}
 * @param behind null if it keeps up
 * @param place where it stands in the order that was asked for
 */
public record ConnectionInfo(
        String id,
        @Nullable String user,
        @Nullable SocketAddress address,
        String transport,
        long connectedNanos,
        int subscriptions,
        @Nullable Behind behind,
        ConnectionPlace place) {

    /**
     * What a connection hasn't got yet.
     *
     * @param messages of all its topics, with those that the transport holds and those that it will only get a gap for
     * @param bytes encoded, in topic logs and in the transport's hands
     * @param forNanos how long the socket has taken too little; 0 if it has just taken all that it was given
     * @param topics that it is behind on, the most bytes first; not more than {@link ConnectionView#MAX_TOPICS}
     * @param moreTopics how many others there are
     */
    public record Behind(long messages, long bytes, long forNanos, List<TopicName> topics, int moreTopics) {}
}
