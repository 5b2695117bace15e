package io.barrage.gateway.broker;

import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Takes published messages and hands them, in one order per topic, to the listeners of every node. Thread-safe. */
public interface Broker {
    /** Publishes a message; its sender's limits are those of whom it says that it is from. */
    default CompletableFuture<PublishResult> publish(Message.Draft draft, @Nullable MessageId id) {
        return publish(draft, id, draft.sender());
    }

    /**
     * Publishes a message.
     *
     * @param id makes a repeat return the first answer; null without
     * @param speaker whose limits it counts for; null for nobody's
     * @return completes when the broker has the message or refuses it, not when sockets were written
     */
    CompletableFuture<PublishResult> publish(Message.Draft draft, @Nullable MessageId id, @Nullable String speaker);

    /**
     * Publishes to one of a topic's values: merges it, and tells the topic's listeners as often as its rules say.
     *
     * @param id makes a repeat return the first answer, and merge nothing; null without
     */
    CompletableFuture<PublishResult> publish(TopicName topic, ValueChange change, @Nullable MessageId id);

    /**
     * Registers {@code listener} for a topic's messages: all behind {@link Attachment#position} come to it.
     *
     * @throws IllegalStateException if it is registered already
     */
    Attachment attach(TopicName topic, BrokerListener listener);

    /** Bytes of the messages that this node keeps of all topics; an estimate from above. */
    long tailBytes();

    /** How many topics have a numbering now. */
    int topics();

    /** A publisher's own id of a message; the same id of two publishers is two ids. Immutable. */
    record MessageId(String publisher, String id) {}

    /**
     * Part of a topic's past. Immutable.
     *
     * @param messages in order
     * @param through the offset up to which this tells everything
     */
    record Past(List<Message> messages, long through) {}

    /**
     * How much of a topic's past there is. Immutable.
     *
     * @param oldest offset of the oldest message that the node still has; the next one's if it has none
     * @param oldestOfHistory offset of the oldest message that clients may ask for; the next one's if there is none
     * @param urgentGone the offset up to which high and critical messages may be gone
     */
    record PastBounds(long oldest, long oldestOfHistory, long urgentGone) {}

    /** A listener's registration for one topic. Thread-safe. */
    interface Attachment extends AutoCloseable {
        /** The topic's position at the moment of the registration. */
        Position position();

        /** The topic's values as they were last told at the moment of the registration; changes come to the listener. */
        List<TopicValue> values();

        /** Where the node still has the messages of the topic, all loops together. */
        PastBounds pastBounds();

        /**
         * Reads the node's recent messages behind the offset {@code after} up to {@code through}: as many as have
         * {@code maxBytes}, but one at least. None if the first of them isn't kept any more.
         */
        Past past(long after, long through, int maxBytes);

        /** As {@link #past}, but only those of priority high and critical, of which more is kept. */
        Past urgentPast(long after, long through, int maxBytes);

        /**
         * The number of the last value that the topic had told at the moment of the registration. What comes with this or a lower
         * one was offered to an earlier registration of the listener, and is out of date.
         */
        long lastValue();

        /** Adds to, or with a negative number takes from, the topic's subscriptions. */
        void countSubscriptions(int change);

        /** Subscriptions of the topic now. */
        int online();

        /** Ends the registration. */
        @Override
        void close();
    }
}
