package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker.Membership;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Position;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * How connections come to topics and leave them, and how much of a topic each gets.
 *
 * <p>Confined to its event loop.
 */
final class Joins {
    private final Topics topics;
    private final Walks walks;
    private final Settling settling;
    private final Delivery delivery;
    private final SegmentStore store;
    private final FrameEncoder encoder;
    private final BrokerListener shard;

    /** Those who wait for messages that are on their way to this loop. */
    private final List<Arrival> arrivals = new ArrayList<>(0);

    /** In place of an offset: until all streams of the topic have what one of them has. */
    private static final long WHEN_EVEN = -1;

    private record Arrival(TopicName topic, long offset, CompletableFuture<Void> come) {
        boolean isHere(Topic topic) {
            return offset == WHEN_EVEN ? topic.isEven() : topic.lastOffset >= offset;
        }
    }

    private long subscriptions;

    /** @param shard what the topics' messages are offered to, and woken when something is to be written */
    Joins(
            Topics topics,
            Walks walks,
            Settling settling,
            Delivery delivery,
            SegmentStore store,
            FrameEncoder encoder,
            BrokerListener shard) {
        this.topics = topics;
        this.walks = walks;
        this.settling = settling;
        this.delivery = delivery;
        this.store = store;
        this.encoder = encoder;
        this.shard = shard;
    }

    /** Subscriptions on this loop. */
    long subscriptions() {
        return subscriptions;
    }

    /** As {@link HubShard#caughtUp}. */
    CompletableFuture<Void> caughtUp(TopicName name, @Nullable Position since) {
        Topic topic = topics.get(name);
        if (since == null
                || topic == null
                || since.offset() <= topic.lastOffset
                || !since.epoch().equals(topic.attachment.position().epoch())
                || since.offset() > topic.attachment.head()) {
            return CompletableFuture.completedFuture(null);
        }
        Arrival arrival = new Arrival(name, since.offset(), new CompletableFuture<>());
        arrivals.add(arrival);
        return arrival.come;
    }

    /** As {@link HubShard#evened}. */
    CompletableFuture<Void> evened(TopicName name) {
        Topic topic = topics.get(name);
        if (topic == null || topic.isEven()) {
            return CompletableFuture.completedFuture(null);
        }
        Arrival arrival = new Arrival(name, WHEN_EVEN, new CompletableFuture<>());
        arrivals.add(arrival);
        return arrival.come;
    }

    /** Tells those who waited, and for whom enough has come. */
    void tellArrivals() {
        if (arrivals.isEmpty()) {
            return;
        }
        List<Arrival> here = new ArrayList<>();
        arrivals.removeIf(arrival -> {
            Topic topic = topics.get(arrival.topic);
            // Closed meanwhile: who opens it again begins at the broker's head.
            return (topic == null || arrival.isHere(topic)) && here.add(arrival);
        });
        here.forEach(arrival -> arrival.come.complete(null));
    }

    /** As {@link HubShard#subscribe}. */
    boolean subscribe(Connection connection, TopicName name, long id, @Nullable Position since, int last) {
        if (connection.gone) {
            throw new IllegalStateException("the connection is gone");
        }
        if (connection.subscriptionTo(name) != null) {
            return false;
        }
        Topic topic = topics.open(name, shard);
        Subscription subscription = join(connection, topic, AttentionLevel.FULL);
        connection.subscriptions.add(subscription);
        subscriptions++;
        topic.attachment.countSubscriptions(1);
        subscription.membership = membership(connection, topic);
        int online = 0;
        if (topic.rules.countsPresence()) {
            online = topic.onlineForOne();
            if (topic.subscriptions() == 1) {
                topic.toldOnline(online);
            }
        }
        String epoch = topic.attachment.position().epoch();
        long head = subscription.offset;
        long from = head;
        Boolean recovered = null;
        if (since != null || last > 0) {
            long oldest = topic.attachment.pastBounds().oldestOfHistory();
            if (since != null) {
                recovered = since.epoch().equals(epoch)
                        && since.offset() <= head
                        && (since.offset() == head || since.offset() >= oldest - 1);
            }
            from = since != null && Boolean.TRUE.equals(recovered)
                    ? since.offset()
                    : Math.min(head, Math.max(head - last, oldest - 1));
        }
        connection.send(new ServerFrame.Subscribed(id, name, epoch, head, recovered, online));
        topic.values().forEach(connection::send);
        if (since != null && since.epoch().equals(epoch)) {
            // Among them those that happened while it was away.
            topic.tellRetracted(connection, since.offset());
        }
        if (from < head) {
            subscription.offset = from;
            boolean mayLose = !topic.rules.reliable() && !Boolean.TRUE.equals(recovered);
            replay(subscription, new Replay(head, true, ShedReason.BEHIND, mayLose, null, 0));
        }
        return true;
    }

