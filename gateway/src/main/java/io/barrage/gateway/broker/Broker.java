package io.barrage.gateway.broker;

import io.barrage.protocol.HistoryQuery;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.util.List;
import java.util.Optional;
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
     * The answer that a publish gets because one with its id was published before; none if it would be the first. So nobody need
     * be asked about a repeat.
     */
    CompletableFuture<Optional<PublishResult>> repeated(TopicName topic, PublishRequest request, MessageId id);

    /**
     * Reads a topic's history. A topic that nobody has used has none, and isn't made by being asked for.
     *
     * @param maxBytes of its messages, about; one comes at least, if there is any
     */
    CompletableFuture<HistoryPage> history(TopicName topic, HistoryQuery query, int maxBytes);

    /**
     * Clears a topic's history: what came before can't be asked for or recovered any more, and offsets go on. What its
     * listeners are still about to deliver isn't stopped.
     *
     * @return how many offsets it had
     */
    CompletableFuture<Long> clearHistory(TopicName topic);

    /**
     * Takes messages back: tells the topic's listeners, in the topic's order, and lets go of what is kept of them.
     *
     * @param offsets ascending; refused as a whole if one is beyond the topic's last message
     */
    CompletableFuture<RetractResult> retract(TopicName topic, List<Long> offsets);

    /** As {@link #retract}, of all messages that are kept of a sender. */
    CompletableFuture<RetractResult> retractAllOf(TopicName topic, String sender);

    /**
     * Registers {@code listener} for a topic's messages: all behind {@link Attachment#position} come to it.
     *
     * @throws IllegalStateException if it is registered already
     */
    Attachment attach(TopicName topic, BrokerListener listener);

    /**
     * Who is on a topic, as its subscribers are told: all users, or some of too many. What they are told afterwards leads on
     * from there.
     */
    CompletableFuture<PresencePage> presence(TopicName topic);

    /** At most {@code limit} of a topic's users, those behind {@code after} in the order of names; null for the first. */
    CompletableFuture<PresencePage> presence(TopicName topic, @Nullable String after, int limit);

    /** Bytes of the messages that this node keeps of all topics; an estimate from above. */
    long tailBytes();

    /** How many topics have a numbering now. */
    int topics();

    /**
     * Topics that have a numbering now, sorted by name as ASCII; makes none.
     *
     * @param prefix what their names begin with; empty for all
     * @param after the name behind which they begin; empty for the first ones
     * @param limit how many at most
     */
    CompletableFuture<TopicPage> topics(String prefix, String after, int limit);

    /** A topic that has a numbering now, or none; doesn't begin one. */
    CompletableFuture<Optional<TopicInfo>> topic(TopicName name);

    /** A publisher's own id of a message; the same id of two publishers is two ids. Immutable. */
    record MessageId(String publisher, String id) {}

    /**
     * Part of a topic's history. Immutable.
     *
     * @param epoch null if the topic isn't known
     * @param recovered whether it joins on to the position that was asked for; null if none was
     * @param messages in order, without the stale and the retracted
     * @param more whether there may be others behind them, or before them if that was the question
     */
    record HistoryPage(@Nullable String epoch, @Nullable Boolean recovered, List<Message> messages, boolean more) {}

    /**
     * Part of a topic's past. Immutable.
     *
     * @param messages in order; those that were retracted are there as places only
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

    /** One of a user's connections on a topic. Thread-safe. */
    interface Membership {
        /** What the others may see of its user has changed to this, one JSON value; those who ask from now on see it. */
        void info(String info);

        /** The connection has left; to be called once. */
        void leave();
    }

    /** A listener's registration for one topic. Thread-safe. */
    interface Attachment extends AutoCloseable {
        /** The topic's position at the moment of the registration. */
        Position position();

        /** The offset of the topic's last message now, which may still be on its way to the listener. */
        long head();

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
         * The offsets up to {@code through} that were retracted lately, ascending: what one must be told that wasn't there when it
         * happened. At most so many as fit one {@link io.barrage.protocol.Retraction}.
         */
        List<Long> retracted(long through);

        /**
         * The number of the last value that the topic had told at the moment of the registration. What comes with this or a lower
         * one was offered to an earlier registration of the listener, and is out of date.
         */
        long lastValue();

        /** Adds to, or with a negative number takes from, the topic's subscriptions. */
        void countSubscriptions(int change);

        /**
         * One of a user's connections is on the topic, besides being counted: it is told to the others, if it is the user's first.
         *
         * @param info what they may see of the user, as one JSON value; null for nothing new
         * @return null where they aren't told of each other
         */
        @Nullable
        Membership join(String user, @Nullable String info);

        /** Whether the topic's subscribers are told of each other; may change. */
        boolean tellsMembers();

        /** Whether the topic has too many users for its subscribers to be told of each. */
        boolean membersTruncated();

        /** Subscriptions of the topic now. */
        int online();

        /** Ends the registration. */
        @Override
        void close();
    }
}
