package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.barrage.loadtest.target.Gap;
import org.junit.jupiter.api.Test;

final class GapsTest {
    @Test
    void coversItsRangeAndNothingElse() {
        Gaps gaps = new Gaps();
        gaps.add(new Gap(5, 7, 3, "behind"));
        assertNull(gaps.reasonOf(4));
        assertEquals("behind", gaps.reasonOf(5));
        assertEquals("behind", gaps.reasonOf(7));
        assertNull(gaps.reasonOf(8));
    }

    @Test
    void growsWithTheNextRangeOfTheSameReason() {
        Gaps gaps = new Gaps();
        gaps.add(new Gap(5, 7, 3, "behind"));
        gaps.add(new Gap(8, 9, 2, "behind"));
        gaps.add(new Gap(10, 10, 1, "expired"));
        assertEquals("behind", gaps.reasonOf(9));
        assertEquals("expired", gaps.reasonOf(10));
    }

    @Test
    void excusesNothingWithoutARange() {
        Gaps gaps = new Gaps();
        gaps.add(new Gap(0, 0, 41, "behind"));
        gaps.add(new Gap(9, 3, 41, "behind"));
        assertNull(gaps.reasonOf(0));
        assertNull(gaps.reasonOf(9));
    }
}
