package io.barrage.gateway.clients;

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
 * @param maxConnections on this node; 0 for no limit, where the system has none
 * @param maxSubscriptions of one connection
 * @param limits of one client, one user and one address
 * @param forwarding finds whom a request comes from
 * @param renewal how long a connection whose token has expired may take to bring a new one
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
        ClientLimits limits,
        Forwarding forwarding,
        Duration renewal) {}
