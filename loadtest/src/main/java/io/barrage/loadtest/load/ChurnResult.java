package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code churn} run found. Immutable. Rates, latencies and CPU are of the measured span; accounts are of the whole run,
 * warm-up included.
 *
 * @param target the gateway's name
 * @param plan the run in words
 * @param seconds the measured span
 * @param comingsPerSecond connections that came back and stood, by that span
 * @param overdue how many should have left by then and couldn't, since nobody of those that churn stood
 * @param left how many said goodbye, in the whole run
 * @param reset how many were cut by a TCP reset
 * @param failures how many couldn't come back, by reason
 * @param handshake from the time at which a connection was due to leave and come back, to its new subscription
 * @param delivery due time to receipt, at up to 100 of those that stay
 * @param published messages accepted
 * @param refused messages refused
 * @param late how long after its due time a message was sent
 * @param stayers those that stay
 * @param churners each subscription of those that don't, until it left
 * @param lost connections that ended and weren't meant to, by reason
 * @param server what the server's process used; null without its pid
 * @param generator what this process used in the span
 * @param invalid why latencies and rates must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record ChurnResult(
        String target,
        String plan,
        double seconds,
        double comingsPerSecond,
        long overdue,
        long left,
        long reset,
        Map<String, Integer> failures,
        LatencySummary handshake,
        LatencySummary delivery,
        long published,
        long refused,
        LatencySummary late,
        Account stayers,
        Account churners,
        Map<String, Integer> lost,
        @Nullable Server server,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    /**
     * What subscriptions got of what they were owed. Immutable.
     *
     * @param subscriptions how many there were
     * @param expected offsets from the one behind {@code subscribed} to the end, or to the last one seen of one that left
     * @param delivered messages of these that came
     * @param lost those that didn't, admitted or not
     * @param told those of the lost that a gap admitted
     * @param inexact subscriptions with a hole, an overlap, a repeat or disorder, or not at the end in time
     */
    public record Account(int subscriptions, long expected, long delivered, long lost, long told, int inexact) {
        String inWords() {
            return String.format(
                    Locale.ROOT,
                    "%,d subscriptions: %,d of %,d delivered, %,d lost (%,d told), %,d INEXACT",
                    subscriptions,
                    delivered,
                    expected,
                    lost,
                    told,
                    inexact);
        }
    }

    /**
     * The server's process. Immutable.
     *
     * @param cores CPU seconds per second in the span, fan-out included
     * @param rssStart resident memory in bytes when the span began, all connections standing
     * @param rssEnd the same at the end, as many standing
     * @param growth the difference
     * @param peakRss the most that it ever was
     */
    public record Server(double cores, long rssStart, long rssEnd, long growth, long peakRss) {}

    /** Whether everybody came back, and everybody got everything. */
    public boolean clean() {
        return published > 0
                && refused == 0
                && failures.isEmpty()
                && lost.isEmpty()
                && stayers.lost == 0
                && stayers.inexact == 0
                && churners.lost == 0
                && churners.inexact == 0;
    }

    /** Whether the generator was fit to measure. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s%n", target, plan);
        out.printf(
                Locale.ROOT,
                "  came back/s         %,.1f   (whole run: %,d said goodbye, %,d were reset; %,d overdue)%n",
                comingsPerSecond,
                left,
                reset,
                overdue);
        out.println("  handshake           " + handshake.inWords());
        out.println("  delivery            " + delivery.inWords());
        out.printf(Locale.ROOT, "  published           %,d, %,d refused%n", published, refused);
        out.println("  sent after due      " + late.inWords());
        out.println("  those that stay     " + stayers.inWords());
        out.println("  those that churn    " + churners.inWords());
        if (server != null) {
            out.printf(
                    Locale.ROOT,
                    "  server              %.2f cores; RSS %.1f MiB at the start, %.1f at the end (%+.1f), peak %.1f%n",
                    server.cores,
                    server.rssStart / 1048576.0,
                    server.rssEnd / 1048576.0,
                    server.growth / 1048576.0,
                    server.peakRss / 1048576.0);
        }
        out.println("  generator           " + generator.inWords());
        failures.forEach((why, count) -> out.printf(Locale.ROOT, "  FAILED: %,d: %s%n", count, why));
        lost.forEach((why, count) -> out.printf(Locale.ROOT, "  LOST: %,d: %s%n", count, why));
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
