package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/**
 * What a {@code hot} run found. Immutable.
 *
 * @param target the gateway's name
 * @param plan what was run
 * @param normal the comments, by the publisher's answers
 * @param critical the gifts, likewise
 * @param viewers how many watched
 * @param visibleSets how many different sets of messages they saw; 1 if all saw the same
 * @param shortOfMessages viewers that didn't see as many messages as were shown
 * @param criticalMissing viewers that didn't see exactly the critical messages that were accepted
 * @param hiddenWrong viewers that were told another number of hidden messages than the publisher
 * @param closed viewers that lost their connection
 * @param shownPerSecond normal and critical messages shown a second, after the warm-up
 * @param budgetRatio the same by the budget
 * @param shares what was shown of those who offer more than the fair share, after the warm-up
 * @param answer due time of a comment to its answer, after the warm-up; if it is long, the rates say little
 * @param late how long after its due time a message was sent, after the warm-up
 * @param serverCores CPU seconds per second of the server after the warm-up; negative without its pid
 * @param generator what this process used meanwhile
 * @param invalid why rates and shares must not be used; empty if they may
 * @param notes what else a reader should know
 */
public record HotResult(
        String target,
        String plan,
        Counts normal,
        Counts critical,
        int viewers,
        int visibleSets,
        int shortOfMessages,
        int criticalMissing,
        int hiddenWrong,
        int closed,
        double shownPerSecond,
        double budgetRatio,
        SenderShares shares,
        LatencySummary answer,
        LatencySummary late,
        double serverCores,
        FanoutResult.Generator generator,
        List<String> invalid,
        List<String> notes) {

    /** What became of a priority's messages, as answered. Immutable. */
    public record Counts(long offered, long shown, long hidden, long refused) {
        String inWords() {
            return String.format(
                    Locale.ROOT, "%,d offered, %,d shown, %,d hidden, %,d refused", offered, shown, hidden, refused);
        }
    }

    /** Messages shown of each sender above the fair share. Immutable. */
    public record SenderShares(int senders, double fairShare, long min, double median, long max) {}

    /** Whether nothing was refused, anything was shown, and all saw the same, each critical message, and the right counts. */
    public boolean clean() {
        return normal.refused == 0
                && critical.refused == 0
                && normal.shown > 0
                && critical.shown > 0
                && visibleSets == 1
                && shortOfMessages == 0
                && criticalMissing == 0
                && hiddenWrong == 0;
    }

    /** Whether the generator was fit to measure. */
    public boolean valid() {
        return invalid.isEmpty();
    }

    private static String verdict(int wrong) {
        return wrong == 0 ? "yes" : String.format(Locale.ROOT, "NO, %,d viewers wrong", wrong);
    }

    /** Prints it for a person. */
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "%s: %s%n", target, plan);
        out.println("  normal               " + normal.inWords());
        out.println("  critical             " + critical.inWords());
        out.printf(Locale.ROOT, "  shown                %.1f/s, %.2f of the budget%n", shownPerSecond, budgetRatio);
        out.printf(
                Locale.ROOT,
                "  above the fair share %d senders; shown of each: min %,d, median %,.1f, max %,d (fair: %.0f)%n",
                shares.senders,
                shares.min,
                shares.median,
                shares.max,
                shares.fairShare);
        out.println("  answered after due   " + answer.inWords());
        out.printf(
                Locale.ROOT,
                "  all saw the same     %s%n",
                visibleSets == 1 ? "yes" : "NO, " + visibleSets + " different sets");
        out.println("  all that was shown   " + verdict(shortOfMessages));
        out.println("  every critical one   " + verdict(criticalMissing));
        out.println("  hidden counts right  " + verdict(hiddenWrong));
        out.printf(Locale.ROOT, "  viewers              %,d, %,d closed%n", viewers, closed);
        out.println("  sent after due       " + late.inWords());
        if (serverCores >= 0) {
            out.printf(Locale.ROOT, "  server               %.2f cores%n", serverCores);
        }
        out.println("  generator            " + generator.inWords());
        notes.forEach(note -> out.println("  note: " + note));
        invalid.forEach(reason -> out.println("  INVALID: " + reason));
    }
}
