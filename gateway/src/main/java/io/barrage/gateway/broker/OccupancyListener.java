package io.barrage.gateway.broker;

import io.barrage.protocol.TopicName;

/**
 * Hears when topics get their first subscription on this node, and when they lose their last.
 *
 * <p>Called on any thread, in the topic's order and without its lock: must neither block nor throw.
 */
public interface OccupancyListener {
    /** Listens to nothing. */
    OccupancyListener NOOP = new OccupancyListener() {
        @Override
        public void occupied(TopicName topic) {}

        @Override
        public void vacated(TopicName topic) {}
    };

    /** The topic has its first subscription. */
    void occupied(TopicName topic);

    /** The topic has lost its last subscription. */
    void vacated(TopicName topic);
}
