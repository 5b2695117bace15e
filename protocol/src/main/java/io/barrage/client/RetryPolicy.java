package io.barrage.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often a call is tried, and how long to wait between: twice as long each time, up to a bound, of which a random half is left
 * out so that many clients don't come back at once. A {@code Retry-After} of the answer is waited for besides. Immutable.
 *
 * @param maxAttempts how often a call is made in all, from 1
 * @param firstDelay the wait behind the first attempt, at most
 * @param maxDelay the longest wait
 */
public record RetryPolicy(int maxAttempts, Duration firstDelay, Duration maxDelay) {
    /** Six attempts within about five seconds: longer than a gateway takes to start. */
    public static final RetryPolicy DEFAULT = new RetryPolicy(6, Duration.ofMillis(200), Duration.ofSeconds(2));

    /** One attempt. */
    public static final RetryPolicy NONE = new RetryPolicy(1, Duration.ofMillis(1), Duration.ofMillis(1));

    /** @throws IllegalArgumentException if there is no attempt, or a delay isn't positive or over its bound */
    public RetryPolicy {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("a call is tried once at least, not " + maxAttempts + " times");
        }
        if (firstDelay.isNegative() || firstDelay.isZero() || firstDelay.compareTo(maxDelay) > 0) {
            throw new IllegalArgumentException(
                    "the first delay is more than nothing and not over the longest: " + firstDelay + ", " + maxDelay);
        }
        if (maxDelay.compareTo(BarrageClient.MAX_DEADLINE) > 0) {
            throw new IllegalArgumentException(
                    "a delay is " + BarrageClient.MAX_DEADLINE + " at most, as a call's deadline is, not " + maxDelay);
        }
    }

    /** How long to wait behind an attempt, counted from 1. */
    long delayNanos(int attempt) {
        long most = firstDelay.toNanos();
        for (int i = 1; i < attempt && most < maxDelay.toNanos(); i++) {
            most *= 2;
        }
        most = Math.min(most, maxDelay.toNanos());
        return most - ThreadLocalRandom.current().nextLong(most / 2 + 1);
    }
}
