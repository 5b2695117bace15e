package io.barrage.gateway.auth;

import io.barrage.gateway.config.Rate;
import io.barrage.protocol.TopicName;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A backend that has proved who it is. Immutable.
 *
 * @param rate how much it may publish
 * @param topics what it may publish to; null for everything
 */
public record ApiKey(
        String name, Set<Scope> scopes, Rate rate, @Nullable TopicPatterns topics) {

    public ApiKey {
        scopes = Set.copyOf(scopes);
    }

    /** Whether the key is good for that. */
    public boolean allows(Scope scope) {
        return scopes.contains(scope);
    }

    /** Whether the key may publish to that topic, if it may publish at all. */
    public boolean mayPublishTo(TopicName topic) {
        return topics == null || topics.match(topic);
    }
}
