package io.barrage.gateway.hub;

import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.gateway.hub.Connection.Write;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ServerFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to connections what their subscriptions haven't read: from the log to those that keep up and those that are behind, and
 * from the topic's past to those that the log has left behind.
 *
 * <p>Confined to its event loop.
 */
final class Delivery {
    /** Several topics' runs for one connection are copied into one write up to this size. */
    static final int MAX_MERGED_BYTES = 16 * 1024;

    private static final Logger logger = LoggerFactory.getLogger(Delivery.class);

    private final Loop loop;
    private final Slice slice;
    private final Stalled stalled;
    private final ByteBufAllocator allocator;
    private final ReplayReader past;
    private final Consumer<Stream> onCaughtUp;

    /** Connections that are written after the walks, since several of their topics may have something. */
    private final ArrayDeque<Connection> touched = new ArrayDeque<>();
    /** Connections whose sockets take more again. */
    private final ArrayDeque<Connection> resuming = new ArrayDeque<>();
    /** What the connection that is being written gets in one buffer, and the length of that. */
    private final List<Subscription> merging = new ArrayList<>();

    private int mergingBytes;

    /** Whether the first of those in {@code resuming} found no memory for a piece of the past. */
    private boolean outOfMemory;

    private long behind;
    private long socketWrites;
    private long messagesWritten;

    /** @param onCaughtUp told of a stream one of whose readers isn't behind any more */
    Delivery(
            Loop loop,
            Slice slice,
            Stalled stalled,
            ByteBufAllocator allocator,
            FrameEncoder encoder,
            Consumer<Stream> onCaughtUp) {
        this.loop = loop;
        this.slice = slice;
        this.stalled = stalled;
        this.allocator = allocator;
        this.past = new ReplayReader(loop, allocator, encoder);
        this.onCaughtUp = onCaughtUp;
    }

    /** Subscriptions that are behind. */
    long behind() {
        return behind;
    }

    long socketWrites() {
        return socketWrites;
    }

    long messagesWritten() {
        return messagesWritten;
    }

    /** Whether some that have kept up are still to be written to. */
    boolean hasTouched() {
        return !touched.isEmpty();
    }

    /** Whether there was no memory for what one that is behind gets next; it waits for {@link #retry}. */
    boolean isOutOfMemory() {
        return outOfMemory;
    }

    /** Has that tried again, when others have had their turn. */
    void retry() {
        if (outOfMemory) {
            outOfMemory = false;
            resuming.add(resuming.remove());
        }
    }

    /** Whether nobody waits for a turn. */
    boolean isIdle() {
        return touched.isEmpty() && resuming.isEmpty();
    }

    // ---------------------------------------------------------------- one subscription

    /**
     * Writes all that a subscription hasn't read, as far as its connection takes it.
     *
     * @return false if the slice ended before
     */
    boolean serve(Subscription subscription) {
        try {
            return deliver(subscription);
        } catch (RuntimeException | OutOfMemoryError e) {
            fail(subscription.connection, e);
            return true;
        }
    }

    /** Closes a connection whose write has failed, so that nobody knows what it has got, and leaves the others alone. */
    private void fail(Connection connection, Throwable failure) {
        logger.error("A connection failed, by a bug of ours or for want of memory.", failure);
        connection.subscriptions.forEach(this::fallBehind);
        connection.close(CloseCode.INTERNAL, CloseCode.INTERNAL.wire());
    }

    private boolean deliver(Subscription subscription) {
        TopicLog log = subscription.stream.log;
        while (true) {
            Replay replay = subscription.replay;
            if (replay != null) {
                if (subscription.offset >= replay.through) {
                    end(subscription, replay);
                } else if (slice.isOver()) {
                    return false;
                } else if (!writePast(subscription, replay)) {
                    return true;
                }
            } else if (subscription.cursor < log.firstFrame()) {
                if (!lap(subscription)) {
                    return true;
                }
            } else if (subscription.cursor == log.headFrame()) {
                catchUp(subscription);
                return true;
            } else if (!writeRun(subscription)) {
                return true;
            }
        }
    }

