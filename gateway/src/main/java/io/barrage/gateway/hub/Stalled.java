package io.barrage.gateway.hub;

import io.barrage.gateway.hub.Connection.InFlight;
import io.barrage.protocol.CloseCode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The connections whose sockets have not taken all that was written, as far as is known, and what memory they hold by it.
 *
 * <p>Confined to its event loop.
 */
final class Stalled implements Iterable<Connection> {
    private final Loop loop;
    private final SegmentStore store;
    private final List<Connection> all = new ArrayList<>();
    /** In private copies that their sockets hold. */
    private long copiedBytes;

    Stalled(Loop loop, SegmentStore store) {
        this.loop = loop;
        this.store = store;
    }

    /** A connection's socket holds {@code inFlight}, a slice of {@code segment}. */
    void add(Connection connection, InFlight inFlight, Segment segment) {
        connection.holding = segment;
        add(connection, inFlight);
    }

    /** A connection's socket holds {@code inFlight}, a private copy of so many bytes. */
    void add(Connection connection, InFlight inFlight, int copy) {
        connection.holdingCopy = copy;
        copiedBytes += copy;
        add(connection, inFlight);
    }

    private void add(Connection connection, InFlight inFlight) {
        connection.inFlight = inFlight;
        connection.stalledSinceNanos = loop.nanoTime();
        connection.stalledIndex = all.size();
        all.add(connection);
    }

    void remove(Connection connection) {
        connection.inFlight = null;
        forgetHeld(connection);
        Connection last = all.remove(all.size() - 1);
        if (last != connection) {
            all.set(connection.stalledIndex, last);
            last.stalledIndex = connection.stalledIndex;
        }
        connection.stalledIndex = -1;
    }

    private void forgetHeld(Connection connection) {
        connection.holding = null;
        copiedBytes -= connection.holdingCopy;
        connection.holdingCopy = 0;
    }

    int size() {
        return all.size();
    }

    @Override
    public Iterator<Connection> iterator() {
        return all.iterator();
    }

    /** Memory that nothing but stalled sockets holds. */
    long pinnedBytes() {
        return store.pinnedBytes() + copiedBytes;
    }

    /** Closes the one that has pinned memory for longest; false if there is none, or if that one will let go of it later. */
    boolean closeOldest() {
        Connection oldest = null;
        for (Connection connection : all) {
            if (pins(connection) && (oldest == null || connection.stalledSinceNanos - oldest.stalledSinceNanos < 0)) {
                oldest = connection;
            }
        }
        if (oldest == null) {
            return false;
        }
        oldest.close(CloseCode.SLOW_CONSUMER, CloseCode.SLOW_CONSUMER.wire());
        if (oldest.heldBytes() > 0) {
            // On io_uring the kernel has it still. The next one isn't closed before that is over.
            return false;
        }
        // The transport has let go, and tells later that the connection is gone.
        forgetHeld(oldest);
        return true;
    }

    private static boolean pins(Connection connection) {
        return connection.holdingCopy > 0 || (connection.holding != null && connection.holding.pinned);
    }

    /** The stream whose log has waited for longest for one that is stalled, and isn't waited for by those that keep up. */
    @Nullable
    Stream oldestUnread() {
        Stream found = null;
        long since = 0;
        for (Connection connection : all) {
            if (found == null || connection.stalledSinceNanos - since < 0) {
                for (Subscription subscription : connection.subscriptions) {
                    Stream stream = subscription.stream;
                    // One whose walk waits has frames that those which keep up have still to read.
                    boolean waits = stream.wait != null || stream.inRing;
                    if (subscription.isBehind() && !stream.log.isEmpty() && !waits) {
                        found = stream;
                        since = connection.stalledSinceNanos;
                    }
                }
            }
        }
        return found;
    }
}
