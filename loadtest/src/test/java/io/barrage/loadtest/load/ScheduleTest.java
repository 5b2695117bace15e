package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class ScheduleTest {
    @Test
    void spacesASteadyRateEvenly() {
        Schedule schedule = Schedule.steady(200, 1);
        assertEquals(0, schedule.dueNanos(0));
        assertEquals(5_000_000, schedule.dueNanos(1));
        assertEquals(1_000_000_000, schedule.dueNanos(200));
    }

    @Test
    void keepsTheRateWithBursts() {
        Schedule schedule = Schedule.steady(200, 10);
        assertEquals(0, schedule.dueNanos(9));
        assertEquals(50_000_000, schedule.dueNanos(10));
        assertEquals(50_000_000, schedule.dueNanos(19));
        assertEquals(1_000_000_000, schedule.dueNanos(200));
    }

    @Test
    void doesNotDriftWithRatesThatDivideNothing() {
        assertEquals(3_600_000_000_000.0, (double) Schedule.steady(3, 1).dueNanos(3 * 3600), 1_000);
    }

    @Test
    void scalesARecording() {
        Schedule schedule = Schedule.recorded(new long[] {0, 1_000, 1_000, 50_000}, 50);
        assertEquals(0, schedule.dueNanos(0));
        assertEquals(20, schedule.dueNanos(1));
        assertEquals(20, schedule.dueNanos(2));
        assertEquals(1_000, schedule.dueNanos(3));
    }

    @Test
    void refusesToStandStill() {
        assertThrows(IllegalArgumentException.class, () -> Schedule.steady(0, 1));
        assertThrows(IllegalArgumentException.class, () -> Schedule.steady(Double.NaN, 1));
        assertThrows(IllegalArgumentException.class, () -> Schedule.recorded(new long[1], 0));
    }
}
