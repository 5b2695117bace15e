package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.gateway.broker.MembersNews;
import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Position;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Step 4 of 5: delivers messages to the subscriptions of one event loop. Next: {@link Delivery}, which writes them with
 * {@link Connection#write}.
 *
 * <p>Confined to its event loop. Other threads use the {@link BrokerListener} methods, which schedule at most one drain.
 *
 * <p>A drain appends all that waits to the topics' streams ({@link Incoming}), then walks the streams ({@link Walks}): each
 * connection gets one write with all that it hasn't read. A drain is cut into slices, between which the loop does its I/O.
 */
public final class HubShard implements BrokerListener {
    /** Connections and logs that one drain sacrifices for want of memory: each is looked for among all that are stalled. */
    private static final int MAX_VICTIMS = 16;

    /** From so many streams with something unread on the books are checked less often: that takes time for each. */
    private static final int MANY_STREAMS = 10_000;

    private static final int CHECKS_LEFT_OUT = 10;

    private static final Logger logger = LoggerFactory.getLogger(HubShard.class);

    // any thread
    private final Loop loop;
    private final Incoming incoming;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Runnable drain = this::drain;
    private final Runnable pollFirst = this::pollFirst;

    // loop only
    private final HubMemory memory;
    private final SegmentStore store;
    private final FrameEncoder encoder = new FrameEncoder();
    private final Topics topics;
    private final Slice slice;
    private final Stalled stalled;
    private final Settling settling = new Settling();
    private final Delivery delivery;
    private final Walks walks;
    private final Joins joins;
    private final List<Connection> connections = new ArrayList<>();

    private long drains;
    /** Whether a drain has failed by a bug of ours. */
    private boolean hasFailed;

    private long worstError;
    private int checksLeftOut;

    HubShard(
            Loop loop,
            Broker broker,
            Function<TopicName, TopicRules> rules,
            HubMemory memory,
            ByteBufAllocator allocator,
            HubListener listener,
            long phaseNanos) {
        this.loop = loop;
        this.memory = memory;
        this.store = new SegmentStore(allocator);
        this.topics = new Topics(broker, rules);
        this.slice = new Slice(loop);
        this.stalled = new Stalled(loop, store);
        this.delivery = new Delivery(loop, slice, stalled, allocator, encoder, settling::add);
        this.walks = new Walks(loop, slice, new Coalescing(loop, phaseNanos, this::wake), delivery, settling, listener);
        this.incoming = new Incoming(loop, memory.maxQueuedBytes(), topics, walks);
        this.joins = new Joins(topics, walks, settling, delivery, store, encoder, this);
    }

    // ---------------------------------------------------------------- any thread

    @Override
    public boolean reserve(int bytes) {
        return incoming.reserve(bytes);
    }

    @Override
    public void release(int bytes) {
        incoming.release(bytes);
    }

    @Override
    public void offer(TopicEvent event) {
        incoming.offer(event);
    }

    @Override
    public void wake() {
        if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
            loop.execute(pollFirst);
        }
    }

    @Override
    public void tellHidden(TopicName topic, long count) {
        loop.execute(() -> {
            incoming.tellHidden(topic, count);
            wake();
        });
    }

    @Override
    public void tellMembers(TopicName topic, MembersNews news) {
        loop.execute(() -> {
            incoming.tellMembers(topic, news);
            wake();
        });
    }

    /** The event loop that owns this. */
    public Loop loop() {
        return loop;
    }

    // ---------------------------------------------------------------- the drain

    /** What the loop reads in one more poll is written with the same writes: at 32 messages in flight that saves one of seven. */
    private void pollFirst() {
        loop.executeAfterIo(drain);
    }

    private void drain() {
        assert loop.inLoop();
        boolean done = false;
        try {
            done = isDoneAfterSlice();
        } catch (RuntimeException | Error e) {
            // Once, since it may be every drain; and here, since the future of a task that waits for I/O would keep it
            // to itself.
            if (!hasFailed) {
                hasFailed = true;
                logger.error("A drain failed by a bug of ours; others may, unlogged.", e);
            }
            throw e;
        } finally {
            // Also after a bug: else the flag would stay set, and nothing would be delivered on this loop any more.
            if (!done) {
                // A task put in the loop's queue would run before any I/O.
                loop.executeAfterIo(drain);
            }
        }
    }

    private boolean isDoneAfterSlice() {
        drains++;
        slice.begin();
        walks.endWaits();
        if (mayAppend()) {
            incoming.append();
        }
        // While others wait, those that are behind get a quarter of the slice.
        delivery.resume(walks.isEmpty() && !delivery.hasTouched() ? 0 : slice.writesLeft() - Slice.MAX_WRITES / 4);
        delivery.writeTouched();
        walks.walk();
        delivery.writeTouched();
        if (!delivery.hasTouched()) {
            walks.reportFanOut();
            settling.settle(isShortOfLogs());
        }
        store.sweepPinned();
        enforceMemory();
        joins.tellArrivals();
        if (walks.isEmpty() && delivery.isIdle() && !incoming.hasNews()) {
            scheduled.set(false);
            // What was offered since the poll found the flag set and scheduled nothing.
            return incoming.isEmpty() || !scheduled.compareAndSet(false, true);
        }
        return false;
    }

    private boolean mayAppend() {
        // Those that are touched stand among those that have kept up, and must read before the log moves on. Messages
        // that wait are smaller than frames that wait, and a full queue slows publishers down.
        return !delivery.hasTouched() && !walks.mustComeFirst() && (walks.isEmpty() || !isShortOfLogs());
    }

    void drained(Connection connection) {
        assert loop.inLoop();
        if (connection.inFlight == null) {
            return;
        }
        for (InFlight part = connection.inFlight; part != null; part = part.next) {
            if (part.replayed) {
                part.counters.replayed(part.messages);
            } else {
                part.counters.delivered(part.messages);
            }
        }
        stalled.remove(connection);
        delivery.resumeLater(connection);
        wake();
    }

    // ---------------------------------------------------------------- memory

    /** Takes back what stalled connections hold beyond the bounds: of those that have been stalled for longest first. */
    private void enforceMemory() {
        int victims = 0;
        // While some have still to read them, frames in logs are no laggard's fault; unless their walks need the
        // memory.
        while (victims < MAX_VICTIMS
                && (walks.isEmpty() || walks.isOutOfMemory())
                && !delivery.hasTouched()
                && isShortOfLogs()
                && dropOldestLog()) {
            victims++;
        }
        while (victims < MAX_VICTIMS && stalled.pinnedBytes() > memory.maxPinnedBytes() && stalled.closeOldest()) {
            store.sweepPinned();
            victims++;
        }
        walks.retry();
        delivery.retry();
    }

    /** Drops the log that has waited for longest for one that is stalled; false if there is none. */
    private boolean dropOldestLog() {
        Stream found = stalled.oldestUnread();
        if (found == null) {
            return false;
        }
        found.log.clear(false);
        return true;
    }

    private boolean isShortOfLogs() {
        return incoming.isOutOfMemory()
                || walks.isOutOfMemory()
                || delivery.isOutOfMemory()
                || store.logBytes() > memory.maxLogBytes();
    }

    // ---------------------------------------------------------------- joins and leaves

    /**
     * Completes, on the loop, when {@link #subscribe} can tell whether {@code since} is recovered. Loops are now and then apart by
     * some messages: one who has read further on another loop, or has published, and comes back on this one would else be ahead of
     * it.
     */
    public CompletableFuture<Void> caughtUp(TopicName name, @Nullable Position since) {
        assert loop.inLoop();
        return joins.caughtUp(name, since);
    }

    /**
     * Puts a connection on a topic and tells it so, before the topic's first message.
     *
     * @param id the client's number for its request, 0 without
     * @param since the last position that the client has seen, if it wants to recover; {@link #caughtUp} with it
     * @param last how many of the newest messages it wants if there is nothing to recover
     * @return false, and nothing was done, if the connection is on the topic already
     */
    public boolean subscribe(Connection connection, TopicName name, long id, @Nullable Position since, int last) {
        assert loop.inLoop();
        return joins.subscribe(connection, name, id, since, last);
    }

    /** As {@link #subscribe}, because a backend wants it; {@link #caughtUp} as there. */
    boolean put(Connection connection, TopicName name, @Nullable Position since, int last) {
        assert loop.inLoop();
        return joins.put(connection, name, since, last);
    }

    /**
     * Completes, on the loop, when {@link #attention} can be changed so that each message is had once: not while some of the topic's
     * streams have the last one and others have no memory for it yet.
     */
    public CompletableFuture<Void> evened(TopicName name) {
        assert loop.inLoop();
        return joins.evened(name);
    }

    /**
     * Changes how much of a topic a connection gets, and answers, if the request has an id, before what follows from it;
     * {@link #evened} before.
     *
     * @return false if the connection isn't on the topic
     */
    public boolean attention(Connection connection, TopicName name, long id, AttentionLevel level) {
        assert loop.inLoop();
        return joins.attention(connection, name, id, level);
    }

    /** Takes a connection off a topic; false if it wasn't on it. */
    public boolean unsubscribe(Connection connection, TopicName name) {
        assert loop.inLoop();
        return joins.unsubscribe(connection, name);
    }

    /** Whether a connection is on a topic. */
    public boolean isSubscribed(Connection connection, TopicName name) {
        assert loop.inLoop();
        return connection.subscriptionTo(name) != null;
    }

    /** Whether a connection is on a topic because a backend wants it, not by what its token or its rules say. */
    public boolean isPutByBackend(Connection connection, TopicName name) {
        assert loop.inLoop();
        Subscription subscription = connection.subscriptionTo(name);
        return subscription != null && subscription.byBackend;
    }

    /** A connection that had no user has one now, or what others may see of its user has changed. */
    public void userChanged(Connection connection) {
        assert loop.inLoop();
        Joins.userChanged(connection);
    }

    /**
     * Has the topics go on under the rules that they have by now.
     *
     * @param access whether it has changed what clients may do
     */
    void reconfigure(boolean access) {
        assert loop.inLoop();
        joins.reconfigure();
        if (access) {
            connections().forEach(Connection::rulesChanged);
        }
    }

    void register(Connection connection) {
        assert loop.inLoop();
        connection.shardIndex = connections.size();
        connections.add(connection);
    }

    void gone(Connection connection) {
        assert loop.inLoop();
        if (connection.gone) {
            return;
        }
        connection.gone = true;
        for (InFlight part = connection.inFlight; part != null; part = part.next) {
            if (!part.replayed) {
                part.counters.shed(ShedReason.DISCONNECTED, part.messages);
            }
        }
        if (connection.inFlight != null) {
            stalled.remove(connection);
        }
        connection.subscriptions.forEach(joins::leave);
        connection.subscriptions.clear();
        Connection last = connections.remove(connections.size() - 1);
        if (last != connection) {
            connections.set(connection.shardIndex, last);
            last.shardIndex = connection.shardIndex;
        }
        connection.shardIndex = -1;
        if (store.pinnedBytes() > 0) {
            // What only it pinned is free now; on a quiet loop the next drain may be far.
            wake();
        }
    }

    // ---------------------------------------------------------------- the rest

    /**
     * Tells topics how many are there, if that has changed, and how many messages were hidden, where no message has told it;
     * and checks the books. Called about once a second.
     */
    void tellCounts() {
        assert loop.inLoop();
        checkBooks();
        incoming.tellCounts();
        wake();
    }

    private void checkBooks() {
        if (walks.unread() > MANY_STREAMS && checksLeftOut < CHECKS_LEFT_OUT) {
            checksLeftOut++;
            return;
        }
        checksLeftOut = 0;
        long error = books().build().conservationError();
        if (error != 0 && worstError == 0) {
            logger.error("Messages are neither delivered nor shed nor in flight, by a bug of ours. error={}", error);
        }
        worstError = Math.max(worstError, error);
    }

    /** How many subscriptions each of a connection's topics has, of those that tell it. */
    public Map<TopicName, Integer> online(Connection connection) {
        assert loop.inLoop();
        Map<TopicName, Integer> online = new LinkedHashMap<>();
        for (Subscription subscription : connection.subscriptions) {
            Topic topic = subscription.stream.topic;
            if (topic.rules.countsPresence() && !topic.isPushes()) {
                online.put(topic.name, topic.onlineForOne());
            }
        }
        return online;
    }

    /** A connection is told in an answer of its own how many subscriptions one of its topics has. */
    public void toldOnline(Connection connection, TopicName name, int online) {
        assert loop.inLoop();
        Subscription subscription = connection.subscriptionTo(name);
        if (subscription != null) {
            subscription.stream.topic.toldOne(online);
        }
    }

    /** A user's connections now, those that have been welcomed; the list is the caller's. */
    List<Connection> connectionsOf(String user) {
        assert loop.inLoop();
        List<Connection> found = new ArrayList<>();
        Topic pushes = topics.get(TopicName.ofUser(user));
        if (pushes != null) {
            for (Stream stream : pushes.streams()) {
                for (int i = 0; i < stream.subscriptions.size(); i++) {
                    found.add(stream.subscriptions.get(i).connection);
                }
            }
        }
        return found;
    }

    /** All connections now; the list is the caller's. */
    public List<Connection> connections() {
        assert loop.inLoop();
        return new ArrayList<>(connections);
    }

    /** The counters now, with what is in flight counted anew from the cursors. */
    HubSnapshot snapshot() {
        assert loop.inLoop();
        HubSnapshot.Builder snapshot = books();
        topics.addTo(snapshot);
        snapshot.connections = connections.size();
        snapshot.subscriptions = joins.subscriptions();
        snapshot.behindSubscriptions = delivery.behind();
        snapshot.behindConnections = stalled.size();
        snapshot.socketWrites = delivery.socketWrites();
        snapshot.messagesWritten = delivery.messagesWritten();
        snapshot.drains = drains;
        snapshot.logBytes = store.logBytes();
        snapshot.pinnedBytes = stalled.pinnedBytes();
        snapshot.queuedBytes = incoming.queuedBytes();
        snapshot.worstError = worstError;
        return snapshot.build();
    }

    /** What is counted of messages; in flight are those that somebody has still to read, and those that sockets hold. */
    private HubSnapshot.Builder books() {
        HubSnapshot.Builder snapshot = new HubSnapshot.Builder();
        topics.addCounters(snapshot);
        walks.addInFlight(snapshot);
        for (Connection connection : stalled) {
            for (InFlight part = connection.inFlight; part != null; part = part.next) {
                if (!part.replayed) {
                    long[] inFlight = snapshot.inFlight(part.counters.namespace);
                    for (int p = 0; p < inFlight.length; p++) {
                        inFlight[p] += part.messages[p];
                    }
                }
            }
        }
        return snapshot;
    }

    /** Lets go of all memory; called when no connection is left. */
    void close() {
        assert loop.inLoop();
        List.copyOf(connections).forEach(this::gone);
        incoming.clear();
        encoder.close();
        store.close();
    }
}
