package io.barrage.loadtest.load;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.List;

/**
 * What a {@code replay} shall do. Immutable.
 *
 * @param target the gateway
 * @param topic the topic to publish to
 * @param comments what to publish, ordered by time
 * @param speed how many times as fast as the recording
 * @param subscribers how many connections watch and check
 * @param inFlight how many publishes may wait for their answer
 * @param patience how long nothing may happen before what is missing counts as lost
 * @param connectTimeout how long all subscribers together may take to subscribe
 */
public record ReplayPlan(
        Target target,
        String topic,
        List<DanmakuComment> comments,
        double speed,
        int subscribers,
        int inFlight,
        Duration patience,
        Duration connectTimeout) {
    public ReplayPlan {
        comments = List.copyOf(comments);
        if (comments.isEmpty()) {
            throw new IllegalArgumentException("there are no comments to replay");
        }
        if (!(speed > 0)) {
            throw new IllegalArgumentException("speed: " + speed + " isn't positive");
        }
        if (subscribers < 1 || subscribers > FanoutPlan.MAX_SUBSCRIBERS) {
            throw new IllegalArgumentException(
                    "subscribers: " + subscribers + " is not from 1 to " + FanoutPlan.MAX_SUBSCRIBERS);
        }
        if (inFlight < 1) {
            throw new IllegalArgumentException("in-flight: " + inFlight + " is less than 1");
        }
    }

    Schedule schedule() {
        return Schedule.recorded(
                comments.stream().mapToLong(DanmakuComment::atNanos).toArray(), speed);
    }
}
