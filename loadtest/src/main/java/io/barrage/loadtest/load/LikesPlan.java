package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What a {@code likes} run shall do. Immutable.
 *
 * @param target the gateway
 * @param viewers how many are told the value
 * @param rate publishes a second, over all connections
 * @param connections streams to publish over
 * @param duration how long the load runs
 * @param patience how long after it the last value may take to arrive
 * @param connectTimeout how long all viewers together may take to subscribe
 * @param pid the server's process, to read its CPU time and memory
 */
public record LikesPlan(
        BarrageTarget target,
        int viewers,
        double rate,
        int connections,
        Duration duration,
        Duration patience,
        Duration connectTimeout,
        OptionalLong pid) {

    public LikesPlan {
        Checks.atLeast("viewers", viewers, 1);
        Checks.positive("rate", rate);
        Checks.atLeast("connections", connections, 1);
        Checks.positive("duration", duration);
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d viewers, %,.0f likes/s over %d streams, %.1f s",
                viewers,
                rate,
                connections,
                duration.toMillis() / 1000.0);
    }
}
