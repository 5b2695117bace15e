package io.barrage.gateway.auth;

/** How clients prove who they are. */
public enum AuthMode {
    /** They don't: anyone may connect, under any name. */
    NONE
}
