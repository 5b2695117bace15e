package io.barrage.gateway.hub;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams that have something for those of their readers that keep up. They take turns: a walk visits each reader once and
 * writes it all that it hasn't read, and a long walk is cut where the slice ends.
 *
 * <p>Confined to its event loop.
 */
final class Walks {
    /** Walks of one slice that there was no memory for: no more are tried. */
    private static final int MAX_STARVED = 16;

    private static final Logger logger = LoggerFactory.getLogger(Walks.class);

    private final Loop loop;
    private final Slice slice;
    private final Coalescing coalescing;
    private final Delivery delivery;
    private final Settling settling;
    private final HubListener listener;
    private final ArrayDeque<Stream> ring = new ArrayDeque<>();
    /** Streams whose walk had no memory: they go back to the ring when some may be free. */
    private final ArrayDeque<Stream> starved = new ArrayDeque<>();
    /** Streams whose walks have ended while some of their readers were still to be written to, with other topics. */
    private final ArrayDeque<Stream> unreported = new ArrayDeque<>();

    /** Streams that may have something which somebody hasn't read. */
    private final List<Stream> unread = new ArrayList<>();

    /** The stream that must be walked before more may be appended, since those that keep up would fall off its log. */
    private @Nullable Stream saturated;

    /** A stream's walk, the one under way or the last. Confined to its event loop. */
    static final class Walk {
        /** While it is under way: the index that it visits next is below; -1 otherwise. */
        private int at = -1;
        /** The head when it began. */
        private long target;

        private long targetPosition;
        private long startNanos;
        /** Whether some of what it brings was stale when it began. */
        private boolean isStale;
        /** The frames of walks that have ended and aren't reported yet: the first one, -1 without, and the one behind the last. */
        private long reportFrom = -1;

        private long reportTo;
    }

    Walks(Loop loop, Slice slice, Coalescing coalescing, Delivery delivery, Settling settling, HubListener listener) {
        this.loop = loop;
        this.slice = slice;
        this.coalescing = coalescing;
        this.delivery = delivery;
        this.settling = settling;
        this.listener = listener;
    }

    /** Whether no stream waits for a walk, other than those whose window isn't over, and those that memory is short for. */
    boolean isEmpty() {
        return ring.isEmpty();
    }

    /** Whether a walk must come before more may be appended: until then the queue waits, and its bound is the publishers'. */
    boolean mustComeFirst() {
        if (saturated != null && !isSaturated(saturated)) {
            saturated = null;
        }
        return saturated != null;
    }

    private static boolean isSaturated(Stream stream) {
        return stream.inRing && stream.log.isHalfUnread();
    }

    /** A stream has something for its connections: to be walked now, or when its window is over. */
    void ready(Stream stream) {
        if (!stream.unread) {
            stream.unread = true;
            unread.add(stream);
        }
        if (!stream.inRing && stream.wait == null && !coalescing.holds(stream)) {
            enter(stream);
        }
    }

    /** A stream has grown, by what may be much. */
    void grown(Stream stream) {
        ready(stream);
        if (stream.wait != null && stream.log.isHalfUnread()) {
            // Better early than off the log.
            endWait(stream);
        }
        if (isSaturated(stream)) {
            saturated = stream;
        }
    }

    /** A stream doesn't wait for the end of its window any more. */
    void endWait(Stream stream) {
        Coalescing.forget(stream);
        enter(stream);
    }

    private void enter(Stream stream) {
        stream.inRing = true;
        ring.add(stream);
    }

    /** Takes up the streams whose windows are over. */
    void endWaits() {
        for (Stream stream = coalescing.pollDue(); stream != null; stream = coalescing.pollDue()) {
            enter(stream);
        }
    }

    /** Whether there was no memory for the walk of a stream, which waits for {@link #retry}. */
    boolean isOutOfMemory() {
        return !starved.isEmpty();
    }

    /** Has those walk again that there was no memory for. */
    void retry() {
        for (Stream stream = starved.poll(); stream != null; stream = starved.poll()) {
            ring.add(stream);
        }
    }

    /** A stream is closed. */
    void remove(Stream stream) {
        if (saturated == stream) {
            saturated = null;
        }
        Coalescing.forget(stream);
    }

    /** How many streams may have something that somebody hasn't read. */
    int unread() {
        return unread.size();
    }

