package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.LatencySummary;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class SlowResultTest {
    private static final SlowResult.Accounts ALL = accounts(0, 0, 0);

    private static SlowResult.Accounts accounts(int withGaps, int closed, int inexact) {
        return new SlowResult.Accounts(
                10, 10 - withGaps - closed - inexact, withGaps, closed, Map.of(), inexact, 100, 0, 0);
    }

    private static SlowResult result(long refused, SlowResult.Accounts healthy, SlowResult.Accounts laggards) {
        return new SlowResult(
                "barrage",
                "a plan",
                10,
                refused,
                LatencySummary.NONE,
                LatencySummary.NONE,
                LatencySummary.NONE,
                -1,
                null,
                healthy,
                laggards,
                new FanoutResult.Generator(0.5, 0.5, 0, 0, false, LatencySummary.NONE),
                List.of(),
                List.of());
    }

    @Test
    void letsThoseThatStallHaveGapsOrBeClosed() {
        assertTrue(result(0, ALL, ALL).clean());
        assertTrue(result(0, ALL, accounts(5, 5, 0)).clean());
        assertFalse(result(0, ALL, accounts(0, 0, 1)).clean());
    }

    @Test
    void wantsEverythingForThoseThatRead() {
        assertFalse(result(0, accounts(1, 0, 0), ALL).clean());
        assertFalse(result(0, accounts(0, 1, 0), ALL).clean());
        assertFalse(result(0, accounts(0, 0, 1), ALL).clean());
    }

    @Test
    void isNotCleanIfAMessageWasRefused() {
        assertFalse(result(1, ALL, ALL).clean());
    }
}
