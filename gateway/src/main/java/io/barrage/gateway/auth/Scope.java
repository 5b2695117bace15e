package io.barrage.gateway.auth;

/** What an API key is good for. */
public enum Scope {
    /** Publishing messages. */
    PUBLISH,
    /** Reading topics, history, presence, connections and metrics. */
    READ,
    /** Changing what others see: retracting, disconnecting, draining. */
    CONTROL
}
