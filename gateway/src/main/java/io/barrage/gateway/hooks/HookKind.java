package io.barrage.gateway.hooks;

import java.util.Locale;

/** Which of the backend's hooks. */
public enum HookKind {
    /** Asked for each connection, before its welcome. */
    CONNECT,
    /** Asked for each subscription where the rule is {@code hook}. */
    SUBSCRIBE,
    /** Asked for each publish of a client where the rule is {@code hook}. */
    PUBLISH,
    /** Told what has happened. */
    EVENTS;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word in requests, logs and metrics. */
    public String wire() {
        return wire;
    }
}
