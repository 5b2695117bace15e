package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a {@code replies} run found. Immutable. Rates and CPU are of the measured span.
 *
 * @param target the gateway's name
 * @param plan the run in words
 * @param seconds the measured span
 * @param ping from the time at which a ping was due to its pong
 * @param subscribe from the time at which a subscribe to the loaded topic was due to its answer
 * @param unanswered questions that had no answer at the end, those of the warm-up included
 * @param errors frames that answered no question, or with an error, by their text
 * @param deliveriesPerSecond the load: messages received by its subscribers
 * @param publishesPerSecond the load: messages accepted
 * @param refused messages that the gateway refused
 * @param lost connections that ended and weren't meant to, by reason
 * @param serverCores CPU seconds per second of the server; negative without its pid
 * @param loadLoop the share of the span in which the event loop that makes the load was on a processor
 * @param generator what this process used in the span; the loop in it is the one that asks
 * @param late how long after its due time a ping was sent
 * @param invalid why the figures must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record RepliesResult(
        String target,
        String plan,
        double seconds,
        LatencySummary ping,
        LatencySummary subscribe,
        long unanswered,
        Map<String, Integer> errors,
        double deliveriesPerSecond,
        double publishesPerSecond,
        long refused,
        Map<String, Integer> lost,
        double serverCores,
        double loadLoop,
        FanoutResult.Generator generator,
        LatencySummary late,
        List<String> invalid,
        List<String> notes) {

    /** Whether every question had its answer. */
    public boolean clean() {
        return unanswered == 0
                && errors.isEmpty()
                && lost.isEmpty()
                && refused == 0
                && ping.count() > 0
                && subscribe.count() > 0;
    }

    /** Whether the generator was fit to measure. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s, %.1f s measured%n", target, plan, seconds);
        out.println("  ping to pong        " + ping.inWords());
        out.println("  subscribe answered  " + subscribe.inWords());
        out.printf(
                Locale.ROOT,
                "  load                %,.0f deliveries/s of %,.0f publishes/s, %,d refused%n",
                deliveriesPerSecond,
                publishesPerSecond,
                refused);
        if (serverCores >= 0) {
            out.printf(Locale.ROOT, "  server              %.2f cores%n", serverCores);
        }
        out.println("  asked after due     " + late.inWords());
        out.printf(
                Locale.ROOT,
                "  generator           the loop that asks: %s; the load's loop %.0f %%%n",
                generator.inWords(),
                100 * loadLoop);
        if (unanswered > 0) {
            out.printf(Locale.ROOT, "  UNANSWERED: %,d%n", unanswered);
        }
        errors.forEach((what, count) -> out.printf(Locale.ROOT, "  ERROR: %,d: %s%n", count, what));
        lost.forEach((why, count) -> out.printf(Locale.ROOT, "  LOST: %,d: %s%n", count, why));
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
