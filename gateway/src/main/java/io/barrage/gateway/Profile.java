package io.barrage.gateway;

/** How much the gateway takes for granted. */
public enum Profile {
    /** For trying out: anyone may connect under any name, and clients may publish to {@code demo:*} and {@code hot:*}. */
    DEVELOPMENT,
    /** For the open network: nothing is open that the configuration doesn't open. */
    PRODUCTION
}
