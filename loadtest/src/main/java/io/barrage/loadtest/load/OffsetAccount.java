package io.barrage.loadtest.load;

/**
 * What became of each offset that one subscription is owed. Confined to its event loop.
 *
 * <p>A subscription's offsets only grow, and messages and gaps together cover each of them once. So whatever comes must begin
 * at the first offset that nothing has covered: later is a hole, earlier an overlap, a repeat or disorder.
 */
final class OffsetAccount {
    private long next;
    private long delivered;
    private long missed;
    private long gaps;
    private long errors;
    private String firstError = "";

    /** @param position the head when the subscription stood; the offset behind it is the first that is owed */
    OffsetAccount(long position) {
        next = position + 1;
    }

    /** A message was delivered. */
    void message(long offset) {
        cover("message", offset, offset);
        delivered++;
    }

    /** A gap was told, both ends included. */
    void gap(long from, long to) {
        cover("gap", from, to);
        missed += Math.max(0, to - from + 1);
        gaps++;
    }

    private void cover(String what, long from, long to) {
        if (from != next || to < from) {
            String kind = to < from ? "backwards" : from > next ? "hole" : "overlap";
            error(kind + ": " + what + " " + from + ".." + to + " where " + next + " was due");
        }
        next = Math.max(next, to + 1);
    }

    /** Something came that fits into no account. */
    void error(String what) {
        if (errors++ == 0) {
            firstError = what;
        }
    }

    /** Whether everything up to {@code head} is covered. */
    boolean reached(long head) {
        return next > head;
    }

    /** Why it isn't exact to {@code head}, in words; empty if it is. */
    String objection(long head) {
        if (!exact()) {
            return firstError;
        }
        return reached(head) ? "" : "waits for " + next + " of " + head + " at the end";
    }

    /** Whether nothing was covered twice, left out or out of order, as far as the account goes. */
    boolean exact() {
        return errors == 0;
    }

    long next() {
        return next;
    }

    long delivered() {
        return delivered;
    }

    /** How many offsets gaps have covered. */
    long missed() {
        return missed;
    }

    long gaps() {
        return gaps;
    }
}
