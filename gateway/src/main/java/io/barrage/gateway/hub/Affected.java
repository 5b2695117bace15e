package io.barrage.gateway.hub;

import io.barrage.protocol.ErrorCode;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/**
 * What became of something that was asked of several connections. Immutable.
 *
 * @param connections how many were asked
 * @param affected with how many it was done
 * @param refused why it wasn't with the others, and with how many
 */
public record Affected(int connections, int affected, Map<ErrorCode, Integer> refused) {
    public Affected {
        refused = Map.copyOf(refused);
    }

    /** Nobody was there to be asked. */
    static Affected none() {
        return new Affected(0, 0, Map.of());
    }

    static Affected done() {
        return new Affected(1, 1, Map.of());
    }

    static Affected refused(ErrorCode code) {
        return new Affected(1, 0, Map.of(code, 1));
    }

    static Affected sum(Collection<Affected> parts) {
        int connections = 0;
        int affected = 0;
        Map<ErrorCode, Integer> refused = new EnumMap<>(ErrorCode.class);
        for (Affected part : parts) {
            connections += part.connections;
            affected += part.affected;
            part.refused.forEach((code, count) -> refused.merge(code, count, Integer::sum));
        }
        return new Affected(connections, affected, refused);
    }
}
