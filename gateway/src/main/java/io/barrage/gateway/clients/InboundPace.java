package io.barrage.gateway.clients;

import io.barrage.gateway.config.Rate;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How fast a client may speak. Who is faster isn't refused anything: it is read more slowly, and so can't send faster either.
 *
 * <p>Confined to its connection's event loop.
 */
final class InboundPace {
    /** So long at least nothing is read then, for one timer to be worth several frames. */
    private static final long LEAST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** How often at most a client is told that it is too fast. */
    private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A client that is so many seconds ahead with what was read already is too fast to be waited for. */
    private static final int MAX_SECONDS_AHEAD = 10;

    private long framesUsed;
    private long requestsUsed;
    /** Made with the first, which most clients never have. */
    private @Nullable Pauses pauses;

    private static final class Pauses {
        private boolean paused;
        private long until;
        /** What it is, or was last, paused for. */
        private ClientLimit limit = ClientLimit.INBOUND;

        private boolean told;
        private long toldNanos;
    }

    InboundPace(long nowNanos) {
        this.framesUsed = nowNanos;
        this.requestsUsed = nowNanos;
    }

    /**
     * Counts a frame that was carried out: null, or the limit that the next one has to wait for.
     *
     * @param publish whether it was one
     */
    @Nullable
    ClientLimit count(ClientLimits limits, boolean publish, long nowNanos) {
        framesUsed = Pace.used(limits.inbound(), framesUsed, nowNanos);
        if (!publish) {
            requestsUsed = Pace.used(limits.requests(), requestsUsed, nowNanos);
        }
        long byFrames = Pace.waitNanos(limits.inbound(), framesUsed, nowNanos);
        long byRequests = Pace.waitNanos(limits.requests(), requestsUsed, nowNanos);
        long wait = Math.max(byFrames, byRequests);
        if (wait <= 0) {
            return null;
        }
        Pauses pause = pauses();
        pause.paused = true;
        pause.until = nowNanos + Math.max(wait, LEAST_PAUSE_NANOS);
        pause.limit = byFrames >= byRequests ? ClientLimit.INBOUND : ClientLimit.REQUESTS;
        return pause.limit;
    }

    private Pauses pauses() {
        if (pauses == null) {
            pauses = new Pauses();
        }
        return pauses;
    }

    /** The limit that it is paused for. */
    ClientLimit limit() {
        return pauses().limit;
    }

    /** Whether nothing may be carried out for now. */
    boolean isPaused() {
        return pauses != null && pauses.paused;
    }

    /** How much longer. */
    long pauseNanos(long nowNanos) {
        return pauses().until - nowNanos;
    }

    /** The pause is over. */
    void goOn() {
        pauses().paused = false;
    }

    /** Whether the client is to be told now that it is too fast; not each time. */
    boolean mustTell(long nowNanos) {
        Pauses pause = pauses();
        if (pause.told && nowNanos - pause.toldNanos < TELL_NANOS) {
            return false;
        }
        pause.told = true;
        pause.toldNanos = nowNanos;
        return true;
    }

    /** Whether it is paused, and so many of the client's frames wait that it is too far ahead. */
    boolean isTooFarAhead(ClientLimits limits, int waiting) {
        if (!isPaused()) {
            return false;
        }
        Rate over = limit() == ClientLimit.INBOUND ? limits.inbound() : limits.requests();
        return waiting > MAX_SECONDS_AHEAD * over.perSecond();
    }
}
