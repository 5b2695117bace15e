package io.barrage.gateway.clients;

import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;

/** What the clients' door counts. Thread-safe. */
public interface ClientMetrics {
    /** Counts nothing. */
    ClientMetrics NOOP = new ClientMetrics() {};

    /** A connection has said welcome. */
    default void opened() {}

    /** A connection that had said welcome has ended. */
    default void ended() {}

    /** The gateway closed a connection. */
    default void closed(CloseCode code) {}

    /** An upgrade was refused in HTTP. */
    default void upgradeRefused(ErrorCode code) {}

    /** Somebody was over a limit, and got less than it wanted. */
    default void limited(ClientLimit limit) {}

    /** A client's frame was answered with an error. */
    default void failed(ErrorCode code) {}
}
