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
}
