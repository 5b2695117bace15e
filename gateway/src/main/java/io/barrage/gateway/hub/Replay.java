package io.barrage.gateway.hub;

import org.jspecify.annotations.Nullable;

/**
 * What a subscription reads from its topic's past, on the node, before it goes on at its cursor in the log: after it came back,
 * after its log was dropped or moved on without it, or after less attention. The next offset is the subscription's own.
 *
 * <p>Confined to its event loop.
 */
final class Replay {
    /** The last offset that it covers. */
    final long through;

    /** Whether it gives every message that is still there, or only those of priority high and critical. */
    final boolean everything;

    /** Why those are missing that it doesn't give. */
    final ShedReason reason;

    /** Whether high and critical messages may be among them; otherwise the connection is closed first. */
    final boolean mayLoseUrgent;

    /** Of its messages, by priority, those that are owed and not yet accounted for; null if it is all past. */
    final long @Nullable [] owed;

    /**
     * By priority, those of its messages that were found stale. Not counted as such before it ends: some were stale when they came
     * to the loop, counted then, and aren't among what is owed.
     */
    private final long[] expired = new long[NamespaceCounters.PRIORITIES];

    /** Hidden messages that the frames which it stands for have told of, less those told by messages that it gave. */
    long hidden;

    Replay(
            long through,
            boolean everything,
            ShedReason reason,
            boolean mayLoseUrgent,
            long @Nullable [] owed,
            long hidden) {
        this.through = through;
        this.everything = everything;
        this.reason = reason;
        this.mayLoseUrgent = mayLoseUrgent;
        this.owed = owed;
        this.hidden = hidden;
    }

    /** Accounts for a piece of it, but for what became of the messages that it gives. */
    void took(ReplayReader piece, NamespaceCounters counters) {
        hidden -= piece.hidden();
        if (owed == null) {
            return;
        }
        for (int i = 0; i < owed.length; i++) {
            owed[i] -= piece.messages()[i] + piece.retracted()[i];
            expired[i] += piece.expired()[i];
        }
        counters.shed(ShedReason.RETRACTED, piece.retracted());
    }

    /** Sheds what it owed and hasn't given: what is stale of it as such, the others for {@code reason}. */
    void shedRest(NamespaceCounters counters, ShedReason reason) {
        if (owed == null) {
            return;
        }
        for (int i = 0; i < owed.length; i++) {
            long stale = Math.min(expired[i], owed[i]);
            counters.shed[ShedReason.EXPIRED.ordinal()][i] += stale;
            counters.shed[reason.ordinal()][i] += owed[i] - stale;
            owed[i] = 0;
        }
    }

    /** Whether it is there because its reader had asked for less, and has been told at that level what was hidden. */
    boolean isAfterLessAttention() {
        return owed == null && reason == ShedReason.ATTENTION;
    }
}
