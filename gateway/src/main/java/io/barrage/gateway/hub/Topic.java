package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** What one event loop has of a topic: its streams, each made with its first reader. Confined to its event loop. */
final class Topic {
    final TopicName name;
    final Attachment attachment;
    final NamespaceCounters counters;
    final TopicRules rules;

    /** An array, since nearly all topics have one or two. */
    private Stream[] streams = {};

    /** Offset of the last message that came to this loop. */
    long lastOffset;
    /** The number of subscriptions that they were last told. */
    int toldOnline;

    private Map<String, TopicValue> values = Map.of();

    Topic(TopicName name, Attachment attachment, TopicRules rules, NamespaceCounters counters) {
        this.name = name;
        this.attachment = attachment;
        this.rules = rules;
        this.counters = counters;
        this.lastOffset = attachment.position().offset();
        attachment.values().forEach(this::tell);
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
