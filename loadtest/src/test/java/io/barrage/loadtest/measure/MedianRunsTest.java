package io.barrage.loadtest.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MedianRunsTest {
    @ParameterizedTest
    @CsvSource({"0,0,false", "1,1,true", "1,2,false", "2,3,true", "2,5,false", "3,5,true"})
    void countsOnlyIfMostRunsAreUsable(int usable, int all, boolean counts) {
        List<Integer> runs = IntStream.range(0, all).boxed().toList();
        MedianRuns<Integer> of = MedianRuns.of(runs, run -> true, run -> run < usable);
        assertEquals(counts, of.counts());
        assertEquals(counts ? usable : all, of.shown().size());
    }

    @Test
    void showsNoRunThatGaveNoFigures() {
        MedianRuns<Integer> of = MedianRuns.of(List.of(1, 2, 3, 4), run -> run < 4, run -> run < 2);
        assertFalse(of.counts());
        assertEquals(List.of(1, 2, 3), of.shown());
    }
}
