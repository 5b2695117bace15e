package io.barrage.gateway.broker;

/** Which clients may do something in a namespace. */
public enum Who {
    /** No client; backends may. */
    NONE,
    /** Every client that may connect. */
    ANYONE,
    /** Every client with a valid token. */
    AUTHENTICATED,
    /** Clients whose token names the topic. */
    TOKEN,
    /** Whom the backend allows, asked each time. */
    HOOK;

    /** Whether this lets nobody do it whom {@code other} doesn't. */
    public boolean isWithin(Who other) {
        return switch (other) {
            case ANYONE -> true;
            case AUTHENTICATED -> this == NONE || this == TOKEN || this == AUTHENTICATED;
            case NONE, TOKEN, HOOK -> this == NONE || this == other;
        };
    }
}
