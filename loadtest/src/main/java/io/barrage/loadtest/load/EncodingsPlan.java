package io.barrage.loadtest.load;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.List;

/**
 * What an {@code encodings} run does. Immutable.
 *
 * @param comments published in turn, again and again
 * @param viewers connections in each phase
 * @param perSecond comments a second
 * @param duration of each phase
 * @param rounds how often each encoding has its phase; they take turns
 * @param pid the server's process
 */
public record EncodingsPlan(
        Target target,
        String topic,
        List<DanmakuComment> comments,
        int viewers,
        int perSecond,
        Duration duration,
        int rounds,
        long pid) {
    public EncodingsPlan {
        if (comments.isEmpty()) {
            throw new IllegalArgumentException("no comments to publish");
        }
        if (viewers < 1 || perSecond < 1 || rounds < 1 || duration.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException("viewers, rate and rounds are at least 1, the duration 100ms");
        }
        comments = List.copyOf(comments);
    }
}
