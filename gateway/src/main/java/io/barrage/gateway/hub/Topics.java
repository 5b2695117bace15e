package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The topics that have subscribers on one event loop, and what is counted of each namespace.
 *
 * <p>Confined to its event loop.
 */
final class Topics {
    private final Broker broker;
    private final Function<TopicName, TopicRules> rules;
    private final Map<TopicName, Topic> topics = new HashMap<>();
    /** All of them, each at its index, so that they can be gone through in parts. */
    private final List<Topic> all = new ArrayList<>();
    /** Those of them whose messages are held back for a window, by their rules. */
    private final Set<Topic> coalescing = new HashSet<>();
    /** Of namespaces without topics too: what was counted stays counted. */
    private final Map<String, NamespaceCounters> counters = new HashMap<>();

    Topics(Broker broker, Function<TopicName, TopicRules> rules) {
        this.broker = broker;
        this.rules = rules;
    }

    @Nullable
    Topic get(TopicName name) {
        return topics.get(name);
    }

    /** All of them, as they are now. */
    List<Topic> all() {
        return all;
    }

    /** The topic with an index. The last one takes the place of one that is closed. */
    Topic at(int index) {
        return all.get(index);
    }

    int size() {
        return all.size();
    }

    /** The topic, attached to the broker if it wasn't. */
    Topic open(TopicName name, BrokerListener listener) {
        Topic topic = topics.get(name);
        if (topic == null) {
            TopicRules topicRules = rules.apply(name);
            Attachment attachment = broker.attach(name, listener);
            topic = new Topic(name, attachment, topicRules, countersOf(topicRules));
            topics.put(name, topic);
            topic.index = all.size();
            all.add(topic);
            noteCoalescing(topic);
        }
        return topic;
    }

    private void noteCoalescing(Topic topic) {
        if (topic.rules.coalesceNanos() > 0) {
            coalescing.add(topic);
        } else {
            coalescing.remove(topic);
        }
    }

    private NamespaceCounters countersOf(TopicRules topicRules) {
        return counters.computeIfAbsent(topicRules.namespace(), NamespaceCounters::new);
    }

    /** Lets go of a topic that has no stream any more. */
    void close(Topic topic) {
        topics.remove(topic.name);
        coalescing.remove(topic);
        Topic last = all.remove(all.size() - 1);
        if (last != topic) {
            all.set(topic.index, last);
            last.index = topic.index;
        }
        topic.attachment.close();
    }

    /**
     * Has a topic go on under the rules that it has by now.
     *
     * @return whether its streams may be walked sooner than under the old ones
     */
    boolean reconfigure(Topic topic) {
        TopicRules old = topic.rules;
        TopicRules changed = rules.apply(topic.name);
        if (changed.equals(old)) {
            return false;
        }
        if (changed.countsPresence() && !old.countsPresence()) {
            // They were told none, whatever it is.
            topic.toldOnline(0);
        }
        if (!changed.namespace().equals(old.namespace())) {
            NamespaceCounters counted = countersOf(changed);
            // What is on its way is owed, and will be delivered or shed, in the new namespace; what Netty has already,
            // in the old.
            long[] inFlight = new long[NamespaceCounters.PRIORITIES];
            topic.addInFlight(inFlight);
            for (int p = 0; p < inFlight.length; p++) {
                topic.counters.owed[p] -= inFlight[p];
                counted.owed[p] += inFlight[p];
            }
            topic.counters = counted;
        }
        topic.rules = changed;
        noteCoalescing(topic);
        for (Stream stream : topic.streams()) {
            stream.log.bounds(changed);
        }
        return changed.coalesceNanos() < old.coalesceNanos();
    }

    /** Adds what is counted of each namespace. */
    void addCounters(HubSnapshot.Builder snapshot) {
        counters.values().forEach(snapshot::add);
    }

    /** Adds what is to be said of the topics themselves; goes through none of those that aren't coalesced. */
    void addTo(HubSnapshot.Builder snapshot) {
        for (Topic topic : coalescing) {
            for (Stream stream : topic.streams()) {
                snapshot.coalesceWindowNanos = Math.max(snapshot.coalesceWindowNanos, stream.windowNanos);
            }
        }
        snapshot.topics = all.size();
    }
}
