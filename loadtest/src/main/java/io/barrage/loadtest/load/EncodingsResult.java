package io.barrage.loadtest.load;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/**
 * What each encoding costs: medians over the rounds. Immutable.
 *
 * @param lost messages that a phase's witness didn't get, over all phases
 */
public record EncodingsResult(List<Row> rows, long messagesPerPhase, int viewers, long lost) {
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
    }
}