    /** As {@link #subscribe}, because a backend wants it. */
    boolean put(Connection connection, TopicName name, @Nullable Position since, int last) {
        boolean done = subscribe(connection, name, 0, since, last);
        if (done) {
            connection.subscriptions.get(connection.subscriptions.size() - 1).byBackend = true;
        }
        return done;
    }

    /** Has all topics go on under the rules that they have by now. */
    void reconfigure() {
        for (Topic topic : topics.all()) {
            if (topics.reconfigure(topic)) {
                for (Stream stream : topic.streams()) {
                    // Its next walk doesn't wait for the end of the old window.
                    stream.windowNanos = 0;
                    if (stream.wait != null) {
                        walks.endWait(stream);
                        shard.wake();
                    }
                }
            }
            followRulesOfMembers(topic);
        }
    }

    private static @Nullable Membership membership(Connection connection, Topic topic) {
        String user = connection.user();
        return user == null ? null : topic.attachment.join(user, connection.info());
    }

    /** Has the others see a connection's user, and what they may see of it, as they are now. */
    static void userChanged(Connection connection) {
        String info = connection.info();
        for (Subscription subscription : connection.subscriptions) {
            if (subscription.membership == null) {
                subscription.membership = membership(connection, subscription.stream.topic);
            } else if (info != null) {
                subscription.membership.info(info);
            }
        }
    }

    private static void endMembership(Subscription subscription) {
        if (subscription.membership != null) {
            subscription.membership.leave();
            subscription.membership = null;
        }
    }

    /** Follows the topic's rules, if those have changed. */
    private static void followRulesOfMembers(Topic topic) {
        boolean tells = topic.attachment.tellsMembers();
        if (tells == topic.tellsMembers) {
            return;
        }
        topic.tellsMembers = tells;
        topic.truncated = topic.attachment.membersTruncated();
        for (Stream stream : topic.streams()) {
            for (int i = 0; i < stream.subscriptions.size(); i++) {
                Subscription subscription = stream.subscriptions.get(i);
                if (!tells) {
                    endMembership(subscription);
                } else if (subscription.membership == null) {
                    subscription.membership = membership(subscription.connection, topic);
                }
            }
        }
    }

    /** Makes a connection a reader of a topic's stream, at its head. */
    private Subscription join(Connection connection, Topic topic, AttentionLevel level) {
        Stream stream = streamToJoin(connection, topic, level);
        Subscription subscription = new Subscription(connection, stream, stream.log.headFrame(), stream.seenOffset());
        stream.subscriptions.add(subscription);
        return subscription;
    }

    /** A stream of which all that its other readers are owed is in the log. */
    private Stream streamToJoin(Connection connection, Topic topic, AttentionLevel level) {
        Stream stream = topic.stream(connection.encoding(), level, store, encoder);
        stream.seal();
        // Else its next frame would tell the new reader of what it has been told elsewhere.
        if (level != AttentionLevel.FULL) {
            stream.coverUpTo(stream.seenOffset());
        }
        boolean told = stream.appendHiddenToTell();
        if ((told || level != AttentionLevel.FULL) && stream.subscriptions.size() > 0) {
            walks.ready(stream);
        }
        return stream;
    }

    /** Has a subscription read from the past before it goes on. */
    private void replay(Subscription subscription, Replay replay) {
        delivery.fallBehind(subscription);
        subscription.replay = replay;
        delivery.resumeLater(subscription.connection);
        shard.wake();
    }

    /** As {@link HubShard#attention}. */
    boolean attention(Connection connection, TopicName name, long id, AttentionLevel level) {
        Subscription subscription = connection.subscriptionTo(name);
        if (subscription == null) {
            return false;
        }
        if (id != 0) {
            connection.send(new ServerFrame.Attention(id, name, level));
        }
        if (subscription.stream.level != level) {
            change(subscription, level);
        }
        return true;
    }

