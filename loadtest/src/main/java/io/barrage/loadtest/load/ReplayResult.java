package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a {@code replay} found; every delivery to every subscriber was checked. Immutable.
 *
 * @param target the gateway's name
 * @param topic where it was published
 * @param comments how many comments the recording has
 * @param subscribers how many watched
 * @param seconds how long it took
 * @param published publishes that the gateway accepted
 * @param shed publishes that it took and shed
 * @param refused publishes that it refused
 * @param expected accepted comments x subscribers
 * @param delivered different comments received, over all subscribers
 * @param lost deliveries missing, told or not
 * @param told those of the lost that the gateway admitted with a gap, by its reason
 * @param repeated deliveries of what the subscriber had already
 * @param disordered deliveries behind a later comment
 * @param foreign messages on the topic that somebody else published
 * @param fromDue due time to receipt, every delivery
 * @param fromSent actual send to receipt, every delivery
 * @param answer publish sent to publish answered
 * @param late how long after its due time a comment was sent
 * @param serverCores CPU seconds per second of the server; negative without its pid
 * @param generator what this process used
 * @param invalid why the latencies must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record ReplayResult(
        String target,
        String topic,
        int comments,
        int subscribers,
        double seconds,
        int published,
        int shed,
        int refused,
        long expected,
        long delivered,
        long lost,
        Map<String, Long> told,
        long repeated,
        long disordered,
        long foreign,
        LatencySummary fromDue,
        LatencySummary fromSent,
        LatencySummary answer,
        LatencySummary late,
        double serverCores,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    public ReplayResult {
        told = Collections.unmodifiableMap(new TreeMap<>(told));
    }

    /**
     * Whether every accepted comment came to everybody, once and in order, and none was refused.
     *
     * @param acceptTold whether loss that the gateway admitted is fine
     */
    public boolean clean(boolean acceptTold) {
        long excused =
                acceptTold ? told.values().stream().mapToLong(Long::longValue).sum() : 0;
        return lost == excused && repeated == 0 && disordered == 0 && refused == 0;
    }

    /** Whether the generator was fit to measure. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(
                Locale.ROOT,
                "%s: %,d comments to %s, %,d subscribers, %.1f s%n",
                target,
                comments,
                topic,
                subscribers,
                seconds);
        out.printf(Locale.ROOT, "  published          %,d (%,d shed, %,d refused)%n", published, shed, refused);
        out.printf(Locale.ROOT, "  delivered          %,d of %,d%n", delivered, expected);
        out.printf(Locale.ROOT, "  lost               %,d%s%n", lost, told.isEmpty() ? "" : ", told by gaps " + told);
        out.printf(
                Locale.ROOT,
                "  repeated           %,d, out of order %,d, of other publishers %,d%n",
                repeated,
                disordered,
                foreign);
        out.println("  latency from due   " + fromDue.inWords());
        out.println("  latency from sent  " + fromSent.inWords());
        out.println("  publish answered   " + answer.inWords());
        out.println("  sent after due     " + late.inWords());
        if (serverCores >= 0) {
            out.printf(Locale.ROOT, "  server             %.2f cores%n", serverCores);
        }
        out.println("  generator          " + generator.inWords());
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
