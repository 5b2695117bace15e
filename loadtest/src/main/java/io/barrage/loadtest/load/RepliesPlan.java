package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What a {@code replies} run shall do. Immutable.
 *
 * @param target the gateway
 * @param subscribers how many get the load
 * @param window closed loop: how many messages are published and not yet delivered to everybody
 * @param rate open loop: messages a second; if present, there is no window
 * @param askers how many further connections ask
 * @param askRate how many pings, and as many subscribes, all of them send together a second
 * @param warmup how long the load runs before anything counts
 * @param duration how long it runs while everything counts
 * @param patience how long the last answers may take behind it
 * @param bytes the size of a message's data
 * @param connectTimeout how long all connections together may take to stand
 * @param pid the server's process, to read its CPU time
 */
public record RepliesPlan(
        BarrageTarget target,
        int subscribers,
        int window,
        OptionalDouble rate,
        int askers,
        double askRate,
        Duration warmup,
        Duration duration,
        Duration patience,
        int bytes,
        Duration connectTimeout,
        OptionalLong pid) {

    public RepliesPlan {
        Checks.atLeast("subscribers", subscribers, 1);
        Checks.atLeast("askers", askers, 1);
        Checks.atLeast("window", window, rate.isPresent() ? 0 : 1);
        Checks.positive("rate", rate);
        Checks.positive("ask-rate", askRate);
        Checks.data(bytes);
        Checks.notNegative("warmup", warmup);
        Checks.positive("duration", duration);
        Checks.positive("patience", patience);
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d subscribers, %d bytes, %s; %,d others ask %.0f pings and %.0f subscribes/s",
                subscribers,
                bytes,
                rate.isPresent()
                        ? String.format(Locale.ROOT, "open loop, %.0f/s", rate.getAsDouble())
                        : "closed loop, W=" + window,
                askers,
                askRate,
                askRate);
    }
}