    private void change(Subscription subscription, AttentionLevel level) {
        Stream left = subscription.stream;
        Topic topic = left.topic;
        Connection connection = subscription.connection;
        // All that takes memory comes first: where there is none, the subscription is still a reader of the stream it
        // was on.
        Stream joined = streamToJoin(connection, topic, level);
        sealIfItCan(left);
        if (left.appendHiddenToTell()) {
            walks.ready(left);
        }
        boolean leavesUnread = subscription.cursor < left.log.headFrame();
        long hidden = leaveStream(subscription, ShedReason.ATTENTION);
        if (leavesUnread) {
            topic.tellRetracted(connection, subscription.offset);
            topic.tellOnline(connection);
        }
        if (hidden > 0) {
            connection.send(new ServerFrame.Hidden(topic.name, hidden));
        }
        if (left.subscriptions.size() == 0) {
            close(left);
        } else {
            settling.add(left);
        }
        subscription.stream = joined;
        subscription.cursor = joined.log.headFrame();
        joined.subscriptions.add(subscription);
        long head = joined.seenOffset();
        long missed = head - subscription.offset;
        if (level == AttentionLevel.FULL) {
            topic.tellValuesMissed(connection);
        }
        if (level != AttentionLevel.COUNTS && missed > 0) {
            boolean everything = level == AttentionLevel.FULL;
            replay(subscription, new Replay(head, everything, ShedReason.ATTENTION, true, null, 0));
        }
        shard.wake();
    }

    /** Takes a connection off a topic; false if it wasn't on it. */
    boolean unsubscribe(Connection connection, TopicName name) {
        Subscription subscription = connection.subscriptionTo(name);
        if (subscription == null) {
            return false;
        }
        connection.subscriptions.remove(subscription);
        leave(subscription);
        return true;
    }

    /** Takes a subscription off its topic; the connection's list of them is the caller's. */
    void leave(Subscription subscription) {
        Stream stream = subscription.stream;
        Topic topic = stream.topic;
        leaveStream(subscription, ShedReason.DISCONNECTED);
        topic.attachment.countSubscriptions(-1);
        endMembership(subscription);
        subscriptions--;
        if (stream.subscriptions.size() > 0) {
            settling.add(stream);
            shard.wake();
            return;
        }
        close(stream);
        if (topic.streams().length == 0) {
            topics.close(topic);
        }
    }

    /** Takes a subscription out of its stream; what it hasn't read is shed. Gives the hidden messages that it wasn't told of. */
    private long leaveStream(Subscription subscription, ShedReason reason) {
        Stream stream = subscription.stream;
        TopicLog log = stream.log;
        sealIfItCan(stream);
        long[] before = subscription.messagesBefore;
        long hiddenToldBefore = subscription.hiddenToldBefore;
        if (before == null) {
            before = new long[NamespaceCounters.PRIORITIES];
            log.messagesBefore(subscription.cursor, before);
            hiddenToldBefore = log.hiddenToldBefore(subscription.cursor);
        } else {
            delivery.forgetBehind();
        }
        long[] unread = new long[before.length];
        for (int i = 0; i < before.length; i++) {
            unread[i] = log.messages(i) - before[i];
        }
        NamespaceCounters counted = stream.topic.counters;
        counted.shed(reason, unread);
        long hidden = log.hiddenTold() - hiddenToldBefore;
        Replay replay = subscription.replay;
        if (replay != null) {
            replay.shedRest(counted, reason);
            hidden += Math.max(0, replay.hidden);
        }
        subscription.replay = null;
        stream.subscriptions.remove(subscription);
        subscription.messagesBefore = null;
        return hidden;
    }

    /** What waits to become a frame is owed to those who are here now; where there is no memory for it, not to one that leaves. */
    private static void sealIfItCan(Stream stream) {
        try {
            stream.seal();
        } catch (OutOfMemoryError ignored) {
            // Its next walk makes a frame of it.
        }
    }

    private void close(Stream stream) {
        stream.closed = true;
        walks.remove(stream);
        stream.topic.remove(stream);
        stream.log.close();
    }
}
