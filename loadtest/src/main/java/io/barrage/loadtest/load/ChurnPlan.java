package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What a {@code churn} run shall do. Immutable.
 *
 * @param target the gateway
 * @param connections how many are on the topic
 * @param churning how many of them leave and come back, in turn; the others stay
 * @param rate how many leave and come back a second
 * @param resets the share of them that leave by a TCP reset, from 0 to 1; the others say goodbye
 * @param publishRate messages a second
 * @param warmup how long all that goes on before anything counts
 * @param duration how long it goes on while everything counts
 * @param patience how long the last messages and handshakes may take behind it
 * @param bytes the size of a message's data
 * @param connectTimeout how long all connections together may take to stand at first
 * @param pid the server's process, to read its CPU time and memory
 */
public record ChurnPlan(
        BarrageTarget target,
        int connections,
        int churning,
        double rate,
        double resets,
        double publishRate,
        Duration warmup,
        Duration duration,
        Duration patience,
        int bytes,
        Duration connectTimeout,
        OptionalLong pid) {

    public ChurnPlan {
        Checks.atLeast("connections", connections, 2);
        if (churning < 1 || churning >= connections) {
            throw new IllegalArgumentException(
                    "churning: " + churning + " of " + connections + ": at least one must leave, and one must stay");
        }
        Checks.positive("rate", rate);
        Checks.positive("publish-rate", publishRate);
        if (!(resets >= 0 && resets <= 1)) {
            throw new IllegalArgumentException("resets: " + resets + " is not a share from 0 to 1");
        }
        Checks.data(bytes);
        Checks.notNegative("warmup", warmup);
        Checks.positive("duration", duration);
        Checks.positive("patience", patience);
    }

    /** One line for reports. */
    public String inWords() {
        return String.format(
                Locale.ROOT,
                "%,d connections, %,d of them leave and come back, %.0f/s, %.0f %% by reset; %.0f messages/s, %d bytes, %d s",
                connections,
                churning,
                rate,
                100 * resets,
                publishRate,
                bytes,
                duration.toSeconds());
    }
}
