package io.barrage.loadtest.load;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

/**
 * What an {@code encodings} run does. Immutable.
 *
 * @param comments published in turn, again and again
 * @param viewers connections in each phase
 * @param perSecond comments a second
 * @param duration of each phase
 * @param rounds how often each encoding has its phase; they take turns
 * @param pid the server's process; it must be there
 */
public record EncodingsPlan(
        BarrageTarget target,
        String topic,
        List<DanmakuComment> comments,
        int viewers,
        int perSecond,
        Duration duration,
        int rounds,
        OptionalLong pid) {
    private static final Duration SHORTEST = Duration.ofMillis(100);

    public EncodingsPlan {
        if (comments.isEmpty()) {
            throw new IllegalArgumentException("no comments to publish");
        }
        Checks.atLeast("viewers", viewers, 1);
        Checks.atLeast("rate", perSecond, 1);
        Checks.atLeast("rounds", rounds, 1);
        if (duration.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException("duration: less than " + SHORTEST.toMillis() + " ms");
        }
        if (pid.isEmpty()) {
            throw new IllegalArgumentException("encodings needs the server's pid, to read its CPU time");
        }
        comments = List.copyOf(comments);
    }
}
