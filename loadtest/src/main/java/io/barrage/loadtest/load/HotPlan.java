package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What a {@code hot} run shall do. Immutable.
 *
 * @param target the gateway
 * @param namespace the namespace of the room's topic; its rules have the budget
 * @param viewers how many watch the room
 * @param rate comments a second
 * @param senders how many people write them; the n-th writes one n-th of what the first does
 * @param gifts critical messages a second
 * @param duration how long the load runs
 * @param warmup how much of that doesn't count in the rates
 * @param budget the room's budget a second, to compare with
 * @param bytes the size of a message's data
 * @param connectTimeout how long all viewers together may take to subscribe
 * @param pid the server's process, to read its CPU time
 */
public record HotPlan(
        BarrageTarget target,
        String namespace,
        int viewers,
        double rate,
        int senders,
        double gifts,
        Duration duration,
        Duration warmup,
        double budget,
        int bytes,
        Duration connectTimeout,
        OptionalLong pid) {

    public HotPlan {
        Checks.atLeast("viewers", viewers, 1);
        Checks.positive("rate", rate);
        Checks.atLeast("senders", senders, 1);
        Checks.positive("gifts", gifts);
        Checks.positive("budget", budget);
        Checks.data(bytes);
        Checks.notNegative("warmup", warmup);
        if (duration.compareTo(warmup) <= 0) {
            throw new IllegalArgumentException("duration: " + duration.toMillis()
                    + " ms is not longer than the warm-up of " + warmup.toMillis() + " ms");
        }
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d viewers, %.0f comments/s of %d senders, %.0f gifts/s, budget %.0f/s, %d s",
                viewers,
                rate,
                senders,
                gifts,
                budget,
                duration.toSeconds());
    }
}
