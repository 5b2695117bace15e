package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.BarrageTarget;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class LikesIT {
    @TempDir
    private Path directory;

    private static LikesPlan plan(BarrageTarget target, OptionalLong pid) {
        return new LikesPlan(
                target, 20, 5000, 2, Duration.ofSeconds(4), Duration.ofSeconds(20), Duration.ofSeconds(20), pid);
    }

    @Test
    void findsTheExactSumAtEveryViewer() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            LikesResult result =
                    Likes.run(plan(gateway.target(), OptionalLong.of(gateway.pid())), ProgressLine.toStandardError());
            assertTrue(result.clean(), result.toString());
            assertTrue(result.accepted() > 5000, result.toString());
            assertEquals(result.sent(), result.accepted() + result.refused());
            assertEquals(0, result.refused(), result.toString());
            assertTrue(result.meanFrames() > 0, result.toString());
            assertTrue(result.late().count() > 0 && result.generator().lag().count() > 0, result.toString());
            assertTrue(result.server() != null && result.server().rssBytes() > 0);
        }
    }
}