    /** Writes the next run of the log; false if the connection takes no more. */
    private boolean writeRun(Subscription subscription) {
        TopicLog log = subscription.stream.log;
        long before = log.headFrame();
        if (subscription.isBehind() && log.canBeStale()) {
            before = log.staleFrom(subscription.cursor, loop.nanoTime());
            if (before == subscription.cursor) {
                passOver(subscription);
                return true;
            }
        }
        NamespaceCounters counters = subscription.stream.topic.counters;
        Connection connection = subscription.connection;
        TopicLog.Run run = log.run(subscription.cursor, before);
        Write write = write(connection, run);
        count(run.messageCount());
        advance(subscription, run);
        switch (write) {
            case WRITTEN -> counters.delivered(run.messages());
            case IN_FLIGHT ->
                stalled.add(connection, new InFlight(counters, run.messages().clone(), false, null), run.segment());
            case CLOSED -> counters.shed(ShedReason.DISCONNECTED, run.messages());
        }
        if (write != Write.WRITTEN) {
            fallBehind(subscription);
            return false;
        }
        return true;
    }

    /** Most sockets take all at once: then the log needn't be shared with the transport. */
    private static Write write(Connection connection, TopicLog.Run run) {
        int taken = run.writeNowTo(connection);
        return taken == run.length() ? Write.WRITTEN : connection.write(run.slice(taken));
    }

    /** Takes the buffer. */
    private static Write write(Connection connection, ByteBuf run) {
        int length = run.readableBytes();
        int taken = length;
        try {
            taken = connection.writeNow(run, run.readerIndex(), length);
        } finally {
            // Also after a bug.
            if (taken == length) {
                run.release();
            }
        }
        return taken == length ? Write.WRITTEN : connection.write(run.skipBytes(taken));
    }

    private void count(int messages) {
        slice.wrote();
        socketWrites++;
        messagesWritten += messages;
    }

    private static void advance(Subscription subscription, TopicLog.Run run) {
        subscription.cursor = run.toFrame();
        if (run.toOffset() != TopicLog.NO_OFFSET) {
            subscription.offset = run.toOffset();
        }
        if (subscription.messagesBefore != null) {
            for (int i = 0; i < subscription.messagesBefore.length; i++) {
                subscription.messagesBefore[i] += run.messages()[i];
            }
            subscription.hiddenToldBefore += run.hidden();
        }
    }

    void fallBehind(Subscription subscription) {
        if (!subscription.isBehind()) {
            TopicLog log = subscription.stream.log;
            long[] before = new long[NamespaceCounters.PRIORITIES];
            log.messagesBefore(subscription.cursor, before);
            subscription.messagesBefore = before;
            subscription.hiddenToldBefore = log.hiddenToldBefore(subscription.cursor);
            subscription.stream.subscriptions.toBehind(subscription);
            behind++;
        }
    }

    private void catchUp(Subscription subscription) {
        if (subscription.isBehind()) {
            subscription.messagesBefore = null;
            subscription.stream.subscriptions.toCaughtUp(subscription);
            behind--;
            onCaughtUp.accept(subscription.stream);
        }
    }

    /** A subscription has left its stream while it was behind. */
    void forgetBehind() {
        behind--;
    }

    // ---------------------------------------------------------------- off the log

