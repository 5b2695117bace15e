package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.BarrageTarget;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class ChurnIT {
    @TempDir
    private Path directory;

    private static ChurnResult run(BarrageTarget target, Duration duration, Duration patience, OptionalLong pid)
            throws Exception {
        ChurnPlan plan = new ChurnPlan(
                target, 40, 10, 50, 0.5, 200, Duration.ZERO, duration, patience, 100, Duration.ofSeconds(20), pid);
        return Churn.run(plan, ProgressLine.toStandardError());
    }

    @Test
    void losesNothingWhileOthersComeAndGo() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            ChurnResult result = run(
                    gateway.target(), Duration.ofSeconds(2), Duration.ofSeconds(20), OptionalLong.of(gateway.pid()));
            assertTrue(result.clean(), result.toString());
            assertEquals(30, result.stayers().subscriptions());
            assertEquals(30 * result.published(), result.stayers().delivered());
            // A hundred departures are due in two seconds, every other one by a reset.
            assertEquals(100, result.left() + result.reset() + result.overdue(), result.toString());
            assertTrue(Math.abs(result.left() - result.reset()) <= 1, result.toString());
            assertEquals(result.left() + result.reset(), result.handshake().count(), result.toString());
            assertEquals(10 + result.left() + result.reset(), result.churners().subscriptions());
            assertEquals(result.churners().expected(), result.churners().delivered());
            assertEquals(Map.of(), result.lost());
            assertTrue(result.delivery().count() > 0, result.toString());
            assertTrue(result.generator().lag().count() > 0, result.toString());
            assertTrue(result.server() != null && result.server().rssEnd() > 1 << 20, result.toString());
        }
    }

    @Test
    void countsWhatThoseThatStayMiss() throws Exception {
        try (FaultyGateway gateway =
                new FaultyGateway((offset, message) -> offset == 7 ? List.of() : List.of(message))) {
            ChurnResult result = run(
                    (BarrageTarget) gateway.target(),
                    Duration.ofMillis(500),
                    Duration.ofSeconds(5),
                    OptionalLong.empty());
            assertFalse(result.clean());
            assertEquals(30, result.stayers().lost());
            assertEquals(0, result.stayers().told());
            assertEquals(30, result.stayers().inexact());
            assertTrue(
                    result.notes().stream().anyMatch(note -> note.startsWith("first inexact: hole")),
                    result.toString());
        }
    }
}
