package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code connect} run found. Immutable.
 *
 * @param target the gateway's name
 * @param plan the run in words
 * @param connections how many were asked for
 * @param opened how many stood
 * @param failures how many didn't, by reason
 * @param seconds from the first handshake to the last answer
 * @param handshakesPerSecond those that stood, in that span
 * @param handshake due time to standing: the TCP connection, the upgrade, and what the gateway says first
 * @param late how long after its due time a handshake began; 0 in a closed loop, which has no schedule
 * @param warmupHandshakes how many connections were opened and closed before
 * @param warmupConnections how many of those stood at a time, at most
 * @param held how many stood to the end
 * @param lost how many of those that stood ended before the run did, by reason
 * @param pings the gateway's pings in all that time, each answered
 * @param server what the server's process used; null without its pid
 * @param generator what this process used while connections were opened
 * @param invalid why the handshakes' figures must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record ConnectResult(
        String target,
        String plan,
        int connections,
        int opened,
        Map<String, Integer> failures,
        double seconds,
        double handshakesPerSecond,
        LatencySummary handshake,
        LatencySummary late,
        int warmupHandshakes,
        int warmupConnections,
        int held,
        Map<String, Integer> lost,
        long pings,
        @Nullable Server server,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    /**
     * The server's process. Immutable.
     *
     * @param cpuSeconds user and system time while connections were opened
     * @param handshakesPerCpuSecond those that stood, by that time
     * @param idleCores CPU seconds per second while they were held
     * @param rssCold resident memory before the warm-up, in bytes
     * @param rssBefore the same before the first connection, behind the warm-up
     * @param rssHalf the same when the first half stood
     * @param rssOpened the same when the last one stood
     * @param rssHeld the same at the end, all still held
     * @param peakRss the most that it ever was
     * @param bytesPerConnectionOfSecondHalf what it has grown by from when the first half stood to the end, by the connections of
     *     the second half: the slope, without what a server had resident already and only had to fill
     * @param bytesPerConnection what it has grown by from before the first to the end, by connections held
     * @param bytesPerConnectionFromCold what it has grown by since before the warm-up, by the same
     */
    public record Server(
            double cpuSeconds,
            double handshakesPerCpuSecond,
            double idleCores,
            long rssCold,
            long rssBefore,
            long rssHalf,
            long rssOpened,
            long rssHeld,
            long peakRss,
            double bytesPerConnectionOfSecondHalf,
            double bytesPerConnection,
            double bytesPerConnectionFromCold) {}

    /** Whether all stood, and stood to the end. */
    public boolean clean() {
        return held == connections;
    }

    /** Whether the generator was fit to measure handshakes. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s%n", target, plan);
        out.printf(
                Locale.ROOT,
                "  handshakes/s        %,.0f   (%,d of %,d stood after %.2f s)%n",
                handshakesPerSecond,
                opened,
                connections,
                seconds);
        out.println("  handshake           " + handshake.inWords());
        out.println("  begun after due     " + late.inWords());
        out.printf(
                Locale.ROOT, "  held to the end     %,d, lost %,d; %,d pings answered%n", held, opened - held, pings);
        if (server != null) {
            out.printf(
                    Locale.ROOT,
                    "  memory/connection   %,.0f bytes in the second half; of all %,.0f, %,.0f with the warm-up's%n",
                    server.bytesPerConnectionOfSecondHalf,
                    server.bytesPerConnection,
                    server.bytesPerConnectionFromCold);
            out.printf(
                    Locale.ROOT,
                    "  server RSS, MiB     %.1f cold, %.1f behind %,d warm-up handshakes, %.1f half, %.1f opened, %.1f held, peak %.1f%n",
                    server.rssCold / 1048576.0,
                    server.rssBefore / 1048576.0,
                    warmupHandshakes,
                    server.rssHalf / 1048576.0,
                    server.rssOpened / 1048576.0,
                    server.rssHeld / 1048576.0,
                    server.peakRss / 1048576.0);
            out.printf(
                    Locale.ROOT,
                    "  server CPU          %,.0f handshakes per CPU-second; %.3f cores while held%n",
                    server.handshakesPerCpuSecond,
                    server.idleCores);
        }
        out.println("  generator           " + generator.inWords());
        failures.forEach((why, count) -> out.printf(Locale.ROOT, "  FAILED: %,d: %s%n", count, why));
        lost.forEach((why, count) -> out.printf(Locale.ROOT, "  LOST: %,d: %s%n", count, why));
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
