package io.barrage.gateway.clients;

import io.barrage.gateway.config.Rate;

/**
 * How much one client, or all of an address or a user, may have and do. Immutable.
 *
 * @param connectionsPerUser on this node; 0 for no limit
 * @param connectionsPerAddress on this node; 0 for no limit
 * @param countLoopback whether the limits by address hold for loopback's, too
 * @param handshakes of the node
 * @param handshakesPerAddress of one address
 * @param inbound frames of one connection
 * @param requests frames of one connection, publishes left out
 */
public record ClientLimits(
        int connectionsPerUser,
        int connectionsPerAddress,
        boolean countLoopback,
        Rate handshakes,
        Rate handshakesPerAddress,
        Rate inbound,
        Rate requests) {
    /** No limit at all. */
    public static final ClientLimits NONE = new ClientLimits(0, 0, false, Rate.NONE, Rate.NONE, Rate.NONE, Rate.NONE);
}
