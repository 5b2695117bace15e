package io.barrage.gateway.auth;

import java.util.Set;

/** A backend that has proved who it is. Immutable. */
public record ApiKey(String name, Set<Scope> scopes) {

    public ApiKey {
        scopes = Set.copyOf(scopes);
    }

    /** Whether the key is good for that. */
    public boolean allows(Scope scope) {
        return scopes.contains(scope);
    }
}
