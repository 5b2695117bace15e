package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What a {@code slow} run shall do. Immutable.
 *
 * @param target the gateway
 * @param subscribers how many connections are on the topic
 * @param stalled how many of them stop reading
 * @param rate messages a second
 * @param warmup how long the load runs before anything counts
 * @param calm how long all read
 * @param stall how long the stalled don't, under the same load
 * @param resume how long they may take to catch up, without load
 * @param bytes the size of a message's data
 * @param receiveBuffer what a stalled socket may hold unread in the kernel, in bytes; the kernel doubles it
 * @param connectTimeout how long all subscribers together may take to subscribe
 * @param pid the server's process, to read its CPU time and memory
 */
public record SlowPlan(
        BarrageTarget target,
        int subscribers,
        int stalled,
        double rate,
        Duration warmup,
        Duration calm,
        Duration stall,
        Duration resume,
        int bytes,
        int receiveBuffer,
        Duration connectTimeout,
        OptionalLong pid) {

    public SlowPlan {
        Checks.atLeast("subscribers", subscribers, 2);
        if (stalled < 1 || stalled >= subscribers) {
            throw new IllegalArgumentException(
                    "stalled: " + stalled + " of " + subscribers + ": at least one must stall, and one must not");
        }
        Checks.positive("rate", rate);
        Checks.data(bytes);
        Checks.atLeast("receive-buffer", receiveBuffer, 1);
        Checks.notNegative("warmup", warmup);
        Checks.positive("calm", calm);
        Checks.positive("stall", stall);
        Checks.positive("resume", resume);
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d subscribers, %,d of them stall, %.0f/s, %d bytes, calm %d s, stall %d s",
                subscribers,
                stalled,
                rate,
                bytes,
                calm.toSeconds(),
                stall.toSeconds());
    }
}
