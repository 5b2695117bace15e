package io.barrage.gateway.hub;

import io.barrage.protocol.Priority;

/**
 * What one event loop counts of a namespace's messages, each by priority: owed = delivered + shed + in flight, always.
 *
 * <p>Confined to its event loop; plain longs, since they change with every delivery.
 */
final class NamespaceCounters {
    static final int PRIORITIES = Priority.values().length;

    final String namespace;
    /** Appended messages times the subscriptions at that moment. */
    final long[] owed = new long[PRIORITIES];
    /** Handed to the kernel. */
    final long[] delivered = new long[PRIORITIES];
    /** By reason, then priority. */
    final long[][] shed = new long[ShedReason.values().length][PRIORITIES];

    /** Of the past, for those who came back or late: handed to the kernel, and never owed. */
    long replayed;

    NamespaceCounters(String namespace) {
        this.namespace = namespace;
    }

    void delivered(int[] messages) {
        for (int i = 0; i < PRIORITIES; i++) {
            delivered[i] += messages[i];
        }
    }

    void replayed(int[] messages) {
        for (int count : messages) {
            replayed += count;
        }
    }

    void shed(ShedReason reason, long[] messages) {
        long[] counts = shed[reason.ordinal()];
        for (int i = 0; i < PRIORITIES; i++) {
            counts[i] += messages[i];
        }
    }

    void shed(ShedReason reason, int[] messages) {
        long[] counts = shed[reason.ordinal()];
        for (int i = 0; i < PRIORITIES; i++) {
            counts[i] += messages[i];
        }
    }
}
