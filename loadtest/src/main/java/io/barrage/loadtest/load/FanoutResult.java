package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code fanout} run found. Immutable. Rates and CPU are of the measured span; loss is of the whole run, warm-up
 * included.
 *
 * @param target the gateway's name
 * @param plan the run in words
 * @param seconds the measured span
 * @param publishesPerSecond messages sent
 * @param deliveriesPerSecond messages received, over all subscribers
 * @param messagesPerRead deliveries per read from a socket: how deep the gateway and the kernel batched
 * @param bytesPerRead bytes of the WebSocket stream per such read
 * @param bytesPerDelivery bytes of the WebSocket stream per delivery, frame headers included; 0 without deliveries
 * @param server what the server's process used; null without its pid
 * @param generator what this process used
 * @param totals messages and deliveries of the whole run
 * @param sampled due time to receipt, at the sampled subscribers
 * @param complete due time to receipt by the last subscriber, every message
 * @param answer publish sent to publish answered
 * @param late how long after its due time a message was sent; with a closed loop that is 0 by definition
 * @param invalid why the figures must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record FanoutResult(
        String target,
        String plan,
        double seconds,
        double publishesPerSecond,
        double deliveriesPerSecond,
        double messagesPerRead,
        double bytesPerRead,
        double bytesPerDelivery,
        @Nullable Server server,
        Generator generator,
        Totals totals,
        LatencySummary sampled,
        LatencySummary complete,
        LatencySummary answer,
        LatencySummary late,
        List<String> invalid,
        List<String> notes) {

    /** Above this share of a core, the generator's own loop decides how fast deliveries are taken. */
    static final double MAX_LOOP_BUSY = 0.95;

    /** Above this lag, latency is as much the generator's as the gateway's. */
    static final double MAX_LAG_P99_MICROS = 100_000;

    /** Above this lateness, the generator did not offer the load that it was asked for. */
    static final double MAX_LATE_P99_MICROS = 100_000;

    /** Others that take more than this share of the machine make figures move. */
    private static final double MAX_OTHERS_SHARE = 0.1;

    /**
     * The server's process. Immutable.
     *
     * @param cpuSeconds user and system time in the span
     * @param cores the same per second
     * @param deliveriesPerCpuSecond the figure to compare gateways by
     * @param rssBytes resident memory at the end of the span
     * @param peakRssBytes the most that it ever was
     */
    public record Server(
            double cpuSeconds, double cores, double deliveriesPerCpuSecond, long rssBytes, long peakRssBytes) {}

    /**
     * This process. Immutable.
     *
     * @param cores CPU seconds per second, all threads
     * @param busiestLoop the share of the span in which its busiest event loop was on a processor
     * @param othersCores CPU seconds per second that neither it nor the server used; negative without the server's pid
     * @param stolenCores what the hypervisor took
     * @param disturbed whether others took so much that the figures may have moved
     * @param lag how late tasks ran on the event loops
     */
    public record Generator(
            double cores,
            double busiestLoop,
            double othersCores,
            double stolenCores,
            boolean disturbed,
            LatencySummary lag) {

        /** Why it was itself the limit; empty if it wasn't. */
        List<String> limits(LatencySummary late, long overdue) {
            return FanoutResult.limits(busiestLoop, lag, late, overdue);
        }

        /** A note for each of those that disturbed the run. */
        List<String> disturbances() {
            return FanoutResult.disturbances(othersCores, stolenCores);
        }

        String inWords() {
            return String.format(
                    Locale.ROOT,
                    "%.2f cores, busiest loop %.0f %%, loop lag p99 %s ms",
                    cores,
                    100 * busiestLoop,
                    LatencySummary.millis(lag.p99()));
        }
    }

    /**
     * The whole run's counts. Immutable.
     *
     * @param sent publishes sent
     * @param shed publishes taken and shed by the gateway
     * @param refused publishes refused
     * @param expected deliveries owed: accepted messages x their topic's subscribers
     * @param delivered deliveries received
     * @param lost deliveries missing, told or not
     * @param told those of the lost that the gateway admitted with a gap
     * @param excess deliveries beyond those owed
     * @param repeated messages that a sampled subscriber got twice in a row
     * @param disordered messages that came to a sampled subscriber behind a later one
     */
    public record Totals(
            long sent,
            long shed,
            long refused,
            long expected,
            long delivered,
            long lost,
            long told,
            long excess,
            long repeated,
            long disordered) {

        boolean clean() {
            return lost == 0 && excess == 0 && repeated == 0 && disordered == 0 && refused == 0;
        }
    }

    /** Messages sent by the server's CPU time in the span; NaN without its pid. */
    public double publishesPerCpuSecond() {
        return server == null || server.cores <= 0 ? Double.NaN : publishesPerSecond / server.cores;
    }

    /** Whether every message came to everybody, once and in order. */
    public boolean clean() {
        return totals.clean();
    }

    /** Whether the generator was fit to measure. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** The reasons why a generator was itself the limit. */
    static List<String> limits(double busiestLoop, LatencySummary lag, LatencySummary late, long overdue) {
        List<String> reasons = new ArrayList<>();
        if (busiestLoop >= MAX_LOOP_BUSY) {
            reasons.add(String.format(
                    Locale.ROOT,
                    "the generator was the limit: an event loop was busy %.0f %% of the time (at most %.0f %%)",
                    100 * busiestLoop,
                    100 * MAX_LOOP_BUSY));
        }
        if (lag.p99() > MAX_LAG_P99_MICROS) {
            reasons.add("the generator was the limit: its event loop ran " + LatencySummary.millis(lag.p99())
                    + " ms late at p99 (at most " + LatencySummary.millis(MAX_LAG_P99_MICROS) + ")");
        }
        if (overdue > 0) {
            reasons.add("the load was not offered: " + overdue
                    + " messages were due but withheld, since too many were under way");
        } else if (late.p99() > MAX_LATE_P99_MICROS) {
            reasons.add("the load was not offered in time: messages left " + LatencySummary.millis(late.p99())
                    + " ms late at p99 (at most " + LatencySummary.millis(MAX_LATE_P99_MICROS) + ")");
        }
        return reasons;
    }

    static List<String> disturbances(double othersCores, double stolenCores) {
        return disturbances(othersCores, stolenCores, Runtime.getRuntime().availableProcessors());
    }

    /** A note for each of those that disturbed a run. */
    static List<String> disturbances(double othersCores, double stolenCores, int processors) {
        List<String> notes = new ArrayList<>();
        if (othersCores > MAX_OTHERS_SHARE * processors) {
            notes.add(String.format(Locale.ROOT, "other processes used %.2f cores meanwhile", othersCores));
        }
        if (stolenCores > MAX_OTHERS_SHARE * processors) {
            notes.add(String.format(Locale.ROOT, "the hypervisor took %.2f cores meanwhile", stolenCores));
        }
        return notes;
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s, %.1f s measured%n", target, plan, seconds);
        if (server != null) {
            out.printf(
                    Locale.ROOT,
                    "  per server CPU-second  %,.0f deliveries, %,.0f publishes   (server %.2f cores, RSS %.1f MiB, peak %.1f)%n",
                    server.deliveriesPerCpuSecond,
                    publishesPerCpuSecond(),
                    server.cores,
                    server.rssBytes / 1048576.0,
                    server.peakRssBytes / 1048576.0);
        }
        out.printf(
                Locale.ROOT,
                "  deliveries/s           %,.0f   (%.1f bytes each; %,.0f publishes/s; %,.0f reads/s with %.1f messages and %,.0f bytes)%n",
                deliveriesPerSecond,
                bytesPerDelivery,
                publishesPerSecond,
                messagesPerRead == 0 ? 0 : deliveriesPerSecond / messagesPerRead,
                messagesPerRead,
                bytesPerRead);
        out.printf(
                Locale.ROOT,
                "  whole run              %,d published, %,d shed, %,d refused; %,d of %,d delivered, %,d lost (%,d told), "
                        + "%,d too many, %,d repeated, %,d out of order%n",
                totals.sent,
                totals.shed,
                totals.refused,
                totals.delivered,
                totals.expected,
                totals.lost,
                totals.told,
                totals.excess,
                totals.repeated,
                totals.disordered);
        out.println("  latency, sampled       " + sampled.inWords());
        out.println("  latency, last one      " + complete.inWords());
        out.println("  publish answered       " + answer.inWords());
        out.println("  sent after due         " + late.inWords());
        out.println("  generator              " + generator.inWords());
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
