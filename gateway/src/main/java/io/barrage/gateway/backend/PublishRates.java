package io.barrage.gateway.backend;

import io.barrage.gateway.auth.ApiKey;
import io.barrage.gateway.config.Rate;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How much each API key may publish: the generic cell rate algorithm, which needs of a key one moment, the one up to which its
 * allowance is used. A second's worth may come at once, and one publish at least.
 *
 * <p>A publish to many targets is one decision: while the allowance lasts for one target it is let through as a whole, and what
 * comes behind it waits for all of its targets. So it is never half refused, and over time the rate holds all the same.
 *
 * <p>Thread-safe, without locks: one for all connections.
 */
final class PublishRates {
    private final LongSupplier ticker;
    /** Also of keys and rates that aren't configured any more, which are few. */
    private final ConcurrentMap<Of, AtomicLong> usedUntilNanos = new ConcurrentHashMap<>();

    /** With another rate a key's allowance begins anew: a slower one could have left it used up for hours. */
    private record Of(String key, Rate rate) {}

    /** @param ticker the {@link System#nanoTime} clock */
    PublishRates(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /** Takes {@code count} publishes out of the caller's allowance; if nothing is left of it, how long to wait, in nanoseconds. */
    long take(Caller caller, int count) {
        ApiKey key = caller.key();
        if (key == null || !key.rate().isLimit()) {
            return 0;
        }
        long now = ticker.getAsLong();
        long intervalNanos = Math.max(1, Math.round(1e9 / key.rate().perSecond()));
        long toleranceNanos = (Math.max(1, (long) key.rate().perSecond()) - 1) * intervalNanos;
        AtomicLong usedUntil =
                usedUntilNanos.computeIfAbsent(new Of(key.name(), key.rate()), ignored -> new AtomicLong(now));
        while (true) {
            long used = usedUntil.get();
            long waitNanos = used - toleranceNanos - now;
            if (waitNanos > 0) {
                return waitNanos;
            }
            long begun = used - now > 0 ? used : now;
            if (usedUntil.compareAndSet(used, begun + count * intervalNanos)) {
                return 0;
            }
        }
    }
}
