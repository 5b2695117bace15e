package io.barrage.client;

import java.util.Map;

/**
 * To how many of a user's connections something was done. Immutable.
 *
 * @param connections how many were asked
 * @param affected with how many it was done
 * @param refused why it wasn't with the others: how many by code, such as {@code already_subscribed}
 */
public record Affected(String user, int connections, int affected, Map<String, Integer> refused) {
    /** Copies the map. */
    public Affected {
        refused = Map.copyOf(refused);
    }
}
