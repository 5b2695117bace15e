package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.LatencySummary;
import java.util.List;
import org.junit.jupiter.api.Test;

final class HotResultTest {
    private static HotResult result(long refusedComments, long refusedGifts) {
        return new HotResult(
                "barrage",
                "a plan",
                new HotResult.Counts(10 + refusedComments, 5, 5, refusedComments),
                new HotResult.Counts(5 + refusedGifts, 5, 0, refusedGifts),
                10,
                1,
                0,
                0,
                0,
                0,
                50,
                1,
                new HotResult.SenderShares(0, 0, 0, 0, 0),
                LatencySummary.NONE,
                LatencySummary.NONE,
                -1,
                new FanoutResult.Generator(0.5, 0.5, 0, 0, false, LatencySummary.NONE),
                List.of(),
                List.of());
    }

    @Test
    void isCleanIfWhatIsHiddenWasTold() {
        assertTrue(result(0, 0).clean());
    }

    @Test
    void isNotCleanIfAMessageWasRefused() {
        assertFalse(result(1, 0).clean());
        assertFalse(result(0, 1).clean());
    }
}
