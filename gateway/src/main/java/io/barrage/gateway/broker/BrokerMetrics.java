package io.barrage.gateway.broker;

import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;

/** What a broker counts. Thread-safe. */
@FunctionalInterface
public interface BrokerMetrics {
    /** Counts nothing. */
    BrokerMetrics NOOP = (topic, priority, result) -> {};

    /** A message's publish was answered. */
    void published(TopicName topic, Priority priority, PublishResult result);

    /** A publish to a value was answered. */
    default void valuePublished(TopicName topic, PublishResult result) {}

    /** Messages were retracted. */
    default void retracted(TopicName topic, int count) {}

    /** Values were told to a topic's listeners. */
    default void valuesTold(TopicName topic, int count) {}
}
