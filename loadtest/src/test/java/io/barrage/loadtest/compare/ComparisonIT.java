package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ComparisonIT {
    private static final int SUBSCRIBERS = 10;

    private static ComparisonResult compare(List<TargetKind> kinds, int rounds) throws Exception {
        InetSocketAddress none = InetSocketAddress.createUnresolved("none", 1);
        FanoutPlan load = new FanoutPlan(
                TargetKind.BARRAGE.at(none, none),
                1,
                1,
                1,
                OptionalDouble.empty(),
                1,
                100,
                Duration.ofMillis(100),
                Duration.ofMillis(300),
                Duration.ofSeconds(5),
                Duration.ofSeconds(20),
                1,
                1,
                OptionalInt.empty(),
                1_000,
                OptionalLong.empty(),
                false);
        ComparePlan plan = new ComparePlan(
                kinds,
                List.of(Workload.W32),
                rounds,
                Path.of("there-is-no-such.jar"),
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
                load,
                1000 / SUBSCRIBERS);
        return Comparison.run(plan, new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
    }

    private static void assertDelivered(ComparisonResult.Run run) {
        assertEquals("", run.failure());
        assertTrue(run.result() != null && run.result().clean(), String.valueOf(run.result()));
        assertEquals(
                run.result().totals().sent() * SUBSCRIBERS,
                run.result().totals().delivered());
        assertTrue(run.result().server() != null && run.result().server().rssBytes() > 0);
    }

    @Test
    void startsTheNaiveGatewayAnewForEachRunAndNamesWhatIsMissing() throws Exception {
        ComparisonResult result = compare(List.of(TargetKind.BARRAGE, TargetKind.NETTY_GROUP), 2);
        assertEquals("no file there-is-no-such.jar", result.missing().get("barrage"));
        assertEquals(2, result.runs().size());
        result.runs().forEach(ComparisonIT::assertDelivered);
        assertEquals(
                0,
                ProcessHandle.current()
                        .children()
                        .filter(child -> child.info().commandLine().orElse("").contains("serve-naive"))
                        .count());
    }

    @Test
    void startsNginxWithNchanAndCountsItsWorker() throws Exception {
        Optional<String> missing = NchanPeer.installed().missing();
        // On a CI machine no check is lost unseen.
        assertTrue(missing.isEmpty() || System.getenv("CI") == null, () -> "this test needs nchan: " + missing);
        assumeTrue(missing.isEmpty(), () -> "this test needs nchan: " + missing);
        ComparisonResult result = compare(List.of(TargetKind.NCHAN), 1);
        assertEquals(1, result.runs().size());
        assertDelivered(result.runs().get(0));
    }
}
