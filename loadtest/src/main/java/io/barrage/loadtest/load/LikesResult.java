package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code likes} run found. Immutable.
 *
 * @param target the gateway's name
 * @param plan what was run
 * @param sent lines sent
 * @param accepted lines that were answered with the key
 * @param refused lines that were answered with an error
 * @param acceptedPerSecond those accepted, by the time from the first line to the last answer
 * @param meanFrames {@code value} frames that a viewer got in the load, a second
 * @param maxFrames the same of the viewer that got most
 * @param viewers how many were told
 * @param exact those whose last value is the number of accepted lines
 * @param closed those that lost their connection
 * @param late how long after it was due the first line of each chunk was sent
 * @param server what the server's process used; null without its pid
 * @param generator what this process used from the first line to the last answer
 * @param invalid why the rates must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record LikesResult(
        String target,
        String plan,
        long sent,
        long accepted,
        long refused,
        double acceptedPerSecond,
        double meanFrames,
        double maxFrames,
        int viewers,
        int exact,
        int closed,
        LatencySummary late,
        @Nullable Server server,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    /** The server's process: CPU seconds per second, CPU per accepted line, resident memory at the end. Immutable. */
    public record Server(double cores, double microsPerLike, long rssBytes, long peakRssBytes) {}

    /** Whether all was accepted, and every viewer's last value is that. */
    public boolean clean() {
        return accepted > 0 && refused == 0 && allExact();
    }

    private boolean allExact() {
        return exact == viewers;
    }

    /** Whether the generator was fit to measure, and the load was offered as it was asked for. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s%n", target, plan);
        out.printf(
                Locale.ROOT,
                "  accepted          %,.0f/s (%,d of %,d lines, %,d refused)%n",
                acceptedPerSecond,
                accepted,
                sent,
                refused);
        out.printf(
                Locale.ROOT,
                "  value frames      %.2f a second for each viewer, at most %.2f%n",
                meanFrames,
                maxFrames);
        out.printf(
                Locale.ROOT,
                "  last value        exact at %,d of %,d viewers, %,d closed%s%n",
                exact,
                viewers,
                closed,
                allExact() ? "" : ": NOT EXACT");
        if (server != null) {
            out.printf(
                    Locale.ROOT,
                    "  server            %.2f cores, %.1f us for each like, RSS %.1f MiB, peak %.1f%n",
                    server.cores,
                    server.microsPerLike,
                    server.rssBytes / 1048576.0,
                    server.peakRssBytes / 1048576.0);
        }
        out.println("  sent after due    " + late.inWords());
        out.println("  generator         " + generator.inWords());
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
