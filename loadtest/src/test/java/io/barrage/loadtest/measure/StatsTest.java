package io.barrage.loadtest.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class StatsTest {
    @Test
    void takesTheMiddleOrTheMeanOfTheTwoInTheMiddle() {
        assertEquals(2, Stats.median(DoubleStream.of(9, 1, 2)));
        assertEquals(3, Stats.median(DoubleStream.of(9, 1, 2, 4)));
        assertTrue(Double.isNaN(Stats.median(DoubleStream.empty())));
    }

    @Test
    void leavesOutWhatIsNoNumber() {
        assertEquals(2, Stats.median(DoubleStream.of(1, 3, Double.NaN)));
    }
}
