package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one event loop has of a topic: its log and its subscriptions. Confined to its event loop. */
final class Topic {
    /** From this many subscriptions on, a topic keeps its last segment for the next messages. */
    static final int BUSY = 16;

    final TopicName name;
    final Attachment attachment;
    final NamespaceCounters counters;
    final TopicRules rules;
    final TopicLog log;
    final SubscriptionList subscriptions = new SubscriptionList();

    /** Whether it waits in the shard's ring to be walked, or to be walked on. */
    boolean inRing;
    /** While a walk is under way: the index that it visits next is below; -1 otherwise. */
    int walkAt = -1;
    /** The head when the walk began. */
    long walkTarget;

    long walkTargetPosition;
    long walkStartNanos;
    /** Its place among those whose next walk waits; null if it doesn't. */
    Coalescing.@Nullable Wait wait;
    /** The window that its next walk has to keep; 0 before the first, and without coalescing. */
    long windowNanos;
    /** When its next walk may begin. */
    long mayWalkNanos;
    /** Whether it waits for its log to be settled. */
    boolean settling;
    /** The number of subscriptions that they were last told. */
    int toldOnline;

    private Map<String, TopicValue> values = Map.of();

    Topic(TopicName name, Attachment attachment, TopicRules rules, NamespaceCounters counters, SegmentStore store) {
        this.name = name;
        this.attachment = attachment;
        this.rules = rules;
        this.counters = counters;
        this.log = new TopicLog(store, rules, attachment.position().offset());
        attachment.values().forEach(this::tell);
    }

    /** Notes a value that subscribers are told. */
    void tell(TopicValue value) {
        if (value.isRemoved()) {
            values.remove(value.key());
        } else {
            if (values.isEmpty()) {
                values = new LinkedHashMap<>();
            }
            values.put(value.key(), value);
        }
    }

    /** The values as subscribers were last told. */
    Collection<TopicValue> values() {
        return values.values();
    }
}
