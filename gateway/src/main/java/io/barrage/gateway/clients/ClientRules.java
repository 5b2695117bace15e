package io.barrage.gateway.clients;

import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.time.Duration;
import java.util.List;

/**
 * What the clients' door must know of the configuration. Immutable.
 *
 * @param development whether anyone may name its user, and the demo is served
 * @param origins from where browsers may connect; empty: from the host that serves them, or in development from anywhere
 * @param compression whether permessage-deflate is negotiated with those that offer it
 * @param heartbeat nothing received for so long, with 20 % jitter either way: a ping
 * @param heartbeatTimeout nothing received and nothing written for so long after it: the end
 * @param maxMessageBytes of a message's data
 * @param maxConnections on this node; 0 for no limit
 */
public record ClientRules(
        boolean development,
        List<String> origins,
        boolean compression,
        Duration heartbeat,
        Duration heartbeatTimeout,
        int maxMessageBytes,
        int maxConnections,
        int maxSubscriptions,
        Permissions permissions) {

    /** What clients may do on a topic. Thread-safe. */
    public interface Permissions {
        boolean maySubscribe(TopicName topic);

        boolean mayPublish(TopicName topic);

        boolean mayPublishValues(TopicName topic);

        /** The most urgent priority that a client may give a message. */
        Priority maxPriority(TopicName topic);
    }
}
