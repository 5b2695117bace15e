package io.barrage.gateway.clients;

import java.util.Locale;

/** What of a client's, or of all clients together, is bounded by the configuration. */
public enum ClientLimit {
    /** Connections of the node. */
    CONNECTIONS("too_many_connections"),
    /** Connections of one user. */
    CONNECTIONS_PER_USER("too_many_connections_of_user"),
    /** Connections of one address. */
    CONNECTIONS_PER_ADDRESS("too_many_connections_of_address"),
    /** Handshakes of the node in a second. */
    HANDSHAKES("overloaded"),
    /** Handshakes of one address in a second. */
    HANDSHAKES_PER_ADDRESS("rate_limited"),
    /** Subscriptions of one connection. */
    SUBSCRIPTIONS("too_many_subscriptions"),
    /** Frames of one connection in a second. */
    INBOUND("rate_limited"),
    /** Frames of one connection in a second, publishes left out. */
    REQUESTS("rate_limited"),
    /** Bytes of a message. */
    MESSAGE("too_large"),
    /** Bytes of a request's body. */
    BODY("too_large"),
    /** Bytes of a request's target. */
    URL("uri_too_long"),
    /** Bytes of a request's header fields. */
    HEADERS("headers_too_large");

    private final String reason;
    private final String wire = name().toLowerCase(Locale.ROOT);

    ClientLimit(String reason) {
        this.reason = reason;
    }

    /** What who is over it is told, as a word. */
    String reason() {
        return reason;
    }

    /** Its name in metrics. */
    public String wire() {
        return wire;
    }
}
