package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.BarrageTarget;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class SlowIT {
    @TempDir
    private Path directory;

    private static SlowResult run(BarrageTarget target, double rate, int bytes, Duration stall, OptionalLong pid)
            throws Exception {
        SlowPlan plan = new SlowPlan(
                target,
                20,
                2,
                rate,
                Duration.ZERO,
                Duration.ofMillis(500),
                stall,
                Duration.ofSeconds(30),
                bytes,
                4096,
                Duration.ofSeconds(20),
                pid);
        return Slow.run(plan, ProgressLine.toStandardError());
    }

    @Test
    void accountsForEachOffsetOfThoseThatStall() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            // 24 MB for each: more than the kernel's buffers and the topic log hold.
            SlowResult result =
                    run(gateway.target(), 2000, 4000, Duration.ofSeconds(3), OptionalLong.of(gateway.pid()));
            // Those that read may have gaps on a busy machine, which isn't clean, but exact.
            assertEquals(0, result.laggards().inexact() + result.healthy().inexact(), result.toString());
            assertEquals(2, result.laggards().withGaps(), result.toString());
            assertEquals(
                    2 * result.published(),
                    result.laggards().delivered() + result.laggards().missed());
            assertEquals(18, result.healthy().complete() + result.healthy().withGaps());
            assertTrue(result.calm().count() > 0 && result.stall().count() > 0, result.toString());
            assertTrue(result.serverCores() > 0 && result.generator().lag().count() > 0, result.toString());
            assertTrue(result.rss() != null && result.rss().highestInStall() > 0);
        }
    }

    @Test
    void findsAHole() throws Exception {
        try (FaultyGateway gateway =
                new FaultyGateway((offset, message) -> offset == 7 ? List.of() : List.of(message))) {
            SlowResult result =
                    run((BarrageTarget) gateway.target(), 100, 100, Duration.ofMillis(500), OptionalLong.empty());
            assertFalse(result.clean());
            assertEquals(2, result.laggards().inexact());
            assertTrue(result.notes().contains("first inexact: hole: message 8..8 where 7 was due"), result.toString());
        }
    }
}
