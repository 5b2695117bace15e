package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.LatencySummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ComparisonResultTest {
    private static final LatencySummary LATENCY = new LatencySummary(10, 1_000, 2_000, 3_000, 4_000, 5_000, 1_500);

    private static ComparisonResult.Run run(String target, double perCpuSecond, long lost, String... invalid) {
        FanoutResult result = new FanoutResult(
                target,
                "plan",
                1,
                10,
                100,
                1,
                168,
                new FanoutResult.Server(1, 1, perCpuSecond, 50 << 20, 60 << 20),
                new FanoutResult.Generator(0.5, 0.5, 0, 0, perCpuSecond > 250, LATENCY),
                new FanoutResult.Totals(10, 0, 0, 100, 100 - lost, lost, 0, 0, 0, 0),
                LATENCY,
                LATENCY,
                LATENCY,
                LATENCY,
                List.of(invalid),
                List.of());
        return new ComparisonResult.Run(1, "lone", target, result, "");
    }

    private static ComparisonResult of(Map<String, String> missing, ComparisonResult.Run... runs) {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("barrage", "1");
        versions.put("nchan", "2");
        return new ComparisonResult(
                new Environment("jdk", "kernel", "cpu", 2, 1, "epoll", "0"),
                versions,
                missing,
                List.of("lone"),
                List.of(runs));
    }

    @Test
    void takesTheMiddleOrTheMeanOfTheTwoInTheMiddle() {
        assertEquals(2, ComparisonResult.median(List.of(9, 1, 2), Integer::doubleValue));
        assertEquals(3, ComparisonResult.median(List.of(9, 1, 2, 4), Integer::doubleValue));
        assertTrue(Double.isNaN(ComparisonResult.median(List.<Integer>of(), Integer::doubleValue)));
    }

    @Test
    void countsOnlyRunsThatWereValidAndLostNothing() {
        ComparisonResult.Row row = of(
                        Map.of(),
                        run("barrage", 100, 0),
                        run("barrage", 300, 0),
                        run("barrage", 900, 1),
                        run("barrage", 900, 0, "the generator was the limit"),
                        new ComparisonResult.Run(1, "lone", "barrage", null, "did not start"),
                        run("nchan", 900, 0))
                .row("lone", "barrage");
        assertEquals(2, row.usable());
        assertEquals(5, row.all());
        assertEquals(1, row.disturbed());
        assertEquals(200, row.perCpuSecond());
    }

    @Test
    void writesRatiosToTheFirst() {
        ComparisonResult result = of(Map.of(), run("barrage", 200, 0), run("nchan", 100, 0));
        assertEquals(
                "| nchan | 1/1 | 0 | 100 | 0.50 | 100 | 1.0 | 1.00 | 3.00 | 50 |",
                result.row("lone", "nchan")
                        .markdown(result.row("lone", "barrage").perCpuSecond()));
        assertTrue(result.complete());
    }

    @Test
    void writesNoRatioToNothing() {
        ComparisonResult result = of(Map.of(), run("barrage", 200, 1), run("nchan", 100, 0));
        assertEquals(
                "| barrage | 0/1 | - | - | - | - | - | - | - | - |",
                result.row("lone", "barrage").markdown(Double.NaN));
        assertTrue(result.row("lone", "nchan").markdown(Double.NaN).contains("| 100 | - |"));
        assertFalse(result.complete());
    }

    @Test
    void isIncompleteWithoutAPeerThatWasAskedFor() {
        assertFalse(of(Map.of("centrifugo", "not installed"), run("barrage", 1, 0), run("nchan", 1, 0))
                .complete());
    }
}
