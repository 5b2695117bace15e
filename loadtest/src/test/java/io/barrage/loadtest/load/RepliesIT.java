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
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class RepliesIT {
    @TempDir
    private Path directory;

    private static RepliesResult run(BarrageTarget target, OptionalDouble rate, Duration patience, OptionalLong pid)
            throws Exception {
        RepliesPlan plan = new RepliesPlan(
                target,
                20,
                8,
                rate,
                4,
                50,
                Duration.ofMillis(200),
                Duration.ofSeconds(1),
                patience,
                100,
                Duration.ofSeconds(20),
                pid);
        return Replies.run(plan, ProgressLine.toStandardError());
    }

    @Test
    void asksUnderAClosedLoop() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            RepliesResult result = run(
                    gateway.target(), OptionalDouble.empty(), Duration.ofSeconds(20), OptionalLong.of(gateway.pid()));
            assertTrue(result.clean(), result.toString());
            // Fifty turns are due in the measured second, each with a ping and a subscribe.
            assertEquals(50, result.ping().count(), result.toString());
            assertEquals(50, result.subscribe().count(), result.toString());
            assertTrue(result.deliveriesPerSecond() > 0 && result.publishesPerSecond() > 0, result.toString());
            assertTrue(result.serverCores() > 0, result.toString());
            assertTrue(result.late().count() > 0 && result.generator().lag().count() > 0, result.toString());
        }
    }

    @Test
    void asksUnderAnOpenLoop() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            RepliesResult result =
                    run(gateway.target(), OptionalDouble.of(100), Duration.ofSeconds(20), OptionalLong.empty());
            assertTrue(result.clean(), result.toString());
            assertEquals(50, result.subscribe().count(), result.toString());
            assertTrue(result.deliveriesPerSecond() > 0, result.toString());
            assertEquals(-1, result.serverCores());
        }
    }

    @Test
    void countsQuestionsThatNobodyAnswers() throws Exception {
        try (FaultyGateway gateway = new FaultyGateway((offset, message) -> List.of(message))) {
            RepliesResult result = run(
                    (BarrageTarget) gateway.target(),
                    OptionalDouble.of(100),
                    Duration.ofMillis(200),
                    OptionalLong.empty());
            assertFalse(result.clean());
            // Sixty turns with the warm-up's.
            assertEquals(2 * 60, result.unanswered());
            assertEquals(0, result.ping().count() + result.subscribe().count());
            // What answers no question is no answer.
            assertEquals(Map.of("{\"type\":\"subscribed\",\"topic\":\"t\",\"offset\":0}", 4), result.errors());
        }
    }
}
