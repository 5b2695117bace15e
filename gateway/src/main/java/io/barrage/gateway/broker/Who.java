package io.barrage.gateway.broker;

/** Which clients may do something in a namespace. */
public enum Who {
    /** No client; backends may. */
    NONE,
    /** Every client that may connect. */
    ANYONE
}
