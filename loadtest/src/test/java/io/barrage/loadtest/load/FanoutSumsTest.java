package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.LatencySummary;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FanoutSumsTest {
    private static final LatencySummary PUNCTUAL = new LatencySummary(100, 1, 2, 3, 4, 5, 1);

    private static LatencySummary p99(double micros) {
        return new LatencySummary(100, 1, 2, micros, micros, micros, 1);
    }

    @Test
    void countsMissingAndExcessDeliveriesApart() {
        Fanout.Tally tally = new Fanout.Tally();
        tally.add(10, 10, 0);
        tally.add(10, 7, 0);
        tally.add(10, 12, 0);
        assertEquals(30, tally.expected);
        assertEquals(29, tally.delivered);
        assertEquals(3, tally.lost);
        assertEquals(2, tally.excess);
    }

    @Test
    void aGapAdmitsLossButDoesNotUndoIt() {
        Fanout.Tally tally = new Fanout.Tally();
        tally.add(10, 7, 2);
        assertEquals(3, tally.lost);
        assertEquals(2, tally.told);
    }

    @Test
    void aGapAdmitsNoMoreThanIsMissing() {
        Fanout.Tally tally = new Fanout.Tally();
        tally.add(10, 9, 5);
        assertEquals(1, tally.told);
    }

    @Test
    void onlyCompleteOrderedUniqueDeliveryIsClean() {
        assertTrue(new FanoutResult.Totals(9, 0, 0, 9, 9, 0, 0, 0, 0, 0).clean());
        assertTrue(new FanoutResult.Totals(9, 2, 0, 7, 7, 0, 0, 0, 0, 0).clean(), "shed was told to the publisher");
        assertFalse(new FanoutResult.Totals(9, 0, 1, 8, 8, 0, 0, 0, 0, 0).clean());
        assertFalse(new FanoutResult.Totals(9, 0, 0, 9, 8, 1, 1, 0, 0, 0).clean());
        assertFalse(new FanoutResult.Totals(9, 0, 0, 9, 10, 0, 0, 1, 0, 0).clean());
        assertFalse(new FanoutResult.Totals(9, 0, 0, 9, 9, 0, 0, 0, 1, 0).clean());
        assertFalse(new FanoutResult.Totals(9, 0, 0, 9, 9, 0, 0, 0, 0, 1).clean());
    }

    @Test
    void aGeneratorWithRoomToSpareIsNoLimit() {
        assertEquals(List.of(), FanoutResult.limits(0.94, PUNCTUAL, PUNCTUAL, 0));
    }

    @Test
    void namesEachWayInWhichTheGeneratorWasTheLimit() {
        assertTrue(FanoutResult.limits(0.96, PUNCTUAL, PUNCTUAL, 0).get(0).contains("busy 96 %"));
        assertTrue(FanoutResult.limits(0.5, p99(100_001), PUNCTUAL, 0).get(0).contains("late at p99"));
        assertTrue(FanoutResult.limits(0.5, PUNCTUAL, p99(100_001), 0).get(0).contains("not offered in time"));
        assertTrue(FanoutResult.limits(0.5, PUNCTUAL, PUNCTUAL, 3).get(0).contains("3 messages were due"));
    }

    @Test
    void notesWhoElseUsedTheMachine() {
        assertEquals(List.of(), FanoutResult.disturbances(0.1, 0.1, 2));
        assertEquals(List.of(), FanoutResult.disturbances(-1, 0, 2));
        assertEquals(2, FanoutResult.disturbances(0.3, 0.3, 2).size());
    }
}
