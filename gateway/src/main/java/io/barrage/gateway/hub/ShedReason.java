package io.barrage.gateway.hub;

import java.util.Locale;

/** Why a message deliberately wasn't delivered to a subscription. Immutable; a closed set, since it is a metric's label. */
public enum ShedReason {
    /** The subscription's socket took too little for too long, and the log moved on; told as a {@code gap}. */
    BEHIND,
    /** It was stale before it could be sent ({@code ttlMs}); told as a {@code gap}. */
    EXPIRED,
    /** It was retracted before it could be sent; told as a {@code gap}. */
    RETRACTED,
    /** The subscription's level of attention leaves it out; told as a {@code gap}, or read from the topic's past later. */
    ATTENTION,
    /** The connection ended, or left the topic, with messages still on their way. */
    DISCONNECTED;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word in frames and metrics. */
    public String wire() {
        return wire;
    }
}
