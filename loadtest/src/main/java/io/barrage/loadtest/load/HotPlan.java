package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;

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
        Duration connectTimeout) {

    public HotPlan {
        if (viewers < 1 || viewers > FanoutPlan.MAX_SUBSCRIBERS) {
            throw new IllegalArgumentException(
                    "viewers: " + viewers + " is not within 1 and " + FanoutPlan.MAX_SUBSCRIBERS);
        }
        if (!(rate > 0) || !(gifts > 0) || !(budget > 0) || senders < 1) {
            throw new IllegalArgumentException("rate, gifts, budget and senders must be positive");
        }
        if (bytes < Stamp.MIN_BYTES) {
            throw new IllegalArgumentException("bytes: " + bytes + " is less than " + Stamp.MIN_BYTES);
        }
        if (warmup.isNegative() || duration.compareTo(warmup) <= 0) {
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
