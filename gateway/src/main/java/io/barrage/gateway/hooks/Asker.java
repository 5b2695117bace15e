package io.barrage.gateway.hooks;

import org.jspecify.annotations.Nullable;

/**
 * The connection that the backend is asked about. Immutable.
 *
 * @param user null if it has no name
 * @param authenticated whether a token or the backend vouches for it
 * @param address from where it came; null if that isn't known
 */
public record Asker(
        String connection,
        @Nullable String user,
        boolean authenticated,
        @Nullable String address) {}
