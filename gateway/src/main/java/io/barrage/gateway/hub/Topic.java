package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What one event loop has of a topic: its streams, each made with its first reader. Confined to its event loop. */
final class Topic {
    /** Of removed keys; more than a topic can have at once. */
    private static final int MAX_REMOVED_VALUES = 256;

    final TopicName name;
    final Attachment attachment;
    NamespaceCounters counters;
    TopicRules rules;

    /** An array, since nearly all topics have one or two. */
    private Stream[] streams = {};

    /** Its place among the loop's topics. */
    int index;
    /** Offset of the last message that came to this loop. */
    long lastOffset;
    /** The number of subscriptions that they were all told last. */
    private int toldOnline;
    /** Whether one of them was told another number since, in an answer of its own. */
    private boolean toldUnevenly;
    /** Whether subscribers are told of each other, as far as their memberships know. */
    boolean tellsMembers;
    /** Whether it has too many users for its subscribers to be told of each. */
    boolean truncated;

    private Map<String, TopicValue> values = Map.of();
    /** The last keys that were removed. */
    private Map<String, TopicValue> removedValues = Map.of();

    Topic(TopicName name, Attachment attachment, TopicRules rules, NamespaceCounters counters) {
        this.name = name;
        this.attachment = attachment;
        this.rules = rules;
        this.counters = counters;
        this.lastOffset = attachment.position().offset();
        this.tellsMembers = attachment.tellsMembers();
        this.truncated = attachment.membersTruncated();
        attachment.values().forEach(this::tell);
    }

    /** Whether it is the topic of the pushes to a user. */
    boolean isPushes() {
        return name.namespace().equals(TopicName.USER_NAMESPACE);
    }

    /** Its streams; not to be changed. */
    Stream[] streams() {
        return streams;
    }

    /** The stream of an encoding and a level, which is made if there is none. */
    Stream stream(Encoding encoding, AttentionLevel level, SegmentStore store, FrameEncoder encoder) {
        for (Stream stream : streams) {
            if (stream.encoding == encoding && stream.level == level) {
                return stream;
            }
        }
        Stream made = new Stream(this, encoding, level, store, encoder);
        streams = Arrays.copyOf(streams, streams.length + 1);
        streams[streams.length - 1] = made;
        return made;
    }

    /** Takes away a stream that has no reader any more. */
    void remove(Stream stream) {
        streams = Arrays.stream(streams).filter(other -> other != stream).toArray(Stream[]::new);
    }

    /** Whether no stream has a message that others have still to get, when there is memory for it. */
    boolean isEven() {
        for (Stream stream : streams) {
            if (stream.seenOffset() > lastOffset) {
                return false;
            }
        }
        return true;
    }

    /** Whether a stream is the one whose walks tell when a message has reached all: of those that get most, the last. */
    boolean isReportedBy(Stream stream) {
        Stream reporting = streams[0];
        for (Stream other : streams) {
            if (other.level.compareTo(reporting.level) <= 0) {
                reporting = other;
            }
        }
        return reporting == stream;
    }

    /** Subscriptions on this loop. */
    int subscriptions() {
        int sum = 0;
        for (Stream stream : streams) {
            sum += stream.subscriptions.size();
        }
        return sum;
    }

    /** Notes a value that subscribers are told. */
    void tell(TopicValue value) {
        if (value.isRemoved()) {
            if (!values.isEmpty()) {
                values.remove(value.key());
            }
            removedValues = put(removedValues, value);
            if (removedValues.size() > MAX_REMOVED_VALUES) {
                removedValues.remove(removedValues.keySet().iterator().next());
            }
        } else {
            values = put(values, value);
            if (!removedValues.isEmpty()) {
                removedValues.remove(value.key());
            }
        }
    }

    private static Map<String, TopicValue> put(Map<String, TopicValue> values, TopicValue value) {
        Map<String, TopicValue> filled = values.isEmpty() ? new LinkedHashMap<>() : values;
        filled.remove(value.key());
        filled.put(value.key(), value);
        return filled;
    }

    /** Tells one that may have missed some of them the values, and which were removed lately. */
    void tellValuesMissed(Connection connection) {
        values.values().forEach(connection::send);
        removedValues.values().forEach(connection::send);
    }

    /** Tells one that may have missed it which of the messages up to an offset were retracted lately. */
    void tellRetracted(Connection connection, long through) {
        List<Long> offsets = attachment.retracted(through);
        if (!offsets.isEmpty()) {
            connection.send(new ServerFrame.Retract(name, offsets));
        }
    }

    /** How many are there, for an answer to one of its subscribers. */
    int onlineForOne() {
        int online = attachment.online();
        toldOne(online);
        return online;
    }

    /** One of its subscribers is told in an answer of its own how many are there. */
    void toldOne(int online) {
        toldUnevenly |= online != toldOnline;
    }

    /** All must be told how many are there, whatever it is. */
    void tellOnlineAgain() {
        toldUnevenly = true;
    }

    /** Whether all must be told how many are there, though that may be the number that most of them know. */
    boolean mustTellOnline(int online) {
        return online != toldOnline || toldUnevenly;
    }

    /** All know how many are there, or will by what is told next. */
    void toldOnline(int online) {
        toldOnline = online;
        toldUnevenly = false;
    }

    /** Tells one that may have missed it how many are there, as the others were told last. */
    void tellOnline(Connection connection) {
        if (rules.countsPresence()) {
            connection.send(new ServerFrame.Online(name, toldOnline, truncated));
        }
    }

    /** Tells one that may have missed who came and who left that it has a part only; {@link #tellOnline} ends that, and it asks anew. */
    void tellMembersMissed(Connection connection) {
        if (tellsMembers && !truncated) {
            connection.send(new ServerFrame.Online(name, toldOnline, true));
        }
    }

    /** Adds, by priority, what its subscriptions are owed and no socket holds, counted anew from the cursors. */
    void addInFlight(long[] inFlight) {
        for (Stream stream : streams) {
            stream.addInFlight(inFlight);
        }
    }

    /** The values as subscribers were last told. */
    Collection<TopicValue> values() {
        return values.values();
    }
}
