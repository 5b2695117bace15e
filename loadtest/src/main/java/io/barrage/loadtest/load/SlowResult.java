package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code slow} run found. Immutable.
 *
 * @param target the gateway's name
 * @param plan what was run
 * @param published publishes that the gateway accepted
 * @param refused publishes that it refused
 * @param calm due time to receipt at sampled healthy subscribers, while all read
 * @param stall the same while the stalled didn't read
 * @param late how long after its due time a message was sent, without the warm-up
 * @param serverCores CPU seconds per second of the server in calm and stall; negative without its pid
 * @param rss the server's memory; null without its pid
 * @param healthy those that read all the time
 * @param laggards those that stalled
 * @param generator what this process used in calm and stall
 * @param invalid why the latencies must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record SlowResult(
        String target,
        String plan,
        long published,
        long refused,
        LatencySummary calm,
        LatencySummary stall,
        LatencySummary late,
        double serverCores,
        @Nullable Rss rss,
        Accounts healthy,
        Accounts laggards,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    /** The server's resident memory, in bytes. Immutable. */
    public record Rss(long start, long endOfCalm, long highestInStall, long end) {}

    /**
     * How subscribers came out; each is in exactly one of complete, withGaps, closed and inexact. Immutable.
     *
     * @param count how many there were
     * @param complete those that have every message
     * @param withGaps those for which each offset is a message or in exactly one gap
     * @param closed those whose connection ended, with all exact until then
     * @param closedBy how many by which close code
     * @param inexact those with a hole, an overlap, a repeat or disorder, or that didn't get to the end in time
     * @param delivered messages over all of them
     * @param missed offsets that gaps told
     * @param gaps gap frames
     */
    public record Accounts(
            int count,
            int complete,
            int withGaps,
            int closed,
            Map<String, Integer> closedBy,
            int inexact,
            long delivered,
            long missed,
            long gaps) {

        String inWords() {
            return String.format(
                    Locale.ROOT,
                    "%,d: %,d complete, %,d with gaps, %,d closed %s, %,d INEXACT; %,d messages, %,d offsets in %,d gaps",
                    count,
                    complete,
                    withGaps,
                    closed,
                    closedBy,
                    inexact,
                    delivered,
                    missed,
                    gaps);
        }
    }

    /** Whether all was published, every account is exact, and those that read have every message. */
    public boolean clean() {
        return published > 0 && refused == 0 && laggards.inexact == 0 && healthy.complete == healthy.count;
    }

    /** Whether the generator was fit to measure latency. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s%n", target, plan);
        out.printf(Locale.ROOT, "  published           %,d, %,d refused%n", published, refused);
        out.println("  latency, calm       " + calm.inWords());
        out.println("  latency, stall      " + stall.inWords());
        out.println("  sent after due      " + late.inWords());
        if (serverCores >= 0) {
            out.printf(Locale.ROOT, "  server              %.2f cores%n", serverCores);
        }
        if (rss != null) {
            out.printf(
                    Locale.ROOT,
                    "  server RSS MiB      %.1f at the start, %.1f after calm, at most %.1f in stall, %.1f at the end%n",
                    rss.start / 1048576.0,
                    rss.endOfCalm / 1048576.0,
                    rss.highestInStall / 1048576.0,
                    rss.end / 1048576.0);
        }
        out.println("  healthy             " + healthy.inWords());
        out.println("  laggards            " + laggards.inWords());
        out.println("  generator           " + generator.inWords());
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
