package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.BrokerListener;
import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.gateway.hub.Connection.Write;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
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
 * Step 4 of 5: delivers messages to the subscriptions of one event loop. Next: {@link Connection#write}.
 *
 * <p>Confined to its event loop. Other threads use the {@link BrokerListener} methods, which schedule at most one drain.
 *
 * <p>A drain appends all that waits to the topics' logs, then walks the topics: each connection gets one write with all that
 * it hasn't read. A drain is cut into slices, between which the loop does its I/O, so that a ping is answered while a hundred
 * thousand connections are being written to.
 */
public final class HubShard implements BrokerListener {
    /** Writes of one slice: at about 4 us each this is a millisecond. */
    static final int MAX_WRITES = 256;

    static final long MAX_SLICE_NANOS = 2_000_000;

    /** The clock costs a tenth of a write, so it isn't asked before each. */
    private static final int WRITES_PER_CLOCK = 32;

    /** Weight of the messages that one slice appends: with small ones about a millisecond. */
    static final int MAX_APPENDED_BYTES = 256 * 1024;

    /** Several topics' runs for one connection are copied into one write up to this size. */
    static final int MAX_MERGED_BYTES = 16 * 1024;

    /** Connections and logs that one drain sacrifices for want of memory: each is looked for among all that are stalled. */
    private static final int MAX_VICTIMS = 16;

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
    private final ByteBufAllocator allocator;
    private final SegmentStore store;
    private final Coalescing coalescing;
    /** Topics with frames that some connection hasn't been offered yet; they take turns. */
    private final ArrayDeque<Topic> ring = new ArrayDeque<>();
    /** Connections that are written after the walks, since several of their topics may have something. */
    private final ArrayDeque<Connection> touched = new ArrayDeque<>();
    /** Connections whose sockets take more again. */
    private final ArrayDeque<Connection> resuming = new ArrayDeque<>();
    /** Connections with a run in the transport's hands. */
    private final List<Connection> stalled = new ArrayList<>();
    /** Topics whose logs may drop what all have read. */
    private final ArrayDeque<Topic> settling = new ArrayDeque<>();

    /** What the connection that is being written gets in one buffer, and the length of that. */
    private final List<Subscription> merging = new ArrayList<>();

    private int mergingBytes;
    /** In copies that stalled sockets hold. */
    private long copiedBytes;
    /** The topic that must be walked before more may be appended, since those that keep up would fall off its log. */
    private @Nullable Topic saturated;

    private boolean mustTellOnline;
    /** Hidden messages by topic, to be told with the next drain. */
    private final Map<TopicName, Long> hiddenToTell = new HashMap<>();

    /** Whether there was no memory for what is to be appended next. */
    private boolean outOfMemory;

    private int writesLeft;
    private long sliceEndNanos;
    private long subscriptions;
    private long behind;
    private long socketWrites;
    private long messagesWritten;
    private long drains;

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
        this.allocator = allocator;
        this.listener = listener;
        this.store = new SegmentStore(allocator);
        this.coalescing = new Coalescing(loop, phaseNanos, this::wake);
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
        writesLeft = MAX_WRITES;
        sliceEndNanos = loop.nanoTime() + MAX_SLICE_NANOS;
        endWaits();
        appendOffered();
        resume();
        writeTouched();
        walkRing();
        writeTouched();
        settle();
        store.sweepPinned();
        enforceMemory();
        if (ring.isEmpty() && touched.isEmpty() && resuming.isEmpty() && !mustTellOnline && hiddenToTell.isEmpty()) {
            scheduled.set(false);
            // What was offered since the poll found the flag set and scheduled nothing.
            return offered.isEmpty() || !scheduled.compareAndSet(false, true);
        }
        return false;
    }

    private boolean sliceIsOver() {
        if (writesLeft <= 0) {
            return true;
        }
        if (writesLeft % WRITES_PER_CLOCK == 0 && loop.nanoTime() - sliceEndNanos >= 0) {
            writesLeft = 0;
            return true;
        }
        return false;
    }

    private void appendOffered() {
        // Those that are touched stand among those that have kept up, and must read before the log moves on.
        if (!touched.isEmpty()) {
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
            if (mustTellOnline) {
                appendOnline();
                mustTellOnline = false;
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
        if (topic == null || message.offset() <= topic.log.lastOffset()) {
            return;
        }
        topic.log.append(message);
        topic.counters.owed[message.priority().ordinal()] += topic.subscriptions.size();
        ready(topic);
        if (topic.wait != null && topic.log.isHalfUnread()) {
            // Better early than off the log.
            Coalescing.forget(topic);
            enterRing(topic);
        }
        if (isSaturated(topic)) {
            saturated = topic;
        }
    }

    private void append(TopicValue value) {
        Topic topic = topics.get(value.topic());
        if (topic != null) {
            topic.tell(value);
            topic.log.append(WebSocketFrames.frame(WebSocketFrames.Opcode.TEXT, value.json()));
            ready(topic);
        }
    }

    /** Gives a hidden message to those of its sender's connections that are on its topic. */
    private void giveBack(Message message) {
        String sender = message.sender();
        Topic pushes = sender == null ? null : topics.get(TopicName.ofUser(sender));
        if (pushes == null) {
            return;
        }
        for (int i = 0; i < pushes.subscriptions.size(); i++) {
            Connection connection = pushes.subscriptions.get(i).connection;
            if (isSubscribed(connection, message.topic())) {
                connection.send(message);
            }
        }
    }

    private void appendHidden() {
        hiddenToTell.forEach((name, count) -> {
            Topic topic = topics.get(name);
            if (topic != null) {
                topic.log.append(WebSocketFrames.text(new ServerFrame.Hidden(name, count)));
                ready(topic);
            }
        });
        hiddenToTell.clear();
    }

    /** Whether a topic's walk must come first: until then the queue waits, and its bound is the publishers'. */
    private static boolean isSaturated(Topic topic) {
        return topic.inRing && topic.log.isHalfUnread();
    }

    /** A topic has something for its connections: to be walked now, or when its window is over. */
    private void ready(Topic topic) {
        if (!topic.inRing && topic.wait == null && !coalescing.holds(topic)) {
            enterRing(topic);
        }
    }

    private void enterRing(Topic topic) {
        topic.inRing = true;
        ring.add(topic);
    }

    private void endWaits() {
        for (Topic topic = coalescing.pollDue(); topic != null; topic = coalescing.pollDue()) {
            enterRing(topic);
        }
    }

    private void walkRing() {
        while (!ring.isEmpty() && !sliceIsOver()) {
            Topic topic = ring.element();
            boolean done = walk(topic);
            ring.remove();
            if (topic.walkAt >= 0) {
                ring.add(topic);
                continue;
            }
            topic.inRing = false;
            if (done) {
                settleLater(topic);
            } else {
                ready(topic);
            }
        }
    }

    /** Walks a topic, or walks it on; true if all that have kept up have read all, or wait in the touched list. */
    private boolean walk(Topic topic) {
        SubscriptionList list = topic.subscriptions;
        TopicLog log = topic.log;
        if (topic.walkAt < 0) {
            topic.walkAt = list.caughtUp();
            topic.walkTarget = log.headFrame();
            topic.walkTargetPosition = log.headPosition();
            topic.walkStartNanos = loop.nanoTime();
        }
        boolean others = ring.size() > 1;
        int at = Math.min(topic.walkAt, list.caughtUp());
        while (at > 0) {
            if (sliceIsOver()) {
                topic.walkAt = at;
                return false;
            }
            Subscription subscription = list.get(--at);
            if (subscription.cursor == log.headFrame()) {
                continue;
            }
            Connection connection = subscription.connection;
            if (connection.inFlight != null) {
                fallBehind(subscription);
            } else if (others && connection.subscriptions.size() > 1) {
                touch(connection);
            } else if (!connection.touched) {
                serve(subscription);
            }
        }
        topic.walkAt = -1;
        reportFanOut(topic);
        coalescing.walked(topic, topic.walkStartNanos);
        log.readTo(topic.walkTarget, topic.walkTargetPosition);
        return log.headFrame() == topic.walkTarget;
    }

    private void reportFanOut(Topic topic) {
        long now = loop.nanoTime();
        for (long frame = Math.max(topic.log.readTo(), topic.log.firstFrame()); frame < topic.walkTarget; frame++) {
            long accepted = topic.log.acceptedNanos(frame);
            if (accepted != 0) {
                listener.fannedOut(now - accepted);
            }
        }
    }

    private void serve(Subscription subscription) {
        try {
            deliver(subscription);
        } catch (RuntimeException e) {
            fail(subscription.connection, e);
        }
    }

    /** Closes a connection that a bug of ours has broken, and leaves the others alone. */
    private void fail(Connection connection, RuntimeException bug) {
        logger.error("A connection failed by a bug of ours.", bug);
        connection.subscriptions.forEach(this::fallBehind);
        connection.close(CloseCode.INTERNAL, CloseCode.INTERNAL.wire());
    }

    /** Writes all that a subscription hasn't read, as far as its connection takes it. */
    private void deliver(Subscription subscription) {
        TopicLog log = subscription.topic.log;
        NamespaceCounters counters = subscription.topic.counters;
        Connection connection = subscription.connection;
        if (subscription.cursor < log.firstFrame()) {
            skip(subscription);
        }
        while (subscription.cursor < log.headFrame()) {
            TopicLog.Run run = log.run(subscription.cursor);
            Write write = connection.write(run.slice());
            count(run.messageCount());
            advance(subscription, run);
            if (write == Write.WRITTEN) {
                counters.delivered(run.messages());
                continue;
            }
            if (write == Write.IN_FLIGHT) {
                connection.holding = run.segment();
                stall(connection, new InFlight(counters, run.messages().clone(), null));
            } else {
                counters.shed(ShedReason.DISCONNECTED, run.messages());
            }
            fallBehind(subscription);
            return;
        }
        catchUp(subscription);
    }

    private void count(int messages) {
        writesLeft--;
        socketWrites++;
        messagesWritten += messages;
    }

    private static void advance(Subscription subscription, TopicLog.Run run) {
        subscription.cursor = run.toFrame();
        if (run.messageCount() > 0) {
            subscription.offset = run.toOffset();
            if (subscription.messagesBefore != null) {
                for (int i = 0; i < subscription.messagesBefore.length; i++) {
                    subscription.messagesBefore[i] += run.messages()[i];
                }
            }
        }
    }

    /** Lets one that has fallen off the log go on at its end, and tells it exactly what it won't get. */
    private static void skip(Subscription subscription) {
        Topic topic = subscription.topic;
        long[] before = subscription.messagesBefore;
        if (before == null) {
            throw new IllegalStateException("one that keeps up fell off the log of " + topic.name);
        }
        long resume = topic.log.resumeFrame();
        long through = topic.log.offsetBefore(resume);
        long[] beforeResume = new long[before.length];
        topic.log.messagesBefore(resume, beforeResume);
        long[] shed = topic.counters.shed[ShedReason.BEHIND.ordinal()];
        for (int i = 0; i < before.length; i++) {
            shed[i] += beforeResume[i] - before[i];
        }
        if (through > subscription.offset) {
            subscription.connection.send(
                    new ServerFrame.Gap(topic.name, subscription.offset + 1, through, ShedReason.BEHIND.wire()));
            subscription.offset = through;
        }
        subscription.cursor = resume;
        subscription.messagesBefore = beforeResume;
    }

    private void fallBehind(Subscription subscription) {
        if (!subscription.isBehind()) {
            long[] before = new long[subscription.topic.counters.owed.length];
            subscription.topic.log.messagesBefore(subscription.cursor, before);
            subscription.messagesBefore = before;
            subscription.topic.subscriptions.toBehind(subscription);
            behind++;
        }
    }

    private void catchUp(Subscription subscription) {
        if (subscription.isBehind()) {
            subscription.messagesBefore = null;
            subscription.topic.subscriptions.toCaughtUp(subscription);
            behind--;
            settleLater(subscription.topic);
        }
    }

    // ---------------------------------------------------------------- connections with several topics

    private void touch(Connection connection) {
        if (!connection.touched) {
            connection.touched = true;
            touched.add(connection);
        }
    }

    private void writeTouched() {
        while (!touched.isEmpty() && !sliceIsOver()) {
            Connection connection = touched.remove();
            connection.touched = false;
            if (!connection.gone) {
                try {
                    writeAll(connection);
                } catch (RuntimeException e) {
                    fail(connection, e);
                }
            }
        }
    }

    /** Writes what all topics of a connection have for it: small runs as one. */
    private void writeAll(Connection connection) {
        collectUnread(connection);
        if (connection.inFlight == null && merging.size() > 1) {
            writeMerged(connection);
        }
        // By index, here and below: this runs for each connection, and an iterator would be garbage for each.
        for (int i = 0; i < connection.subscriptions.size(); i++) {
            Subscription subscription = connection.subscriptions.get(i);
            if (subscription.isBehind() || subscription.cursor == subscription.topic.log.headFrame()) {
                continue;
            }
            if (connection.inFlight == null) {
                deliver(subscription);
            } else {
                fallBehind(subscription);
            }
        }
    }

    private void collectUnread(Connection connection) {
        merging.clear();
        mergingBytes = 0;
        for (int i = 0; i < connection.subscriptions.size(); i++) {
            Subscription subscription = connection.subscriptions.get(i);
            TopicLog log = subscription.topic.log;
            if (!subscription.isBehind() && subscription.cursor < log.headFrame()) {
                int length = log.run(subscription.cursor).length();
                if (mergingBytes + length <= MAX_MERGED_BYTES) {
                    mergingBytes += length;
                    merging.add(subscription);
                }
            }
        }
    }

    private void writeMerged(Connection connection) {
        int messages = 0;
        ByteBuf merged;
        try {
            merged = allocator.directBuffer(mergingBytes, mergingBytes);
        } catch (OutOfMemoryError e) {
            // Then each run by itself, which takes none.
            return;
        }
        for (int i = 0; i < merging.size(); i++) {
            Subscription subscription = merging.get(i);
            TopicLog.Run run = subscription.topic.log.run(subscription.cursor);
            run.copyTo(merged);
            messages += run.messageCount();
        }
        Write write = connection.write(merged);
        count(messages);
        InFlight inFlight = null;
        for (int i = 0; i < merging.size(); i++) {
            Subscription subscription = merging.get(i);
            NamespaceCounters counters = subscription.topic.counters;
            TopicLog.Run run = subscription.topic.log.run(subscription.cursor);
            advance(subscription, run);
            switch (write) {
                case WRITTEN -> counters.delivered(run.messages());
                case IN_FLIGHT ->
                    inFlight = new InFlight(counters, run.messages().clone(), inFlight);
                case CLOSED -> counters.shed(ShedReason.DISCONNECTED, run.messages());
            }
            if (write != Write.WRITTEN) {
                fallBehind(subscription);
            }
        }
        if (inFlight != null) {
            connection.holdingCopy = mergingBytes;
            copiedBytes += mergingBytes;
            stall(connection, inFlight);
        }
        merging.clear();
    }

    // ---------------------------------------------------------------- connections that are behind

    private void stall(Connection connection, InFlight inFlight) {
        connection.inFlight = inFlight;
        connection.stalledSinceNanos = loop.nanoTime();
        connection.stalledIndex = stalled.size();
        stalled.add(connection);
    }

    private void unstall(Connection connection) {
        connection.inFlight = null;
        forgetHeld(connection);
        Connection last = stalled.remove(stalled.size() - 1);
        if (last != connection) {
            stalled.set(connection.stalledIndex, last);
            last.stalledIndex = connection.stalledIndex;
        }
        connection.stalledIndex = -1;
    }

    void drained(Connection connection) {
        assert loop.inLoop();
        if (connection.inFlight == null) {
            return;
        }
        for (InFlight part = connection.inFlight; part != null; part = part.next) {
            part.counters.delivered(part.messages);
        }
        unstall(connection);
        if (!connection.resuming) {
            connection.resuming = true;
            resuming.add(connection);
        }
        wake();
    }

    /** Serves connections whose sockets take more again; they get a quarter of the slice while others wait. */
    private void resume() {
        int floor = ring.isEmpty() && touched.isEmpty() ? 0 : writesLeft - MAX_WRITES / 4;
        while (!resuming.isEmpty() && resume(resuming.element(), floor)) {
            resuming.remove().resuming = false;
        }
    }

    /** Serves one connection; false if there is more to do, and the share is used up. */
    private boolean resume(Connection connection, int floor) {
        int count = connection.subscriptions.size();
        int start = connection.nextToServe;
        for (int i = 0; i < count && connection.inFlight == null; i++) {
            int index = (start + i) % count;
            Subscription subscription = connection.subscriptions.get(index);
            if (subscription.isBehind()) {
                if (writesLeft <= floor || sliceIsOver()) {
                    return false;
                }
                connection.nextToServe = index + 1;
                serve(subscription);
            }
        }
        return true;
    }

    /** Takes back what stalled connections hold beyond the bounds: of those that have been stalled for longest first. */
    private void enforceMemory() {
        int victims = 0;
        // While some have still to read them, frames in logs are no laggard's fault.
        while (victims < MAX_VICTIMS && ring.isEmpty() && touched.isEmpty() && isShortOfLogs() && lapOldest()) {
            victims++;
        }
        while (victims < MAX_VICTIMS && pinnedBytes() > memory.maxPinnedBytes() && closeOldest()) {
            store.sweepPinned();
            victims++;
        }
    }

    /** Drops the log that has waited for longest for one that is stalled, who gets a gap instead; false if there is none. */
    private boolean lapOldest() {
        Topic found = null;
        long since = 0;
        for (Connection connection : stalled) {
            if (found == null || connection.stalledSinceNanos - since < 0) {
                for (Subscription subscription : connection.subscriptions) {
                    Topic topic = subscription.topic;
                    // A topic whose walk waits has frames that those which keep up have still to read.
                    if (subscription.isBehind() && !topic.log.isEmpty() && topic.wait == null) {
                        found = topic;
                        since = connection.stalledSinceNanos;
                    }
                }
            }
        }
        if (found == null) {
            return false;
        }
        found.log.clear(false);
        return true;
    }

    /** Closes the one that has pinned memory for longest; false if there is none. */
    private boolean closeOldest() {
        Connection oldest = null;
        for (Connection connection : stalled) {
            if (pins(connection) && (oldest == null || connection.stalledSinceNanos - oldest.stalledSinceNanos < 0)) {
                oldest = connection;
            }
        }
        if (oldest == null) {
            return false;
        }
        oldest.close(CloseCode.SLOW_CONSUMER, CloseCode.SLOW_CONSUMER.wire());
        // The transport lets go at once, and tells later that it is gone.
        forgetHeld(oldest);
        return true;
    }

    private void forgetHeld(Connection connection) {
        connection.holding = null;
        copiedBytes -= connection.holdingCopy;
        connection.holdingCopy = 0;
    }

    private static boolean pins(Connection connection) {
        return connection.holdingCopy > 0 || (connection.holding != null && connection.holding.pinned);
    }

    /** Memory that nothing but stalled sockets holds. */
    private long pinnedBytes() {
        return store.pinnedBytes() + copiedBytes;
    }

    private boolean isShortOfLogs() {
        return outOfMemory || store.logBytes() > memory.maxLogBytes();
    }

    private void settleLater(Topic topic) {
        if (!topic.settling) {
            topic.settling = true;
            settling.add(topic);
        }
    }

    /** Lets logs drop what all have read. */
    private void settle() {
        // One that is touched stands among those that have kept up, but hasn't read yet.
        while (touched.isEmpty() && !settling.isEmpty()) {
            Topic topic = settling.remove();
            topic.settling = false;
            SubscriptionList list = topic.subscriptions;
            if (!topic.inRing && topic.wait == null && list.caughtUp() == list.size()) {
                topic.log.clear(list.size() >= Topic.BUSY && !isShortOfLogs());
            }
        }
    }

    // ---------------------------------------------------------------- joins and leaves

    /**
     * Puts a connection on a topic and tells it so, before the topic's first message.
     *
     * @param id the client's number for its request, 0 without
     * @param since the last position that the client has seen, if it wants to recover
     * @return false, and nothing was done, if the connection is on the topic already
     */
    public boolean subscribe(Connection connection, TopicName name, long id, @Nullable Position since) {
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
        TopicLog log = topic.log;
        Subscription subscription = new Subscription(connection, topic, log.headFrame(), log.lastOffset());
        topic.subscriptions.add(subscription);
        connection.subscriptions.add(subscription);
        subscriptions++;
        topic.attachment.countSubscriptions(1);
        int online = 0;
        if (topic.rules.countsPresence()) {
            online = topic.attachment.online();
            if (topic.subscriptions.size() == 1) {
                topic.toldOnline = online;
            }
        }
        String epoch = topic.attachment.position().epoch();
        // Without a history, the only position to recover from is the head itself: nothing was missed.
        Boolean recovered = since == null ? null : since.epoch().equals(epoch) && since.offset() == log.lastOffset();
        connection.send(new ServerFrame.Subscribed(id, name, epoch, log.lastOffset(), recovered, online));
        topic.values().forEach(connection::send);
        return true;
    }

    private Topic open(TopicName name) {
        TopicRules topicRules = rules.apply(name);
        Attachment attachment = broker.attach(name, this);
        NamespaceCounters counted = counters.computeIfAbsent(topicRules.namespace(), NamespaceCounters::new);
        Topic topic = new Topic(name, attachment, topicRules, counted, store);
        topics.put(name, topic);
        return topic;
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
            if (subscription.topic.name.equals(name)) {
                return subscription;
            }
        }
        return null;
    }

    private void leave(Subscription subscription) {
        Topic topic = subscription.topic;
        long[] before = subscription.messagesBefore;
        if (before == null) {
            before = new long[topic.counters.owed.length];
            topic.log.messagesBefore(subscription.cursor, before);
        } else {
            behind--;
        }
        long[] shed = topic.counters.shed[ShedReason.DISCONNECTED.ordinal()];
        for (int i = 0; i < before.length; i++) {
            shed[i] += topic.log.messages(i) - before[i];
        }
        topic.subscriptions.remove(subscription);
        topic.attachment.countSubscriptions(-1);
        subscriptions--;
        if (topic.subscriptions.size() == 0) {
            close(topic);
        } else {
            settleLater(topic);
            wake();
        }
    }

    private void close(Topic topic) {
        topics.remove(topic.name);
        if (topic.inRing) {
            ring.remove(topic);
        }
        if (topic.settling) {
            settling.remove(topic);
        }
        if (saturated == topic) {
            saturated = null;
        }
        Coalescing.forget(topic);
        topic.attachment.close();
        topic.log.close();
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
            part.counters.shed(ShedReason.DISCONNECTED, part.messages);
        }
        if (connection.inFlight != null) {
            unstall(connection);
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

    /** Tells topics whose number of subscriptions has changed so; called about once a second. */
    void tellOnline() {
        assert loop.inLoop();
        // Logs move on only in a drain, when all have read what must not be lost.
        mustTellOnline = true;
        wake();
    }

    private void appendOnline() {
        for (Topic topic : topics.values()) {
            if (topic.rules.countsPresence()) {
                int online = topic.attachment.online();
                if (online != topic.toldOnline) {
                    topic.log.append(WebSocketFrames.text(new ServerFrame.Online(topic.name, online)));
                    topic.toldOnline = online;
                    ready(topic);
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
        long[] before = new long[NamespaceCounters.PRIORITIES];
        for (Topic topic : topics.values()) {
            // In the middle of a walk most stand at one of two places: counting for each anew would hold up the loop.
            long countedFor = -1;
            long[] inFlight = snapshot.inFlight(topic.counters.namespace);
            snapshot.coalesceWindowNanos = Math.max(snapshot.coalesceWindowNanos, topic.windowNanos);
            for (int i = 0; i < topic.subscriptions.size(); i++) {
                Subscription subscription = topic.subscriptions.get(i);
                if (subscription.messagesBefore == null && subscription.cursor == topic.log.headFrame()) {
                    continue;
                }
                long[] read = subscription.messagesBefore;
                if (read == null) {
                    if (subscription.cursor != countedFor) {
                        topic.log.messagesBefore(subscription.cursor, before);
                        countedFor = subscription.cursor;
                    }
                    read = before;
                }
                for (int p = 0; p < read.length; p++) {
                    inFlight[p] += topic.log.messages(p) - read[p];
                }
            }
        }
        for (Connection connection : stalled) {
            for (InFlight part = connection.inFlight; part != null; part = part.next) {
                long[] inFlight = snapshot.inFlight(part.counters.namespace);
                for (int p = 0; p < inFlight.length; p++) {
                    inFlight[p] += part.messages[p];
                }
            }
        }
        snapshot.connections = connections.size();
        snapshot.subscriptions = subscriptions;
        snapshot.topics = topics.size();
        snapshot.behindSubscriptions = behind;
        snapshot.behindConnections = stalled.size();
        snapshot.socketWrites = socketWrites;
        snapshot.messagesWritten = messagesWritten;
        snapshot.drains = drains;
        snapshot.logBytes = store.logBytes();
        snapshot.pinnedBytes = pinnedBytes();
        snapshot.queuedBytes = queuedBytes.get();
        return snapshot.build();
    }

    /** Lets go of all memory; called when no connection is left. */
    void close() {
        assert loop.inLoop();
        List.copyOf(connections).forEach(this::gone);
        offered.clear();
        store.close();
    }
}