    /** Lets one that has fallen off the log go on elsewhere; false if it was closed instead. */
    private boolean lap(Subscription subscription) {
        Stream stream = subscription.stream;
        Topic topic = stream.topic;
        if (!subscription.isBehind()) {
            throw new IllegalStateException("one that keeps up fell off the log of " + topic.name);
        }
        // The log was dropped for want of memory, not because it is long ago: the node may still have all of it.
        boolean near = stream.level == AttentionLevel.FULL
                && topic.lastOffset - subscription.offset <= topic.rules.maxFrames();
        if (!near && topic.rules.reliable() && stream.level == AttentionLevel.FULL) {
            closeSlow(subscription);
            return false;
        }
        // What told of them may be among the frames that it leaps over; so may what follows.
        topic.tellRetracted(subscription.connection, subscription.offset);
        leap(
                subscription,
                near ? stream.log.firstFrame() : stream.log.resumeFrame(),
                near,
                stream.level == AttentionLevel.FULL ? ShedReason.BEHIND : ShedReason.ATTENTION,
                false);
        if (stream.level == AttentionLevel.FULL) {
            topic.tellValuesMissed(subscription.connection);
            topic.tellMembersMissed(subscription.connection);
        }
        topic.tellOnline(subscription.connection);
        return true;
    }

    private static void closeSlow(Subscription subscription) {
        subscription.connection.close(CloseCode.SLOW_CONSUMER, CloseCode.SLOW_CONSUMER.wire());
    }

    /** Passes over stale frames: what is fresh in them comes from the past, the others are told as a gap. */
    private void passOver(Subscription subscription) {
        TopicLog log = subscription.stream.log;
        boolean mayLoseUrgent = !subscription.stream.topic.rules.reliable();
        // Those that the past hasn't any more may have been fresh.
        leap(subscription, log.freshFrom(subscription.cursor, loop.nanoTime()), true, ShedReason.BEHIND, mayLoseUrgent);
    }

    /** Moves the cursor on to a frame; what lies between is owed still, and becomes a replay. */
    private static void leap(
            Subscription subscription, long frame, boolean everything, ShedReason reason, boolean mayLoseUrgent) {
        TopicLog log = subscription.stream.log;
        long[] before = java.util.Objects.requireNonNull(subscription.messagesBefore, "only those behind leap");
        long[] owed = new long[before.length];
        log.messagesBefore(frame, owed);
        for (int i = 0; i < owed.length; i++) {
            long beforeFrame = owed[i];
            owed[i] -= before[i];
            before[i] = beforeFrame;
        }
        long hidden = log.hiddenToldBefore(frame) - subscription.hiddenToldBefore;
        subscription.hiddenToldBefore += hidden;
        subscription.cursor = frame;
        // Where no messages are given, the log covers no offsets, and what lies between is nobody's to be told.
        long through =
                subscription.stream.level == AttentionLevel.COUNTS ? subscription.offset : log.offsetBefore(frame);
        subscription.replay = new Replay(through, everything, reason, mayLoseUrgent, owed, hidden);
    }

    /** Writes the next piece of a replay; false if the connection takes no more, or is closed. */
    private boolean writePast(Subscription subscription, Replay replay) {
        NamespaceCounters counters = subscription.stream.topic.counters;
        Connection connection = subscription.connection;
        ByteBuf piece = readPast(subscription, replay);
        if (piece == null) {
            return false;
        }
        int length = piece.readableBytes();
        Write write = write(connection, piece);
        count(past.messageCount());
        subscription.offset = past.through();
        replay.took(past, counters);
        switch (write) {
            case WRITTEN -> {
                if (replay.owed != null) {
                    counters.delivered(past.messages());
                } else {
                    counters.replayed += past.messageCount();
                }
            }
            case IN_FLIGHT ->
                stalled.add(
                        connection, new InFlight(counters, past.messages().clone(), replay.owed == null, null), length);
            case CLOSED -> {
                if (replay.owed != null) {
                    counters.shed(ShedReason.DISCONNECTED, past.messages());
                }
            }
        }
        if (subscription.offset >= replay.through) {
            end(subscription, replay);
        }
        return write == Write.WRITTEN;
    }

