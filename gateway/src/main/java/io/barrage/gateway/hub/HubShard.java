package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Step 4 of 5: delivers messages to the subscriptions of one event loop. Next: {@link Delivery}, which writes them with
 * {@link Connection#write}.
 *
 * <p>Confined to its event loop. Other threads use the {@link BrokerListener} methods, which schedule at most one drain.
 *
 * <p>A drain appends all that waits to the topics' streams, then walks the streams: each connection gets one write with all that
 * it hasn't read. A drain is cut into slices, between which the loop does its I/O.
 */
public final class HubShard implements BrokerListener {
    /** Weight of the messages that one slice appends: with small ones about a millisecond. */
    static final int MAX_APPENDED_BYTES = 256 * 1024;

    /** Connections and logs that one drain sacrifices for want of memory: each is looked for among all that are stalled. */
    private static final int MAX_VICTIMS = 16;

    /** From so many topics on the books are checked less often: that takes time for each. */
    private static final int MANY_TOPICS = 10_000;

    private static final int CHECKS_LEFT_OUT = 10;

    private static final Logger logger = LoggerFactory.getLogger(HubShard.class);

    // any thread
    private final Loop loop;
    private final Broker broker;
    private final Function<TopicName, TopicRules> rules;
    private final HubMemory memory;
    private final HubListener listener;
    private final MpscUnboundedAtomicArrayQueue<TopicEvent> offered = new MpscUnboundedAtomicArrayQueue<>(1024);
    private final AtomicLong queuedBytes = new AtomicLong();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Runnable drain = this::drain;

    // loop only
    private final Map<TopicName, Topic> topics = new HashMap<>();
    private final Map<String, NamespaceCounters> counters = new HashMap<>();
    private final List<Connection> connections = new ArrayList<>();
    private final SegmentStore store;
    private final FrameEncoder encoder = new FrameEncoder();
    private final Coalescing coalescing;
    private final Slice slice;
    private final Stalled stalled;
    private final Delivery delivery;
    /** Streams with frames that some connection hasn't been offered yet; they take turns. */
    private final ArrayDeque<Stream> ring = new ArrayDeque<>();
    /** Streams whose logs may drop what all have read. */
    private final ArrayDeque<Stream> settling = new ArrayDeque<>();

    /** The stream that must be walked before more may be appended, since those that keep up would fall off its log. */
    private @Nullable Stream saturated;

    private boolean mustTellCounts;
    /** Hidden messages by topic, to be told with the next drain. */
    private final Map<TopicName, Long> hiddenToTell = new HashMap<>();

    /** Whether there was no memory for what is to be appended next. */
    private boolean outOfMemory;

    private long subscriptions;
    private long drains;
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
        this.broker = broker;
        this.rules = rules;
        this.memory = memory;
        this.listener = listener;
        this.store = new SegmentStore(allocator);
        this.coalescing = new Coalescing(loop, phaseNanos, this::wake);
        this.slice = new Slice(loop);
        this.stalled = new Stalled(loop, store);
        this.delivery = new Delivery(loop, slice, stalled, allocator, encoder, this::settleLater);
    }

    // ---------------------------------------------------------------- any thread

    @Override
    public boolean reserve(int bytes) {
        if (queuedBytes.addAndGet(bytes) <= memory.maxQueuedBytes()) {
            return true;
        }
        queuedBytes.addAndGet(-bytes);
        return false;
    }

    @Override
    public void release(int bytes) {
        queuedBytes.addAndGet(-bytes);
    }

    @Override
    public void offer(TopicEvent event) {
        offered.offer(event);
    }

    @Override
    public void wake() {
        if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
            loop.execute(drain);
        }
    }

    @Override
    public void tellHidden(TopicName topic, long count) {
        loop.execute(() -> {
            hiddenToTell.merge(topic, count, Long::sum);
            wake();
        });
    }

    /** The event loop that owns this. */
    public Loop loop() {
        return loop;
    }

    // ---------------------------------------------------------------- the drain

    private void drain() {
        assert loop.inLoop();
        boolean done = false;
        try {
            done = isDoneAfterSlice();
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
        endWaits();
        appendOffered();
        // While others wait, those that are behind get a quarter of the slice.
        delivery.resume(ring.isEmpty() && !delivery.hasTouched() ? 0 : slice.writesLeft() - Slice.MAX_WRITES / 4);
        delivery.writeTouched();
        walkRing();
        delivery.writeTouched();
        settle();
        store.sweepPinned();
        enforceMemory();
        if (ring.isEmpty() && delivery.isIdle() && !mustTellCounts && hiddenToTell.isEmpty()) {
            scheduled.set(false);
            // What was offered since the poll found the flag set and scheduled nothing.
            return offered.isEmpty() || !scheduled.compareAndSet(false, true);
        }
        return false;
    }

    private void appendOffered() {
        // Those that are touched stand among those that have kept up, and must read before the log moves on.
        if (delivery.hasTouched()) {
            return;
        }
        if (saturated != null) {
            if (isSaturated(saturated)) {
                return;
            }
            saturated = null;
        }
        // Messages that wait are smaller than frames that wait, and a full queue slows publishers down.
        if (!ring.isEmpty() && isShortOfLogs()) {
            return;
        }
        long taken = 0;
        outOfMemory = false;
        try {
            if (mustTellCounts) {
                appendCounts();
                mustTellCounts = false;
            }
            if (!hiddenToTell.isEmpty()) {
                appendHidden();
            }
            for (TopicEvent event = offered.peek();
                    event != null && saturated == null && taken < MAX_APPENDED_BYTES;
                    event = offered.peek()) {
                if (event instanceof Message message) {
                    append(message);
                } else if (event instanceof TopicValue value) {
                    append(value);
                }
                offered.poll();
                taken += event.weight();
            }
        } catch (OutOfMemoryError e) {
            // The message stays where it is, since the next one would be a hole: the walks may free memory, and a full
            // queue tells the publishers.
            outOfMemory = true;
        } finally {
            if (taken > 0) {
                queuedBytes.addAndGet(-taken);
            }
        }
    }

    private void append(Message message) {
        if (message.offset() == Message.NO_OFFSET) {
            giveBack(message);
            return;
        }
        Topic topic = topics.get(message.topic());
        // Gone: the last subscriber left. Old: offered to an earlier registration than the present one.
        if (topic == null || message.offset() <= topic.lastOffset) {
            return;
        }
        long now = message.canExpire() ? loop.nanoTime() : 0;
        for (Stream stream : topic.streams()) {
            if (stream.append(message, now)) {
                ready(stream);
                if (stream.wait != null && stream.log.isHalfUnread()) {
                    // Better early than off the log.
                    Coalescing.forget(stream);
                    enterRing(stream);
                }
                if (isSaturated(stream)) {
                    saturated = stream;
                }
            }
        }
        topic.lastOffset = message.offset();
    }

    private void append(TopicValue value) {
        Topic topic = topics.get(value.topic());
        // Old: offered to an earlier registration than the present one, which began with later values.
        if (topic != null && value.number() > topic.attachment.lastValue()) {
            topic.tell(value);
            byte[] frame = WebSocketFrames.frame(WebSocketFrames.Opcode.TEXT, value.json());
            for (Stream stream : topic.streams()) {
                if (stream.level == AttentionLevel.FULL) {
                    stream.append(frame);
                    ready(stream);
                }
            }
        }
    }

    /** Gives a hidden message to those of its sender's connections that are on its topic. */
    private void giveBack(Message message) {
        String sender = message.sender();
        Topic pushes = sender == null ? null : topics.get(TopicName.ofUser(sender));
        if (pushes == null) {
            return;
        }
        for (Stream stream : pushes.streams()) {
            for (int i = 0; i < stream.subscriptions.size(); i++) {
                Connection connection = stream.subscriptions.get(i).connection;
                if (isSubscribed(connection, message.topic())) {
                    connection.send(message);
                }
            }
        }
    }

    private void appendHidden() {
        hiddenToTell.forEach((name, count) -> {
            Topic topic = topics.get(name);
            if (topic != null) {
                for (Stream stream : topic.streams()) {
                    stream.appendHidden(count);
                    ready(stream);
                }
            }
        });
        hiddenToTell.clear();
    }

    /** Whether a stream's walk must come first: until then the queue waits, and its bound is the publishers'. */
    private static boolean isSaturated(Stream stream) {
        return stream.inRing && stream.log.isHalfUnread();
    }

    /** A stream has something for its connections: to be walked now, or when its window is over. */
    private void ready(Stream stream) {
        if (!stream.inRing && stream.wait == null && !coalescing.holds(stream)) {
            enterRing(stream);
        }
    }

    private void enterRing(Stream stream) {
        stream.inRing = true;
        ring.add(stream);
    }

    private void endWaits() {
        for (Stream stream = coalescing.pollDue(); stream != null; stream = coalescing.pollDue()) {
            enterRing(stream);
        }
    }

    private void walkRing() {
        while (!ring.isEmpty() && !slice.isOver()) {
            Stream stream = ring.element();
            boolean done = walk(stream);
            ring.remove();
            if (stream.walkAt >= 0) {
                ring.add(stream);
                continue;
            }
            stream.inRing = false;
            if (done) {
                settleLater(stream);
            } else {
                ready(stream);
            }
        }
    }

    /** Walks a stream, or walks it on; true if all that have kept up have read all, or wait in the touched list. */
    private boolean walk(Stream stream) {
        SubscriptionList list = stream.subscriptions;
        TopicLog log = stream.log;
        if (stream.walkAt < 0) {
            stream.seal();
            stream.walkAt = list.caughtUp();
            stream.walkTarget = log.headFrame();
            stream.walkTargetPosition = log.headPosition();
            stream.walkStartNanos = loop.nanoTime();
            stream.walkIsStale = log.canBeStale()
                    && log.staleFrom(Math.max(log.readTo(), log.firstFrame()), stream.walkStartNanos) < log.headFrame();
        }
        boolean others = ring.size() > 1;
        int at = Math.min(stream.walkAt, list.caughtUp());
        while (at > 0) {
            if (slice.isOver()) {
                stream.walkAt = at;
                return false;
            }
            Subscription subscription = list.get(--at);
            if (subscription.cursor == log.headFrame()) {
                continue;
            }
            Connection connection = subscription.connection;
            if (stream.walkIsStale || connection.inFlight != null) {
                delivery.fallBehind(subscription);
                if (connection.inFlight == null) {
                    delivery.resumeLater(connection);
                }
            } else if (others && connection.subscriptions.size() > 1) {
                delivery.touch(connection);
            } else if (!connection.touched) {
                delivery.serve(subscription);
            }
        }
        stream.walkAt = -1;
        reportFanOut(stream);
        coalescing.walked(stream, stream.walkStartNanos);
        log.readTo(stream.walkTarget, stream.walkTargetPosition);
        return log.headFrame() == stream.walkTarget && !stream.hasBatch();
    }

    private void reportFanOut(Stream stream) {
        TopicLog log = stream.log;
        long now = loop.nanoTime();
        for (long frame = Math.max(log.readTo(), log.firstFrame()); frame < stream.walkTarget; frame++) {
            long accepted = log.acceptedNanos(frame);
            if (accepted != 0) {
                listener.fannedOut(now - accepted);
            }
        }
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

    /** Takes back what stalled connections hold beyond the bounds: of those that have been stalled for longest first. */
    private void enforceMemory() {
        int victims = 0;
        // While some have still to read them, frames in logs are no laggard's fault.
        while (victims < MAX_VICTIMS
                && ring.isEmpty()
                && !delivery.hasTouched()
                && isShortOfLogs()
                && dropOldestLog()) {
            victims++;
        }
        while (victims < MAX_VICTIMS && stalled.pinnedBytes() > memory.maxPinnedBytes() && stalled.closeOldest()) {
            store.sweepPinned();
            victims++;
        }
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
        return outOfMemory || store.logBytes() > memory.maxLogBytes();
    }

    private void settleLater(Stream stream) {
        if (!stream.settling) {
            stream.settling = true;
            settling.add(stream);
        }
    }

    /** Lets logs drop what all have read. */
    private void settle() {
        // One that is touched stands among those that have kept up, but hasn't read yet.
        while (!delivery.hasTouched() && !settling.isEmpty()) {
            Stream stream = settling.remove();
            stream.settling = false;
            SubscriptionList list = stream.subscriptions;
            if (!stream.inRing && stream.wait == null && list.caughtUp() == list.size()) {
                stream.log.clear(list.size() >= Stream.BUSY && !isShortOfLogs());
            }
        }
    }

    // ---------------------------------------------------------------- joins and leaves

    /**
     * Puts a connection on a topic and tells it so, before the topic's first message.
     *
     * @param id the client's number for its request, 0 without
     * @param since the last position that the client has seen, if it wants to recover
     * @param last how many of the newest messages it wants if there is nothing to recover
     * @return false, and nothing was done, if the connection is on the topic already
     */
    public boolean subscribe(Connection connection, TopicName name, long id, @Nullable Position since, int last) {
        assert loop.inLoop();
        if (connection.gone) {
            throw new IllegalStateException("the connection is gone");
        }
        if (subscriptionOf(connection, name) != null) {
            return false;
        }
        Topic topic = topics.get(name);
        if (topic == null) {
            topic = open(name);
        }
        Subscription subscription = join(connection, topic, AttentionLevel.FULL, topic.lastOffset);
        connection.subscriptions.add(subscription);
        subscriptions++;
        topic.attachment.countSubscriptions(1);
        int online = 0;
        if (topic.rules.countsPresence()) {
            online = topic.attachment.online();
            if (topic.subscriptions() == 1) {
                topic.toldOnline = online;
            }
        }
        String epoch = topic.attachment.position().epoch();
        long head = topic.lastOffset;
        long from = head;
        Boolean recovered = null;
        if (since != null || last > 0) {
            long oldest = topic.attachment.pastBounds().oldestOfHistory();
            if (since != null) {
                recovered = since.epoch().equals(epoch)
                        && (since.offset() == head || (since.offset() < head && since.offset() >= oldest - 1));
            }
            if (Boolean.TRUE.equals(recovered)) {
                from = java.util.Objects.requireNonNull(since).offset();
            } else {
                from = Math.min(head, Math.max(head - last, oldest - 1));
            }
        }
        connection.send(new ServerFrame.Subscribed(id, name, epoch, head, recovered, online));
        topic.values().forEach(connection::send);
        if (from < head) {
            subscription.offset = from;
            boolean mayLose = !topic.rules.reliable() && !Boolean.TRUE.equals(recovered);
            replay(subscription, new Replay(head, true, ShedReason.BEHIND, mayLose, null, 0));
        }
        return true;
    }

    private Topic open(TopicName name) {
        TopicRules topicRules = rules.apply(name);
        Attachment attachment = broker.attach(name, this);
        NamespaceCounters counted = counters.computeIfAbsent(topicRules.namespace(), NamespaceCounters::new);
        Topic topic = new Topic(name, attachment, topicRules, counted);
        topics.put(name, topic);
        return topic;
    }

    /** Makes a connection a reader of a topic's stream, at its head. */
    private Subscription join(Connection connection, Topic topic, AttentionLevel level, long offset) {
        Stream stream = streamToJoin(connection, topic, level);
        Subscription subscription = new Subscription(connection, stream, stream.log.headFrame(), offset);
        stream.subscriptions.add(subscription);
        return subscription;
    }

    /** A stream of which all that its other readers are owed is in the log. */
    private Stream streamToJoin(Connection connection, Topic topic, AttentionLevel level) {
        Stream stream = topic.stream(connection.encoding(), level, store, encoder);
        stream.seal();
        if (level != AttentionLevel.FULL) {
            // Else its next frame would tell the new reader of what it has been told elsewhere.
            stream.coverUpTo(topic.lastOffset);
            stream.appendHiddenToTell();
            if (stream.subscriptions.size() > 0) {
                ready(stream);
            }
        }
        return stream;
    }

    /** Has a subscription read from the past before it goes on. */
    private void replay(Subscription subscription, Replay replay) {
        delivery.fallBehind(subscription);
        subscription.replay = replay;
        delivery.resumeLater(subscription.connection);
        wake();
    }

    /**
     * Changes how much of a topic a connection gets, and answers, if the request has an id, before what follows from it.
     *
     * @return false if the connection isn't on the topic
     */
    public boolean attention(Connection connection, TopicName name, long id, AttentionLevel level) {
        assert loop.inLoop();
        Subscription subscription = subscriptionOf(connection, name);
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
        left.seal();
        if (left.level != AttentionLevel.FULL && left.appendHiddenToTell()) {
            ready(left);
        }
        long hidden = leaveStream(subscription, ShedReason.ATTENTION);
        if (hidden > 0) {
            connection.send(new ServerFrame.Hidden(topic.name, hidden));
        }
        if (left.subscriptions.size() == 0) {
            close(left);
        } else {
            settleLater(left);
        }
        Stream joined = streamToJoin(connection, topic, level);
        subscription.stream = joined;
        subscription.cursor = joined.log.headFrame();
        joined.subscriptions.add(subscription);
        long missed = topic.lastOffset - subscription.offset;
        if (level == AttentionLevel.DIGEST && missed > 0) {
            connection.send(new ServerFrame.Gap(
                    topic.name, subscription.offset + 1, topic.lastOffset, ShedReason.ATTENTION.wire()));
            subscription.offset = topic.lastOffset;
        } else if (level == AttentionLevel.FULL) {
            topic.values().forEach(connection::send);
            if (missed > 0) {
                replay(subscription, new Replay(topic.lastOffset, true, ShedReason.ATTENTION, true, null, 0));
            }
        }
        wake();
    }

    /** Takes a connection off a topic; false if it wasn't on it. */
    public boolean unsubscribe(Connection connection, TopicName name) {
        assert loop.inLoop();
        Subscription subscription = subscriptionOf(connection, name);
        if (subscription == null) {
            return false;
        }
        connection.subscriptions.remove(subscription);
        leave(subscription);
        return true;
    }

    /** Whether a connection is on a topic. */
    public boolean isSubscribed(Connection connection, TopicName name) {
        assert loop.inLoop();
        return subscriptionOf(connection, name) != null;
    }

    private static @Nullable Subscription subscriptionOf(Connection connection, TopicName name) {
        for (Subscription subscription : connection.subscriptions) {
            if (subscription.stream.topic.name.equals(name)) {
                return subscription;
            }
        }
        return null;
    }

    private void leave(Subscription subscription) {
        Stream stream = subscription.stream;
        Topic topic = stream.topic;
        leaveStream(subscription, ShedReason.DISCONNECTED);
        topic.attachment.countSubscriptions(-1);
        subscriptions--;
        if (stream.subscriptions.size() > 0) {
            settleLater(stream);
            wake();
            return;
        }
        close(stream);
        if (topic.streams().length == 0) {
            topics.remove(topic.name);
            topic.attachment.close();
        }
    }

    /** Takes a subscription out of its stream; what it hasn't read is shed. Gives the hidden messages that it wasn't told of. */
    private long leaveStream(Subscription subscription, ShedReason reason) {
        Stream stream = subscription.stream;
        TopicLog log = stream.log;
        // What waits to become a frame is owed to those who are here now.
        stream.seal();
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
            if (replay.owed != null) {
                counted.shed(reason, replay.owed);
            }
            hidden += Math.max(0, replay.hidden);
        }
        subscription.replay = null;
        stream.subscriptions.remove(subscription);
        subscription.messagesBefore = null;
        return hidden;
    }

    private void close(Stream stream) {
        if (stream.inRing) {
            ring.remove(stream);
        }
        if (stream.settling) {
            settling.remove(stream);
        }
        if (saturated == stream) {
            saturated = null;
        }
        Coalescing.forget(stream);
        stream.topic.remove(stream);
        stream.log.close();
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
        connection.subscriptions.forEach(this::leave);
        connection.subscriptions.clear();
        Connection last = connections.remove(connections.size() - 1);
        if (last != connection) {
            connections.set(connection.shardIndex, last);
            last.shardIndex = connection.shardIndex;
        }
        connection.shardIndex = -1;
        // What only it pinned is free now; on a quiet loop the next drain may be far.
        store.sweepPinned();
    }

    // ---------------------------------------------------------------- the rest

    /**
     * Tells topics how many are there, if that has changed, and how many messages were hidden, where no message has told it;
     * and checks the books. Called about once a second.
     */
    void tellCounts() {
        assert loop.inLoop();
        checkBooks();
        // Logs move on only in a drain, when all have read what must not be lost.
        mustTellCounts = true;
        wake();
    }

    private void checkBooks() {
        if (topics.size() > MANY_TOPICS && checksLeftOut < CHECKS_LEFT_OUT) {
            checksLeftOut++;
            return;
        }
        checksLeftOut = 0;
        long error = snapshot().conservationError();
        if (error != 0 && worstError == 0) {
            logger.error("Messages are neither delivered nor shed nor in flight, by a bug of ours. error={}", error);
        }
        worstError = Math.max(worstError, error);
    }

    private void appendCounts() {
        for (Topic topic : topics.values()) {
            for (Stream stream : topic.streams()) {
                if (stream.appendHiddenToTell()) {
                    ready(stream);
                }
            }
            if (topic.rules.countsPresence()) {
                int online = topic.attachment.online();
                if (online != topic.toldOnline) {
                    byte[] frame = WebSocketFrames.text(new ServerFrame.Online(topic.name, online));
                    for (Stream stream : topic.streams()) {
                        stream.append(frame);
                        ready(stream);
                    }
                    topic.toldOnline = online;
                }
            }
        }
    }

    /** All connections now; the list is the caller's. */
    public List<Connection> connections() {
        assert loop.inLoop();
        return new ArrayList<>(connections);
    }

    /** The counters now, with what is in flight counted anew from the cursors. */
    HubSnapshot snapshot() {
        assert loop.inLoop();
        HubSnapshot.Builder snapshot = new HubSnapshot.Builder();
        counters.values().forEach(snapshot::add);
        for (Topic topic : topics.values()) {
            long[] inFlight = snapshot.inFlight(topic.counters.namespace);
            for (Stream stream : topic.streams()) {
                snapshot.coalesceWindowNanos = Math.max(snapshot.coalesceWindowNanos, stream.windowNanos);
                addInFlight(stream, inFlight);
            }
        }
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
        snapshot.connections = connections.size();
        snapshot.subscriptions = subscriptions;
        snapshot.topics = topics.size();
        snapshot.behindSubscriptions = delivery.behind();
        snapshot.behindConnections = stalled.size();
        snapshot.socketWrites = delivery.socketWrites();
        snapshot.messagesWritten = delivery.messagesWritten();
        snapshot.drains = drains;
        snapshot.logBytes = store.logBytes();
        snapshot.pinnedBytes = stalled.pinnedBytes();
        snapshot.queuedBytes = queuedBytes.get();
        snapshot.worstError = worstError;
        return snapshot.build();
    }

    private static void addInFlight(Stream stream, long[] inFlight) {
        TopicLog log = stream.log;
        // In the middle of a walk most stand at one of two places: counting for each anew would hold up the loop.
        long[] counted = new long[inFlight.length];
        long countedFor = -1;
        for (int i = 0; i < stream.subscriptions.size(); i++) {
            Subscription subscription = stream.subscriptions.get(i);
            long[] read = subscription.messagesBefore;
            if (read == null) {
                if (subscription.cursor == log.headFrame()) {
                    continue;
                }
                if (subscription.cursor != countedFor) {
                    log.messagesBefore(subscription.cursor, counted);
                    countedFor = subscription.cursor;
                }
                read = counted;
            }
            long[] owed = subscription.replay == null ? null : subscription.replay.owed;
            for (int p = 0; p < read.length; p++) {
                inFlight[p] += log.messages(p) - read[p] + (owed == null ? 0 : owed[p]);
            }
        }
    }

    /** Lets go of all memory; called when no connection is left. */
    void close() {
        assert loop.inLoop();
        List.copyOf(connections).forEach(this::gone);
        offered.clear();
        encoder.close();
        store.close();
    }
}
