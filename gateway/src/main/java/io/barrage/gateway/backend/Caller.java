package io.barrage.gateway.backend;

import io.barrage.gateway.auth.ApiKey;
import org.jspecify.annotations.Nullable;

/**
 * Who asks. Immutable.
 *
 * @param key the API key that was shown; null where none is needed
 */
public record Caller(@Nullable ApiKey key) {
    /** Whom a request is taken for where no key is asked for. */
    public static final Caller NOBODY = new Caller(null);

    /** The API key's name, empty without one: message ids belong to it. */
    public String name() {
        return key == null ? "" : key.name();
    }
}
