package io.barrage.loadtest.load;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/**
 * What each encoding costs: medians over the rounds. Immutable.
 *
 * @param lost messages that a phase's witness didn't get, over all phases
 * @param generator what this process used in the phase in which it was busiest
 * @param invalid why the CPU times must not be used, by the phase in which that was so; empty if they may
 * @param notes what else a reader should know
 */
public record EncodingsResult(
        List<Row> rows,
        long messagesPerPhase,
        int viewers,
        long lost,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {
    /**
     * One encoding.
     *
     * @param bytesPerDelivery on the wire, WebSocket headers included
     * @param bytesOfPlain as a part of the plain encoding's
     * @param cpuMicrosPerDelivery of the server, publishes included
     * @param cpuOfPlain as a part of the plain encoding's, the median of the rounds' ratios
     */
    public record Row(
            String encoding,
            double bytesPerDelivery,
            double bytesOfPlain,
            double cpuMicrosPerDelivery,
            double cpuOfPlain) {}

    /** Whether nothing was lost. */
    public boolean clean() {
        return lost == 0;
    }

    /** Whether the generator was fit to measure in all phases. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** A table for people. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%,d messages to %,d viewers in each phase%n", messagesPerPhase, viewers);
        out.printf(
                Locale.ROOT,
                "%-16s %14s %9s %18s %9s%n",
                "encoding",
                "bytes/delivery",
                "of plain",
                "CPU us/delivery",
                "of plain");
        for (Row row : rows) {
            out.printf(
                    Locale.ROOT,
                    "%-16s %14.1f %8.0f%% %18.2f %9.2f%n",
                    row.encoding,
                    row.bytesPerDelivery,
                    row.bytesOfPlain * 100,
                    row.cpuMicrosPerDelivery,
                    row.cpuOfPlain);
        }
        out.printf(Locale.ROOT, "lost: %,d%n", lost);
        out.println("generator: " + generator.inWords());
        notes.forEach(note -> out.println("note: " + note));
        invalid.forEach(reason -> out.println("INVALID: " + reason));
    }
}
