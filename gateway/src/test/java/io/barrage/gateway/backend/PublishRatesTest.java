package io.barrage.gateway.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.gateway.auth.ApiKey;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.config.Rate;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PublishRatesTest {
    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - 1_000;
    private final PublishRates rates = new PublishRates(() -> now);

    private static Caller key(String name, String rate) {
        return new Caller(new ApiKey(name, Set.of(Scope.PUBLISH), Rate.parse(rate), null));
    }

    @Test
    void withoutALimitNothingWaits() {
        for (int i = 0; i < 1000; i++) {
            assertEquals(0, rates.take(key("a", "none"), 1000));
            assertEquals(0, rates.take(Caller.NOBODY, 1000));
        }
    }

    @Test
    void aSecondsWorthMayComeAtOnceAndThenTheRateHolds() {
        Caller key = key("a", "10/s");
        for (int i = 0; i < 10; i++) {
            assertEquals(0, rates.take(key, 1), "publish " + i);
        }
        for (int i = 0; i < 20; i++) {
            assertEquals(100_000_000, rates.take(key, 1));
            now += 99_999_999;
            assertEquals(1, rates.take(key, 1), "what is refused uses up nothing");
            now++;
            assertEquals(0, rates.take(key, 1));
        }
        now += 10_000_000_000L;
        for (int i = 0; i < 10; i++) {
            assertEquals(0, rates.take(key, 1), "a silence gives no more than a second's worth");
        }
        assertEquals(100_000_000, rates.take(key, 1));
    }

    @Test
    void ofSlowRatesOneMayComeAtOnce() {
        assertEquals(0, rates.take(key("a", "1/h"), 1));
        assertEquals(3_600_000_000_000L, rates.take(key("a", "1/h"), 1));
    }

    @Test
    void manyTargetsAreLetThroughTogetherAndPaidForLater() {
        Caller key = key("a", "10/s");
        assertEquals(0, rates.take(key, 1000));
        now += 99_000_000_000L;
        assertEquals(100_000_000, rates.take(key, 1));
        now += 100_000_000;
        assertEquals(0, rates.take(key, 1));
    }

    @Test
    void keysHaveTheirOwnAllowance() {
        assertEquals(0, rates.take(key("a", "1/h"), 1));
        assertEquals(0, rates.take(key("b", "1/h"), 1));
        assertEquals(0, rates.take(key("a", "2/h"), 1), "another rate since a reload");
    }

    @Test
    void threadsTogetherGetNoMore() throws InterruptedException {
        Caller key = key("a", "1000/s");
        AtomicInteger taken = new AtomicInteger();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int k = 0; k < 1000; k++) {
                    if (rates.take(key, 1) == 0) {
                        taken.incrementAndGet();
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(1000, taken.get());
    }
}
