package io.barrage.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Pauses double, have a bound, and differ. */
class RetryPolicyTest {
    private static final RetryPolicy POLICY = new RetryPolicy(5, Duration.ofMillis(100), Duration.ofMillis(500));

    private static void assertWithin(int attempt, long mostMillis) {
        long most = mostMillis * 1_000_000;
        long[] delays = LongStream.range(0, 1000)
                .map(ignored -> POLICY.delayNanos(attempt))
                .toArray();
        assertTrue(LongStream.of(delays).allMatch(delay -> delay >= most / 2 && delay <= most));
        assertTrue(LongStream.of(delays).distinct().count() > 100);
    }

    @Test
    void doublesUpToItsBound() {
        assertWithin(1, 100);
        assertWithin(2, 200);
        assertWithin(3, 400);
        assertWithin(4, 500);
        assertWithin(1000, 500);
    }

    @Test
    void refusesWhatCantBe() {
        Duration second = Duration.ofSeconds(1);
        assertThrows(IllegalArgumentException.class, () -> new RetryPolicy(0, second, second));
        assertThrows(IllegalArgumentException.class, () -> new RetryPolicy(1, Duration.ZERO, second));
        assertThrows(IllegalArgumentException.class, () -> new RetryPolicy(1, second, Duration.ofMillis(1)));
        assertThrows(IllegalArgumentException.class, () -> new RetryPolicy(1, second, Duration.ofHours(1)));
        assertEquals(1, RetryPolicy.NONE.maxAttempts());
    }
}
