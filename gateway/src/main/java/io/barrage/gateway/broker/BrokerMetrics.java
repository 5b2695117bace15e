package io.barrage.gateway.broker;

import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;

/** What a broker counts. Thread-safe. */
@FunctionalInterface
public interface BrokerMetrics {
    /** Counts nothing. */
    BrokerMetrics NOOP = (topic, priority, result) -> {};

    /** A publish was answered. */
    void published(TopicName topic, Priority priority, PublishResult result);
}
