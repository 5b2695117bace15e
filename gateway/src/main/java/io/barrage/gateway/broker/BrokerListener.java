package io.barrage.gateway.broker;

import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;

/**
 * What a broker tells of published messages. The calls of one publish come in this order: {@link #reserve} for every listener
 * of the topic, {@link #offer} (or {@link #release} if another one had no room), both under the topic's lock, then
 * {@link #wake} without it.
 *
 * <p>Thread-safe. None may block, make a system call under the lock, or call the broker.
 */
public interface BrokerListener {
    /** Sets {@code bytes} aside for a message to come; false if there is no room, and then the publish is refused. */
    boolean reserve(int bytes);

    /** Takes back a reservation. */
    void release(int bytes);

    /**
     * Gives a message or a value for which room is reserved; in the topic's order. A message without an offset is for its
     * sender's connections alone.
     */
    void offer(TopicEvent event);

    /**
     * Says how many of a topic's messages were hidden from everybody, where no message came to tell it. Not under the lock, and
     * in no order with the messages.
     */
    void tellHidden(TopicName topic, long count);

    /**
     * Says who has come to a topic and who has left it. In the order of the changes; not under the lock, and in no order with the
     * messages.
     */
    void tellMembers(TopicName topic, MembersNews news);

    /** Says that messages were offered. */
    void wake();
}
