package io.barrage.loadtest;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A closed loop or an open one: an argument group, of which one may be said. Used by one thread. */
final class PacingOptions {
    @Option(
            names = "--window",
            paramLabel = "W",
            description =
                    "Closed loop: messages published but not yet delivered to everybody (default: as many as leave"
                            + " at once with fanout, 32 with replies).")
    private @Nullable Integer window;

    @Option(names = "--rate", paramLabel = "PER_SECOND", description = "Open loop: messages a second, over all topics.")
    private @Nullable Double rate;

    /** The window of a group that may not have been said at all. */
    static int window(@Nullable PacingOptions pacing, int otherwise) {
        Integer window = pacing == null ? null : pacing.window;
        return window == null ? otherwise : window;
    }

    /** The rate of a group that may not have been said at all; empty for a closed loop. */
    static OptionalDouble rate(@Nullable PacingOptions pacing) {
        Double rate = pacing == null ? null : pacing.rate;
        return rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate);
    }
}
