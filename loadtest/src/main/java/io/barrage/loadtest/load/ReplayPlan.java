package io.barrage.loadtest.load;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

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
 * @param pid the server's process, to read its CPU time
 * @param pidTree whether the server's descendants belong to it
 */
public record ReplayPlan(
        Target target,
        String topic,
        List<DanmakuComment> comments,
        double speed,
        int subscribers,
        int inFlight,
        Duration patience,
        Duration connectTimeout,
        OptionalLong pid,
        boolean pidTree) {
    public ReplayPlan {
        comments = List.copyOf(comments);
        if (comments.isEmpty()) {
            throw new IllegalArgumentException("there are no comments to replay");
        }
        Checks.positive("speed", speed);
        Checks.atLeast("subscribers", subscribers, 1);
        Checks.atLeast("in-flight", inFlight, 1);
        Checks.positive("patience", patience);
    }

    Schedule schedule() {
        return Schedule.recorded(
                comments.stream().mapToLong(DanmakuComment::atNanos).toArray(), speed);
    }
}
