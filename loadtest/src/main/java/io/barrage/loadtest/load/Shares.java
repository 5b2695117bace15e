package io.barrage.loadtest.load;

import java.util.Arrays;

/** What each sender of a room offers and is shown. Confined to its event loop. */
final class Shares {
    private final double[] upTo;
    private final long[] offered;
    private final long[] shown;

    Shares(int senders) {
        offered = new long[senders];
        shown = new long[senders];
        upTo = new double[senders];
        double sum = 0;
        for (int i = 0; i < senders; i++) {
            sum += 1.0 / (i + 1);
            upTo[i] = sum;
        }
    }

    /** Zipf: the sender to whom a random number of [0, 1) falls; the n-th has one n-th of the first one's share. */
    int senderOf(double random) {
        int at = Arrays.binarySearch(upTo, random * upTo[upTo.length - 1]);
        return Math.min(at < 0 ? -at - 1 : at + 1, upTo.length - 1);
    }

    void add(int sender, boolean isShown) {
        offered[sender]++;
        if (isShown) {
            shown[sender]++;
        }
    }

    /**
     * How many messages of a sender fit if what was shown is shared evenly: who offers less keeps all, the others share the
     * rest. Infinite if nothing had to be hidden.
     */
    double fairShare() {
        long[] sorted = offered.clone();
        Arrays.sort(sorted);
        double left = Arrays.stream(shown).sum();
        for (int i = 0; i < sorted.length; i++) {
            double even = left / (sorted.length - i);
            if (sorted[i] > even) {
                return even;
            }
            left -= sorted[i];
        }
        return Double.POSITIVE_INFINITY;
    }

    /** What was shown of each who offered more than the fair share, ascending. */
    long[] shownOfThoseAbove(double fairShare) {
        long[] above = new long[offered.length];
        int count = 0;
        for (int i = 0; i < offered.length; i++) {
            if (offered[i] > fairShare) {
                above[count++] = shown[i];
            }
        }
        long[] result = Arrays.copyOf(above, count);
        Arrays.sort(result);
        return result;
    }
}
