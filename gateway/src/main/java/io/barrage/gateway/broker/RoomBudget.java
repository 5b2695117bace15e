package io.barrage.gateway.broker;

import io.barrage.protocol.Priority;
import java.security.SecureRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decides which of a topic's messages are shown when there are more than a viewer can read. The decision falls once per message,
 * before it has an offset, so that every viewer of every node sees the same room.
 *
 * <p>{@code high} and {@code critical} pass, up to a bound of their own beyond which the publisher is told no. What they leave of
 * the budget, but never less than {@value #OTHERS_SHARE} of it, goes to {@code normal}; what that leaves, to {@code low}.
 * When there is too much of a kind, its senders share evenly: each keeps what it sends up to a common rate, and beyond that an
 * evenly spaced part of it (max-min fairness, as in fair queueing, but without queues: a line is shown now or never).
 *
 * <p>Not thread-safe: used under its topic's lock. Takes no clock of its own, calls nothing, and takes constant time but for some
 * microseconds {@value #TICKS_PER_SECOND} times a second.
 */
final class RoomBudget {
    /** What became of a message. */
    enum Verdict {
        /** It is shown. */
        SHOW,
        /** It is hidden from everybody but its sender. */
        HIDE,
        /** Too much that must not be hidden: its publisher has to know. */
        REFUSE
    }

    /** What high and critical can't take from the others. */
    static final double OTHERS_SHARE = 0.8;

    /** Times the budget that high and critical may come to. */
    static final double URGENT_BOUND = 2;

    static final int TICKS_PER_SECOND = 5;

    private static final long TICK_NANOS = 1_000_000_000L / TICKS_PER_SECOND;

    /** Weight of the last tick in an estimated rate: a change is believed after about a second. */
    private static final double GAIN = 0.3;

    private static final SecureRandom RANDOM = new SecureRandom();

    private double budget;
    private final Kind normal = new Kind();
    private final Kind low = new Kind();
    private double urgentRate;
    private int urgentInTick;
    private double urgentTokens;
    /** What normal and low may come to, per second: what high and critical leave, but never less than their share. */
    private double forOthers;

    private double tokens;
    private long tickNanos;
    private long refilledNanos;

    /** @param perSecond messages that a viewer can be shown in a second */
    RoomBudget(double perSecond, long nowNanos) {
        this.budget = perSecond;
        this.forOthers = perSecond;
        this.tokens = burst();
        this.urgentTokens = URGENT_BOUND * burst();
        this.tickNanos = nowNanos;
        this.refilledNanos = nowNanos;
    }

    /** Another budget from now on; what is known of the senders stays. */
    void change(double perSecond) {
        budget = perSecond;
        forOthers = Math.max(OTHERS_SHARE * budget, budget - urgentRate);
        tokens = Math.min(tokens, burst());
        urgentTokens = Math.min(urgentTokens, URGENT_BOUND * burst());
    }

    /** A quiet room may show a second's worth at once. */
    private double burst() {
        return Math.max(1, budget);
    }

    /** Messages of one priority that may be hidden, and what is known of their senders. */
    private static final class Kind {
        /** So many senders are told apart; beyond that, some share a sender's part. */
        private static final int PLACES = 1024;

        /** Places that a sender may have, from the one of its hash on. */
        private static final int PROBES = 16;

        /** Messages per second below which a silent sender isn't remembered. */
        private static final float FORGOTTEN_RATE = 0.01f;

        /** So that nobody can choose a name which shares another one's place. */
        private final int salt = RANDOM.nextInt();

        private double rate;
        private int inTick;
        /** What each sender may have shown per second while there is too much; infinite while there isn't. */
        private double fairRate = Double.POSITIVE_INFINITY;

        // Made when there is too much for the first time: most topics never need them.
        private float @Nullable [] rates;
        private int[] counts = {};
        private float[] credits = {};
        /** Whose a place is, as the salted hash of a name; 0 for nobody's. */
        private int[] owners = {};
        /** The place of the last one that was counted, or -1, and the credits there before it. */
        private int lastPlace;

        private float creditsBefore;

        private int place(@Nullable String sender) {
            int hash = salt;
            for (int i = 0; sender != null && i < sender.length(); i++) {
                hash = (hash ^ sender.charAt(i)) * 0x01000193;
            }
            hash = (hash ^ (hash >>> 15)) * 0x2c1b3c6d;
            hash ^= hash >>> 13;
            hash = hash == 0 ? 1 : hash;
            int first = hash & (PLACES - 1);
            int free = -1;
            for (int i = 0; i < PROBES; i++) {
                int place = (first + i) & (PLACES - 1);
                if (owners[place] == hash) {
                    return place;
                }
                if (free < 0 && owners[place] == 0) {
                    free = place;
                }
            }
            if (free < 0) {
                return first;
            }
            owners[free] = hash;
            return free;
        }

        /** Whether this one is in its sender's part. Counts it. */
        boolean isInPart(@Nullable String sender) {
            inTick++;
            lastPlace = -1;
            if (rates == null) {
                return true;
            }
            int place = place(sender);
            counts[place]++;
            lastPlace = place;
            creditsBefore = credits[place];
            if (fairRate == Double.POSITIVE_INFINITY) {
                return true;
            }
            double of = Math.max(rates[place], fairRate);
            credits[place] += (float) (fairRate / of);
            if (credits[place] < 1) {
                return false;
            }
            credits[place] -= 1;
            return true;
        }

        /** The last one wasn't sent. */
        void takeBack() {
            inTick--;
            if (lastPlace >= 0) {
                counts[lastPlace]--;
                credits[lastPlace] = creditsBefore;
            }
        }

        void tick(double allowed, boolean exhausted) {
            rate += GAIN * (inTick * TICKS_PER_SECOND - rate);
            inTick = 0;
            if (rates == null) {
                if (rate <= allowed && !exhausted) {
                    return;
                }
                rates = new float[PLACES];
                counts = new int[PLACES];
                credits = new float[PLACES];
                owners = new int[PLACES];
                // Nothing is known of who sends how much yet; until the next tick, the tokens alone decide.
                return;
            }
            for (int i = 0; i < PLACES; i++) {
                rates[i] += (float) (GAIN * (counts[i] * TICKS_PER_SECOND - rates[i]));
                if (counts[i] == 0 && rates[i] < FORGOTTEN_RATE) {
                    // Silent for some seconds: the place is free.
                    rates[i] = 0;
                    credits[i] = 0;
                    owners[i] = 0;
                }
            }
            Arrays.fill(counts, 0);
            fairRate = rate <= allowed ? Double.POSITIVE_INFINITY : fairRate(rates, allowed);
        }

        /** The level at which the senders' rates, each cut to it, add up to {@code allowed}. */
        private static double fairRate(float[] rates, double allowed) {
            float[] sorted = rates.clone();
            Arrays.sort(sorted);
            double left = allowed;
            for (int i = 0; i < PLACES; i++) {
                double even = left / (PLACES - i);
                if (sorted[i] >= even) {
                    return even;
                }
                left -= sorted[i];
            }
            return Double.POSITIVE_INFINITY;
        }
    }

    /** Decides on a message. */
    Verdict decide(Priority priority, @Nullable String sender, long nowNanos) {
        advance(nowNanos);
        return switch (priority) {
            case HIGH, CRITICAL -> {
                if (urgentTokens < 1) {
                    yield Verdict.REFUSE;
                }
                urgentTokens--;
                urgentInTick++;
                yield Verdict.SHOW;
            }
            case NORMAL -> spend(normal.isInPart(sender), 0);
            case LOW -> spend(low.isInPart(sender), reserveForNormal());
        };
    }

    /** Undoes the last decision, which was to show a message of this priority: there is no room for it. */
    void takeBack(Priority priority) {
        switch (priority) {
            case HIGH, CRITICAL -> {
                urgentTokens++;
                urgentInTick--;
            }
            case NORMAL -> {
                tokens++;
                normal.takeBack();
            }
            case LOW -> {
                tokens++;
                low.takeBack();
            }
        }
    }

    /** What low leaves to normal, so that low goes first: a part of a burst, but never all that there can be. */
    private double reserveForNormal() {
        return Math.min(burst() / 2, burst() - 1);
    }

    private Verdict spend(boolean inPart, double reserve) {
        if (!inPart || tokens < 1 + reserve) {
            return Verdict.HIDE;
        }
        tokens--;
        return Verdict.SHOW;
    }

    private void advance(long nowNanos) {
        double seconds = (nowNanos - refilledNanos) / 1e9;
        if (seconds > 0) {
            refilledNanos = nowNanos;
            tokens = Math.min(burst(), tokens + seconds * forOthers);
            urgentTokens = Math.min(URGENT_BOUND * burst(), urgentTokens + seconds * URGENT_BOUND * budget);
        }
        long ticks = (nowNanos - tickNanos) / TICK_NANOS;
        if (ticks <= 0) {
            return;
        }
        tickNanos += ticks * TICK_NANOS;
        // After a long silence a few empty ticks say the same as all of them.
        for (long i = 0; i < Math.min(ticks, 4L * TICKS_PER_SECOND); i++) {
            tick();
        }
    }

    private void tick() {
        urgentRate += GAIN * (urgentInTick * TICKS_PER_SECOND - urgentRate);
        urgentInTick = 0;
        forOthers = Math.max(OTHERS_SHARE * budget, budget - urgentRate);
        normal.tick(forOthers, tokens < 1);
        low.tick(Math.max(0, forOthers - normal.rate), tokens < reserveForNormal());
    }
}
