package io.barrage.gateway.hub;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The hub's counters at one moment per event loop. Immutable.
 *
 * @param namespaces the messages' counters, in no order
 * @param behindConnections connections with a run in the transport's hands
 * @param messagesWritten messages in all socket writes
 * @param coalesceWindowNanos the widest of all topics
 * @param replayed messages of topics' pasts that were handed to the kernel
 * @param worstError the greatest conservation error that a check between two turns has found
 */
public record HubSnapshot(
        List<Namespace> namespaces,
        long connections,
        long subscriptions,
        long topics,
        long behindConnections,
        long behindSubscriptions,
        long socketWrites,
        long messagesWritten,
        long drains,
        long logBytes,
        long pinnedBytes,
        long queuedBytes,
        long coalesceWindowNanos,
        long replayed,
        long worstError) {

    /** Nothing yet. */
    public static final HubSnapshot EMPTY = new Builder().build();

    /** One namespace's messages; the inner lists are by priority, {@code shed} by reason first. */
    public record Namespace(
            String name, List<Long> owed, List<Long> delivered, List<List<Long>> shed, List<Long> inFlight) {
        /** 0 unless messages were lost or invented: owed must be delivered, shed or in flight. */
        public long conservationError() {
            long error = 0;
            for (int p = 0; p < owed.size(); p++) {
                int priority = p;
                long accounted = delivered.get(p)
                        + inFlight.get(p)
                        + shed.stream()
                                .mapToLong(counts -> counts.get(priority))
                                .sum();
                error += Math.abs(owed.get(p) - accounted);
            }
            return error;
        }
    }

    /** The sum over the namespaces now. */
    public long conservationError() {
        return namespaces.stream().mapToLong(Namespace::conservationError).sum();
    }

    /** The sum now, or the greatest that there ever was. */
    public long greatestConservationError() {
        return Math.max(conservationError(), worstError);
    }

    /** Several event loops' as one. */
    static HubSnapshot sum(Collection<HubSnapshot> shards) {
        Builder sum = new Builder();
        for (HubSnapshot shard : shards) {
            shard.namespaces.forEach(sum::add);
            sum.connections += shard.connections;
            sum.subscriptions += shard.subscriptions;
            sum.topics += shard.topics;
            sum.behindConnections += shard.behindConnections;
            sum.behindSubscriptions += shard.behindSubscriptions;
            sum.socketWrites += shard.socketWrites;
            sum.messagesWritten += shard.messagesWritten;
            sum.drains += shard.drains;
            sum.logBytes += shard.logBytes;
            sum.pinnedBytes += shard.pinnedBytes;
            sum.queuedBytes += shard.queuedBytes;
            sum.coalesceWindowNanos = Math.max(sum.coalesceWindowNanos, shard.coalesceWindowNanos);
            sum.replayed += shard.replayed;
            sum.worstError = Math.max(sum.worstError, shard.worstError);
        }
        return sum.build();
    }

    /** Adds up. Confined to one thread. */
    static final class Builder {
        private final Map<String, Sums> namespaces = new LinkedHashMap<>();
        long connections;
        long subscriptions;
        long topics;
        long behindConnections;
        long behindSubscriptions;
        long socketWrites;
        long messagesWritten;
        long drains;
        long logBytes;
        long pinnedBytes;
        long queuedBytes;
        long coalesceWindowNanos;
        long replayed;
        long worstError;

        private static final class Sums {
            final long[] owed = new long[NamespaceCounters.PRIORITIES];
            final long[] delivered = new long[NamespaceCounters.PRIORITIES];
            final long[][] shed = new long[ShedReason.values().length][NamespaceCounters.PRIORITIES];
            final long[] inFlight = new long[NamespaceCounters.PRIORITIES];
        }

        private Sums sums(String namespace) {
            return namespaces.computeIfAbsent(namespace, ignored -> new Sums());
        }

        /** The counts of what is in flight, to be added to. */
        long[] inFlight(String namespace) {
            return sums(namespace).inFlight;
        }

        void add(NamespaceCounters counters) {
            Sums sums = sums(counters.namespace);
            replayed += counters.replayed;
            for (int p = 0; p < NamespaceCounters.PRIORITIES; p++) {
                sums.owed[p] += counters.owed[p];
                sums.delivered[p] += counters.delivered[p];
                for (int reason = 0; reason < sums.shed.length; reason++) {
                    sums.shed[reason][p] += counters.shed[reason][p];
                }
            }
        }

        void add(Namespace namespace) {
            Sums sums = sums(namespace.name);
            for (int p = 0; p < NamespaceCounters.PRIORITIES; p++) {
                sums.owed[p] += namespace.owed.get(p);
                sums.delivered[p] += namespace.delivered.get(p);
                sums.inFlight[p] += namespace.inFlight.get(p);
                for (int reason = 0; reason < sums.shed.length; reason++) {
                    sums.shed[reason][p] += namespace.shed.get(reason).get(p);
                }
            }
        }

        HubSnapshot build() {
            return new HubSnapshot(
                    namespaces.entrySet().stream()
                            .map(entry -> new Namespace(
                                    entry.getKey(),
                                    list(entry.getValue().owed),
                                    list(entry.getValue().delivered),
                                    java.util.Arrays.stream(entry.getValue().shed)
                                            .map(Builder::list)
                                            .toList(),
                                    list(entry.getValue().inFlight)))
                            .toList(),
                    connections,
                    subscriptions,
                    topics,
                    behindConnections,
                    behindSubscriptions,
                    socketWrites,
                    messagesWritten,
                    drains,
                    logBytes,
                    pinnedBytes,
                    queuedBytes,
                    coalesceWindowNanos,
                    replayed,
                    worstError);
        }

        private static List<Long> list(long[] counts) {
            return java.util.Arrays.stream(counts).boxed().toList();
        }
    }
}
