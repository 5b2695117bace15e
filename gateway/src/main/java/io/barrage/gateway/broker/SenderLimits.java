package io.barrage.gateway.broker;

import io.barrage.gateway.config.Rate;
import io.barrage.protocol.ErrorCode;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What one sender may say on a topic: so much (slow mode), and not the same again at once.
 *
 * <p>Slow mode is the generic cell rate algorithm: of a sender it needs one moment, the one up to which its allowance is used.
 * A second's worth may come at once, and one message at least.
 *
 * <p>Not thread-safe: used under its topic's lock. Takes no clock of its own. A sender is forgotten when what is known of it
 * can't matter any more.
 */
final class SenderLimits {
    /** Most senders that a topic remembers; beyond that the one who has been silent for longest is forgotten. */
    static final int MAX_SENDERS = 100_000;

    private final Rate rate;
    private final int maxSenders;
    /** Of slow mode; 0 without. */
    private final long intervalNanos;

    private final long toleranceNanos;
    private final long repeatNanos;
    /** After so long a sender's state can't matter any more. */
    private final long lifeNanos;

    /** Whoever has said something last stands last. */
    private final LinkedHashMap<String, Said> said = new LinkedHashMap<>();

    /** What is known of a sender, since its last accepted message. */
    private record Said(long atNanos, long usedUntilNanos, long fingerprint, int length) {}

    private SenderLimits(SenderLimitsConfig rules, int maxSenders) {
        this.rate = rules.perSender();
        this.maxSenders = maxSenders;
        this.intervalNanos = rate.isLimit() ? Math.round(1e9 / rate.perSecond()) : 0;
        long burst = rate.isLimit() ? Math.max(1, (long) rate.perSecond()) : 1;
        this.toleranceNanos = (burst - 1) * intervalNanos;
        this.repeatNanos = rules.repeatWindow().toNanos();
        this.lifeNanos = Math.max(toleranceNanos + intervalNanos, repeatNanos);
    }

    /** Limits by these rules; null if they set none. */
    static @Nullable SenderLimits of(SenderLimitsConfig rules) {
        return of(rules, MAX_SENDERS);
    }

    /** Limits by these rules that know what was said under others; null if they set none. */
    static @Nullable SenderLimits of(SenderLimitsConfig rules, @Nullable SenderLimits before) {
        SenderLimits limits = of(rules);
        if (limits != null && before != null) {
            limits.said.putAll(before.said);
        }
        return limits;
    }

    static @Nullable SenderLimits of(SenderLimitsConfig rules, int maxSenders) {
        return rules.perSender().isLimit() || rules.repeatWindow().compareTo(Duration.ZERO) > 0
                ? new SenderLimits(rules, maxSenders)
                : null;
    }

    /** Says why a sender may not say this now; null if it may. Changes nothing. */
    PublishResult.@Nullable Refused refusal(String sender, byte[] data, long nowNanos) {
        Said last = said.get(sender);
        if (last == null) {
            return null;
        }
        long waitNanos = usedUntilNanos(last) - toleranceNanos - nowNanos;
        if (intervalNanos > 0 && waitNanos > 0) {
            long millis = roundedUp(waitNanos);
            return new PublishResult.Refused(
                    ErrorCode.RATE_LIMITED,
                    "a sender may publish " + rate + " on this topic (slow mode): try again in " + millis + " ms",
                    millis);
        }
        long windowNanos = last.atNanos + repeatNanos - nowNanos;
        if (repeatNanos > 0 && windowNanos > 0 && last.length == data.length && last.fingerprint == fingerprint(data)) {
            long millis = roundedUp(windowNanos);
            return new PublishResult.Refused(
                    ErrorCode.REPEATED,
                    "the same as this sender's last message on this topic: say something else, or try again in "
                            + millis + " ms",
                    millis);
        }
        return null;
    }

    /** Never more than these limits can have used up at once: slower ones, before a reload, may have left more. */
    private long usedUntilNanos(Said last) {
        long most = last.atNanos + toleranceNanos + intervalNanos;
        return last.usedUntilNanos - most > 0 ? most : last.usedUntilNanos;
    }

    private static long roundedUp(long nanos) {
        return (nanos + 999_999) / 1_000_000;
    }

    /** Notes that a sender has said this. */
    void said(String sender, byte[] data, long nowNanos) {
        Said last = said.remove(sender);
        long usedUntil = last == null ? nowNanos : usedUntilNanos(last);
        if (usedUntil - nowNanos < 0) {
            usedUntil = nowNanos;
        }
        said.put(
                sender,
                new Said(nowNanos, usedUntil + intervalNanos, repeatNanos > 0 ? fingerprint(data) : 0, data.length));
        forgetOld(nowNanos);
        if (said.size() > maxSenders) {
            Iterator<String> oldest = said.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** Forgets senders whose state can't matter any more. */
    void forgetOld(long nowNanos) {
        Iterator<Map.Entry<String, Said>> oldest = said.entrySet().iterator();
        while (oldest.hasNext() && nowNanos - oldest.next().getValue().atNanos >= lifeNanos) {
            oldest.remove();
        }
    }

    /** How many senders it remembers now. */
    int size() {
        return said.size();
    }

    /** Instead of the data, of which 100,000 senders could have gigabytes; who finds two that collide hinders itself alone. */
    private static long fingerprint(byte[] data) {
        CRC32 one = new CRC32();
        CRC32C other = new CRC32C();
        one.update(data, 0, data.length);
        other.update(data, 0, data.length);
        return (one.getValue() << 32) | other.getValue();
    }
}
