package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.Rate;
import org.junit.jupiter.api.Test;

class InboundPaceTest {
    private static final ClientLimits LIMITS =
            new ClientLimits(0, 0, false, Rate.NONE, Rate.NONE, Rate.parse("500/s"), Rate.parse("20/s"));

    private final InboundPace pace = new InboundPace(0);

    /** Counts frames that all come at once, of which the last is too many. */
    private void count(int frames, boolean publish, ClientLimit expected) {
        for (int i = 1; i < frames; i++) {
            assertNull(pace.count(LIMITS, publish, 0), "frame " + i);
        }
        assertEquals(expected, pace.count(LIMITS, publish, 0));
    }

    @Test
    void howFarAheadAClientIsIsMeasuredByTheLimitThatItIsOver() {
        count(500, true, ClientLimit.INBOUND);
        assertFalse(pace.isTooFarAhead(LIMITS, 5_000));
        assertTrue(pace.isTooFarAhead(LIMITS, 5_001));
        pace.goOn();
        assertFalse(pace.isTooFarAhead(LIMITS, 5_001));
    }

    @Test
    void requestsAreMeasuredByTheirOwnLimit() {
        count(20, false, ClientLimit.REQUESTS);
        assertFalse(pace.isTooFarAhead(LIMITS, 200));
        assertTrue(pace.isTooFarAhead(LIMITS, 201));
    }
}
