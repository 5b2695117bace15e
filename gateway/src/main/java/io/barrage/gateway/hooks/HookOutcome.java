package io.barrage.gateway.hooks;

import java.util.Locale;

/** What became of a call of a hook. */
public enum HookOutcome {
    /** The backend said yes. */
    ALLOWED,
    /** The backend said yes to something else than was asked. */
    REWRITTEN,
    /** The backend keeps a publish for later. */
    HELD,
    /** The backend said no. */
    REFUSED,
    /** The backend took a notification. */
    DELIVERED,
    /** No answer, or none that is understood. */
    FAILED,
    /** No whole answer in time. */
    TIMEOUT,
    /** Not even asked: as many calls as may be were waiting for an answer. */
    SATURATED;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word in metrics. */
    public String wire() {
        return wire;
    }
}
