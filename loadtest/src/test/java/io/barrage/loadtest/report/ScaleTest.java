package io.barrage.loadtest.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class ScaleTest {
    @Test
    void beginsAtZeroWhereValuesAreNearEachOther() {
        Scale scale = Scale.of(DoubleStream.of(1, 0.5, Double.NaN, 1.9));
        assertFalse(scale.log());
        assertEquals(List.of(0.0, 0.5, 1.0, 1.5, 2.0), scale.ticks());
        assertEquals(0.25, scale.share(0.5));
    }

    @Test
    void goesByPowersOfTenWhereOneIsManyTimesAnother() {
        Scale scale = Scale.of(DoubleStream.of(1, 0.013, 0, Double.NaN));
        assertTrue(scale.log());
        assertEquals(0.01, scale.from(), 1e-12);
        assertEquals(2, scale.to(), 1e-12);
        assertEquals(scale.share(1) - scale.share(0.1), scale.share(0.1) - scale.share(0.01), 1e-12);
        assertEquals(0, scale.share(0));
        assertEquals(1, scale.share(50));
    }

    @Test
    void marksPowersOfTenAndTheirHalvesWhereThereIsRoom() {
        assertEquals(
                List.of("0.1", "0.2", "0.5", "1", "2"),
                Scale.ofRatios(0.11, 1.9).ticks().stream().map(Unit::tick).toList());
        assertEquals(
                List.of("0.001", "0.01", "0.1", "1"),
                Scale.ofRatios(0.0011, 1.9).ticks().stream().map(Unit::tick).toList());
    }

    @Test
    void hasAnAxisWithoutAValue() {
        assertEquals(
                List.of(0.0, 0.5, 1.0, 1.5),
                Scale.of(DoubleStream.of(Double.NaN)).ticks());
    }
}
