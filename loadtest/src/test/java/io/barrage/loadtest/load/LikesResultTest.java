package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LikesResultTest {
    private static LikesResult result(long accepted, long refused, int exact) {
        return new LikesResult(
                "barrage",
                "a plan",
                accepted + refused,
                accepted,
                refused,
                1,
                2,
                2,
                10,
                exact,
                0,
                LatencySummary.NONE,
                null,
                new FanoutResult.Generator(0.5, 0.5, 0, 0, false, LatencySummary.NONE),
                List.of(),
                List.of());
    }

    private static String printed(LikesResult result) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        result.print(new PrintStream(out, true, UTF_8));
        return out.toString(UTF_8);
    }

    @Test
    void isCleanOnlyIfEveryViewerHasTheSum() {
        assertTrue(result(5, 0, 10).clean());
        assertFalse(result(5, 0, 9).clean());
        assertEquals(
                0,
                printed(result(5, 0, 10))
                        .lines()
                        .filter(line -> line.contains("NOT EXACT"))
                        .count());
        assertEquals(
                1,
                printed(result(5, 0, 9))
                        .lines()
                        .filter(line -> line.contains("NOT EXACT"))
                        .count());
    }

    @Test
    void isNotCleanIfALikeWasRefused() {
        assertFalse(result(5, 1, 10).clean());
        assertFalse(printed(result(5, 1, 10)).contains("NOT EXACT"));
    }

    @Test
    void isNotCleanIfNothingWasAccepted() {
        assertFalse(result(0, 0, 10).clean());
    }
}
