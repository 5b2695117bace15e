package io.barrage.loadtest.compare;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.LatencySummary;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ComparisonResultTest {
    private static final LatencySummary SAMPLED = new LatencySummary(10, 100, 200, 300, 400, 500, 150);
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
                187,
                new FanoutResult.Server(1, 1, perCpuSecond, 50 << 20, 60 << 20),
                new FanoutResult.Generator(0.5, 0.5, 0, 0, perCpuSecond > 250, LATENCY),
                new FanoutResult.Totals(10, 0, 0, 100, 100 - lost, lost, 0, 0, 0, 0),
                SAMPLED,
                LATENCY,
                LATENCY,
                LATENCY,
                List.of(invalid),
                List.of());
        return new ComparisonResult.Run(1, 1, "lone", target, result, "");
    }

    private static ComparisonResult of(Map<String, String> missing, ComparisonResult.Run... runs) {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("barrage", "1");
        versions.put("nchan", "2");
        return new ComparisonResult(
                new Environment("jdk", "kernel", "cpu", 2, 1, "epoll", "0"),
                "barrage",
                versions,
                missing,
                List.of("lone"),
                runs.length,
                List.of(runs),
                List.of());
    }

    @Test
    void countsOnlyRunsThatWereValidAndLostNothing() {
        ComparisonResult.Row row = of(
                        Map.of(),
                        run("barrage", 100, 0),
                        run("barrage", 300, 0),
                        run("barrage", 500, 0),
                        run("barrage", 900, 1),
                        run("barrage", 900, 0, "the generator was the limit"),
                        run("nchan", 900, 0))
                .row("lone", "barrage");
        assertTrue(row.counts());
        assertEquals(3, row.usable());
        assertEquals(5, row.all());
        assertEquals(2, row.disturbed());
        assertEquals(300, row.perCpuSecond());
    }

    /** The generator was the limit where the gateway was fast: one slow run that is left says little. */
    @Test
    void bracketsTheMedianOfAllRunsWhereHalfOrMoreMustNotBeUsed() {
        ComparisonResult result = of(
                Map.of(),
                run("barrage", 2000, 0),
                run("nchan", 600, 0, "the generator was the limit"),
                run("nchan", 100, 0),
                run("nchan", 500, 0, "the generator was the limit"));
        assertEquals(500, result.row("lone", "nchan").perCpuSecond());
        assertTrue(printed(result).contains("| nchan | 1/3 | 1 | 0 | (500) | (0.25) |"), printed(result));
        assertFalse(result.complete());
        // Of two runs, one is not most of them.
        assertFalse(of(Map.of(), run("nchan", 100, 0), run("nchan", 600, 1))
                .row("lone", "nchan")
                .counts());
    }

    @Test
    void writesRatiosToTheMeasure() {
        ComparisonResult result = of(Map.of(), run("barrage", 200, 0), run("nchan", 100, 0));
        assertEquals(
                "| nchan | 1/1 | 1 | 0 | 100 | 0.50 | 100 | 1.0 | 187.0 | 0.10 | 0.30 | 1.00 | 3.00 | 1.00 | 50 | 0.50 | 0 |",
                result.row("lone", "nchan").markdown(result.row("lone", "barrage")));
        assertTrue(printed(result).contains("| ratio to barrage |"), printed(result));
        assertTrue(result.complete());
    }

    @Test
    void writesNoRatioToNothing() {
        ComparisonResult result = of(
                Map.of(),
                new ComparisonResult.Run(1, 1, "lone", "barrage", null, "did not start"),
                run("nchan", 100, 0));
        assertTrue(
                printed(result)
                        .contains("| barrage | 0/1 | - | - | - | - | - | - | - | - | - | - | - | - | - | - | - |"),
                printed(result));
        assertTrue(printed(result).contains("| 100 | - | 100 |"), printed(result));
        assertFalse(result.complete());
    }

    @Test
    void comparesNobodyWithTheSecondIfTheFirstIsMissing() {
        ComparisonResult there = of(Map.of("barrage", "no jar"), run("nchan", 100, 0));
        ComparisonResult result = new ComparisonResult(
                there.environment(),
                "barrage",
                Map.of("nchan", "2"),
                there.missing(),
                there.workloads(),
                1,
                there.runs(),
                List.of());
        assertTrue(printed(result).contains("| ratio to barrage |"), printed(result));
        assertTrue(printed(result).contains("| 100 | - | 100 |"), printed(result));
    }

    @Test
    void bracketsARatioToWhatMustNotBeUsed() {
        ComparisonResult result = of(Map.of(), run("barrage", 200, 3), run("nchan", 100, 0));
        assertTrue(printed(result).contains("| nchan | 1/1 | 1 | 0 | 100 | (0.50) | 100 |"), printed(result));
    }

    @Test
    void putsFiguresThatMustNotBeUsedIntoBracketsAndAlwaysShowsLoss() {
        ComparisonResult result = of(Map.of(), run("barrage", 200, 0), run("nchan", 100, 7));
        assertEquals(
                "| nchan | 0/1 | 1 | 0 | (100) | (0.50) | (100) | (1.0) | (187.0) | (0.10) | (0.30) | (1.00) | (3.00) | (1.00)"
                        + " | (50) | (0.50) | 7 |",
                result.row("lone", "nchan").markdown(result.row("lone", "barrage")));
        assertTrue(printed(result).contains("- nchan, round 1: 7 lost"), printed(result));
    }

    @Test
    void saysWhyAGatewayWasNotPutUnderALoad() {
        ComparisonResult result = new ComparisonResult(
                new Environment("jdk", "kernel", "cpu", 2, 1, "epoll", "0"),
                "nats",
                Map.of("nats", "2"),
                Map.of(),
                List.of("ingest"),
                0,
                List.of(),
                List.of(new ComparisonResult.Unfit("ingest", "nats", "its publishes are no HTTP")));
        assertTrue(result.complete());
        String text = printed(result);
        assertTrue(text.contains("| publishes per CPU-second |"), text);
        assertTrue(text.contains("- nats isn't there: its publishes are no HTTP"), text);
        assertFalse(text.contains("| nats |"), text);
    }

    @Test
    void printsTheLoadThatDiffersInOneThingBesideIt() {
        Map<String, String> versions = Map.of("barrage", "1");
        FanoutResult result = run("barrage", 100, 0).result();
        ComparisonResult comparison = new ComparisonResult(
                new Environment("jdk", "kernel", "cpu", 2, 1, "epoll", "0"),
                "barrage",
                versions,
                Map.of(),
                List.of("rate200", "coalesce"),
                2,
                List.of(
                        new ComparisonResult.Run(1, 1, "rate200", "barrage", result, ""),
                        new ComparisonResult.Run(1, 1, "coalesce", "barrage", result, "")),
                List.of());
        String coalesce = printed(comparison).replaceAll("(?s).*\\*\\*coalesce", "");
        assertTrue(coalesce.contains("| barrage, rate200 | 1/1 |"), coalesce);
    }

    @Test
    void countsTheProcessesBehindAMedian() {
        ComparisonResult comparison = of(
                Map.of(),
                onStart(1, run("barrage", 1, 0)),
                onStart(1, run("barrage", 2, 0)),
                onStart(2, run("barrage", 3, 0)));
        assertEquals(2, comparison.row("lone", "barrage").starts());
    }

    private static ComparisonResult.Run onStart(int start, ComparisonResult.Run run) {
        return new ComparisonResult.Run(run.round(), start, run.workload(), run.target(), run.result(), run.failure());
    }

    @Test
    void saysThatItWasCutOff() {
        ComparisonResult whole = of(Map.of(), run("barrage", 1, 0), run("nchan", 1, 0));
        ComparisonResult cut = new ComparisonResult(
                whole.environment(),
                whole.measure(),
                whole.versions(),
                whole.missing(),
                List.of("lone", "w32"),
                10,
                whole.runs(),
                whole.unfit());
        assertFalse(printed(whole).contains("CUT OFF"));
        assertTrue(printed(cut).contains("CUT OFF after 2 of 10 runs"));
        assertTrue(printed(cut).contains("**lone**"));
        assertFalse(printed(cut).contains("**w32**"), "it didn't get there");
        assertTrue(whole.complete());
        assertFalse(cut.complete());
    }

    private static String printed(ComparisonResult result) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        result.print(new PrintStream(bytes, true, UTF_8));
        return bytes.toString(UTF_8);
    }

    @Test
    void isIncompleteWithoutAPeerThatWasAskedFor() {
        assertFalse(of(Map.of("centrifugo", "not installed"), run("barrage", 1, 0), run("nchan", 1, 0))
                .complete());
    }
}