    /** Gives the next piece of a replay; null if there is no memory for it now, or if the connection is closed instead. */
    private @Nullable ByteBuf readPast(Subscription subscription, Replay replay) {
        ByteBuf piece = null;
        boolean taken = false;
        try {
            piece = past.allocate();
            if (past.read(subscription, replay, piece) == ReplayReader.Outcome.LOST) {
                closeSlow(subscription);
                return null;
            }
            taken = true;
            return piece;
        } catch (OutOfMemoryError e) {
            // Nothing has been written of it: it is read anew in a turn to come.
            outOfMemory = true;
            return null;
        } finally {
            if (piece != null && !taken) {
                piece.release();
            }
        }
    }

    /** A replay is over: what it owed and didn't give is shed. */
    private static void end(Subscription subscription, Replay replay) {
        Topic topic = subscription.stream.topic;
        replay.shedRest(topic.counters, replay.reason);
        if (replay.hidden > 0) {
            subscription.connection.send(new ServerFrame.Hidden(topic.name, replay.hidden));
        }
        subscription.replay = null;
    }

    // ---------------------------------------------------------------- connections with several topics

    /** Has a connection written to when all topics have been walked. */
    void touch(Connection connection) {
        if (!connection.touched) {
            connection.touched = true;
            touched.add(connection);
        }
    }

    void writeTouched() {
        while (!touched.isEmpty() && !slice.isOver()) {
            Connection connection = touched.remove();
            connection.touched = false;
            if (!connection.gone) {
                try {
                    writeAll(connection);
                } catch (RuntimeException | OutOfMemoryError e) {
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
            if (subscription.isBehind() || subscription.cursor == subscription.stream.log.headFrame()) {
                continue;
            }
            if (connection.inFlight != null) {
                fallBehind(subscription);
            } else if (!deliver(subscription)) {
                resumeLater(connection);
            }
        }
    }

    private void collectUnread(Connection connection) {
        merging.clear();
        mergingBytes = 0;
        for (int i = 0; i < connection.subscriptions.size(); i++) {
            Subscription subscription = connection.subscriptions.get(i);
            TopicLog log = subscription.stream.log;
            if (subscription.isBehind() || subscription.cursor == log.headFrame()) {
                continue;
            }
            if (log.canBeStale() && log.staleFrom(subscription.cursor, loop.nanoTime()) < log.headFrame()) {
                // In a window that isn't over yet: its own walk would have found it.
                fallBehind(subscription);
                resumeLater(connection);
            } else {
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
            TopicLog.Run run = subscription.stream.log.run(subscription.cursor);
            run.copyTo(merged);
            messages += run.messageCount();
        }
        Write write = write(connection, merged);
        count(messages);
        InFlight inFlight = null;
        for (int i = 0; i < merging.size(); i++) {
            Subscription subscription = merging.get(i);
            NamespaceCounters counters = subscription.stream.topic.counters;
            TopicLog.Run run = subscription.stream.log.run(subscription.cursor);
            advance(subscription, run);
            switch (write) {
                case WRITTEN -> counters.delivered(run.messages());
                case IN_FLIGHT ->
                    inFlight = new InFlight(counters, run.messages().clone(), false, inFlight);
                case CLOSED -> counters.shed(ShedReason.DISCONNECTED, run.messages());
            }
            if (write != Write.WRITTEN) {
                fallBehind(subscription);
            }
        }
        if (inFlight != null) {
            stalled.add(connection, inFlight, mergingBytes);
        }
        merging.clear();
    }

    // ---------------------------------------------------------------- connections that are behind

    /** A connection may take more: it is served in a turn to come. */
    void resumeLater(Connection connection) {
        if (!connection.resuming) {
            connection.resuming = true;
            resuming.add(connection);
        }
    }

    /** Serves connections whose sockets take more again; while others wait, with so much of the slice as is above the floor. */
    void resume(int floor) {
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
                if (slice.writesLeft() <= floor || slice.isOver()) {
                    return false;
                }
                connection.nextToServe = index + 1;
                if (!serve(subscription) || outOfMemory) {
                    return false;
                }
            }
        }
        return true;
    }
}
