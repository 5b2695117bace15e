package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What a {@code connect} run shall do. Immutable.
 *
 * @param target the gateway, or a {@link Doorstep} where only the handshake matters
 * @param connections how many to open and hold
 * @param rate open loop: handshakes begun a second; without it, as fast as answers come
 * @param inProgress without a rate: how many handshakes wait for their answers at once
 * @param topics over how many topics the connections are spread; with 0 each has one of its own
 * @param warmupHandshakes how many connections are opened and closed before anything counts
 * @param warmupConnections how many of those stand at a time
 * @param hold how long all are held without a word
 * @param connectTimeout how long the last answers may take
 * @param pid the server's process, to read its CPU time and memory
 * @param pidTree whether the server's descendants belong to it
 */
public record ConnectPlan(
        Target target,
        int connections,
        OptionalDouble rate,
        int inProgress,
        int topics,
        int warmupHandshakes,
        int warmupConnections,
        Duration hold,
        Duration connectTimeout,
        OptionalLong pid,
        boolean pidTree) {

    public ConnectPlan {
        Checks.atLeast("connections", connections, 1);
        Checks.positive("rate", rate);
        Checks.atLeast("in-progress", inProgress, 1);
        Checks.atLeast("topics", topics, 0);
        Checks.atLeast("warmup-handshakes", warmupHandshakes, 0);
        Checks.atLeast("warmup-connections", warmupConnections, 1);
        Checks.notNegative("hold", hold);
        Checks.positive("connect-timeout", connectTimeout);
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d connections%s, %s, held for %d s",
                connections,
                topics == 0 ? "" : topics == 1 ? " on one topic" : " on " + topics + " topics",
                rate.isPresent()
                        ? String.format(Locale.ROOT, "open loop, %.0f handshakes/s", rate.getAsDouble())
                        : "closed loop, " + inProgress + " handshakes in progress",
                hold.toSeconds());
    }
}