    /** Adds what is owed and no socket holds, counted anew from the cursors. */
    void addInFlight(HubSnapshot.Builder snapshot) {
        for (int i = unread.size() - 1; i >= 0; i--) {
            Stream stream = unread.get(i);
            if (stream.closed || stream.isRead()) {
                stream.unread = false;
                unread.set(i, unread.get(unread.size() - 1));
                unread.remove(unread.size() - 1);
            } else {
                stream.addInFlight(snapshot.inFlight(stream.topic.counters.namespace));
            }
        }
    }

    /** Walks the streams, for as long as the slice lasts. */
    void walk() {
        while (!ring.isEmpty() && !slice.isOver() && starved.size() < MAX_STARVED) {
            Stream stream = ring.element();
            if (stream.closed) {
                ring.remove();
                continue;
            }
            boolean done;
            try {
                done = walk(stream);
            } catch (OutOfMemoryError e) {
                // Still inRing: those that keep up have still to read its log.
                walkOf(stream).at = -1;
                starved.add(ring.remove());
                continue;
            } catch (RuntimeException e) {
                ring.remove();
                abandon(stream, e);
                continue;
            }
            ring.remove();
            if (walkOf(stream).at >= 0) {
                ring.add(stream);
                continue;
            }
            stream.inRing = false;
            if (done) {
                settling.add(stream);
            } else {
                ready(stream);
            }
        }
    }

    /** Ends a walk that a bug of ours has broken, and would break again: its readers are served one by one, as if they were behind. */
    private void abandon(Stream stream, RuntimeException bug) {
        logger.error("A topic's walk failed by a bug of ours. topic={}", stream.topic.name, bug);
        stream.inRing = false;
        walkOf(stream).at = -1;
        SubscriptionList list = stream.subscriptions;
        for (int at = list.caughtUp(); at > 0; ) {
            Subscription subscription = list.get(--at);
            if (subscription.cursor < stream.log.headFrame()) {
                delivery.fallBehind(subscription);
                delivery.resumeLater(subscription.connection);
            }
        }
        settling.add(stream);
    }

    private static Walk walkOf(Stream stream) {
        if (stream.walk == null) {
            stream.walk = new Walk();
        }
        return stream.walk;
    }

    /** Walks a stream, or walks it on; true if all that have kept up have read all, or wait in the touched list. */
    private boolean walk(Stream stream) {
        SubscriptionList list = stream.subscriptions;
        TopicLog log = stream.log;
        Walk walk = walkOf(stream);
        if (walk.at < 0) {
            begin(walk, stream);
        }
        boolean others = ring.size() > 1;
        int at = Math.min(walk.at, list.caughtUp());
        while (at > 0) {
            if (slice.isOver()) {
                walk.at = at;
                return false;
            }
            Subscription subscription = list.get(--at);
            if (subscription.cursor == log.headFrame()) {
                continue;
            }
            Connection connection = subscription.connection;
            if (walk.isStale || connection.inFlight != null) {
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
        walk.at = -1;
        ended(walk, stream);
        coalescing.walked(stream, walk.startNanos);
        log.readTo(walk.target, walk.targetPosition);
        return log.headFrame() == walk.target && !stream.hasBatch();
    }

    private void begin(Walk walk, Stream stream) {
        TopicLog log = stream.log;
        stream.seal();
        walk.at = stream.subscriptions.caughtUp();
        walk.target = log.headFrame();
        walk.targetPosition = log.headPosition();
        walk.startNanos = loop.nanoTime();
        walk.isStale = log.canBeStale()
                && log.staleFrom(Math.max(log.readTo(), log.firstFrame()), walk.startNanos) < log.headFrame();
    }

    /** A stream's walk has ended: that is reported when all have been written to. */
    private void ended(Walk walk, Stream stream) {
        if (!stream.topic.isReportedBy(stream)) {
            return;
        }
        if (walk.reportFrom < 0) {
            walk.reportFrom = stream.log.readTo();
            unreported.add(stream);
        }
        walk.reportTo = walk.target;
        reportFanOut();
    }

    /** Reports the walks that have ended, unless some are still to be written to: to be called before logs are settled. */
    void reportFanOut() {
        if (!delivery.hasTouched()) {
            for (Stream stream = unreported.poll(); stream != null; stream = unreported.poll()) {
                report(stream);
            }
        }
    }

    private void report(Stream stream) {
        TopicLog log = stream.log;
        Walk walk = walkOf(stream);
        long now = loop.nanoTime();
        long from = Math.max(walk.reportFrom, log.firstFrame());
        walk.reportFrom = -1;
        for (long frame = from; frame < walk.reportTo; frame++) {
            long accepted = log.acceptedNanos(frame);
            if (accepted != 0) {
                listener.fannedOut(now - accepted);
            }
        }
    }
}
