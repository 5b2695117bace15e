package io.barrage.gateway.broker;

import io.barrage.protocol.Message;
import io.barrage.protocol.Retraction;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import java.util.ArrayList;
import java.util.List;

/** A listener with so much room that notes what it is told. Confined to the test's thread. */
public final class RecordingListener implements BrokerListener {
    public final List<Message> offered = new ArrayList<>();
    final List<TopicValue> values = new ArrayList<>();
    final List<Retraction> retractions = new ArrayList<>();
    long room = Long.MAX_VALUE;
    int wakes;
    /** Hidden messages that it was told of apart from messages. */
    long hidden;
    /** Who came and went, topic by topic. */
    final List<MembersNews> members = new ArrayList<>();
    /** Called inside of each offer. */
    Runnable onOffer = () -> {};

    @Override
    public boolean reserve(int bytes) {
        if (bytes > room) {
            return false;
        }
        room -= bytes;
        return true;
    }

    @Override
    public void release(int bytes) {
        room += bytes;
    }

    @Override
    public void offer(TopicEvent event) {
        onOffer.run();
        if (event instanceof Message message) {
            offered.add(message);
        } else if (event instanceof TopicValue value) {
            values.add(value);
        } else {
            retractions.add((Retraction) event);
        }
    }

    @Override
    public void tellHidden(TopicName topic, long count) {
        hidden += count;
    }

    @Override
    public void tellMembers(TopicName topic, MembersNews news) {
        members.add(news);
    }

    @Override
    public void wake() {
        wakes++;
    }

    List<Long> offsets() {
        return offered.stream().map(Message::offset).toList();
    }
}
