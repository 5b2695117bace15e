package io.barrage.gateway.hub;

import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.netty.buffer.ByteBuf;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client, whatever its transport, as the hub sees it: something that takes runs of frames, one at a time.
 *
 * <p>Confined to its event loop. A transport extends it, writes what it is given, and calls {@link #drained} and {@link #gone}.
 */
public abstract class Connection {
    /** What became of a run. */
    public enum Write {
        /** The kernel has it: the next may follow. */
        WRITTEN,
        /** The transport still holds some of it: nothing more until {@link Connection#drained}. */
        IN_FLIGHT,
        /** The connection is closed, and the run is lost with it. */
        CLOSED
    }

    private final HubShard shard;
    private Encoding encoding = Encoding.PLAIN;

    /** Its subscriptions, in the order in which they were made. */
    final List<Subscription> subscriptions = new ArrayList<>(1);

    /** What the transport holds of each topic; null when it holds nothing. */
    @Nullable
    InFlight inFlight;

    /** The segment that the transport holds a slice of; null when it holds nothing, or a copy. */
    @Nullable
    Segment holding;

    /** Bytes of the copy that the transport holds, if what is in flight is one. */
    int holdingCopy;

    /** Its place among the shard's stalled connections, -1 if it isn't there. */
    int stalledIndex = -1;

    long stalledSinceNanos;

    /** Whether it waits in the shard's list of connections that have several topics to write. */
    boolean touched;

    /** Whether it waits to be served after it has drained. */
    boolean resuming;

    /** Which subscription is served first after it has drained, so that one busy topic doesn't starve the others. */
    int nextToServe;

    /** Its place among the shard's connections, -1 before and after. */
    int shardIndex = -1;

    boolean gone;

    final long openedNanos;

    /** Messages of one topic that the transport holds; several in a row if one write had several topics. */
    static final class InFlight {
        final NamespaceCounters counters;
        final int[] messages;
        /** Whether they are of the past, and not owed. */
        final boolean replayed;

        final @Nullable InFlight next;

        InFlight(NamespaceCounters counters, int[] messages, boolean replayed, @Nullable InFlight next) {
            this.counters = counters;
            this.messages = messages;
            this.replayed = replayed;
            this.next = next;
        }
    }

    @SuppressWarnings("this-escape") // The shard only keeps it, on this thread.
    protected Connection(HubShard shard) {
        this.shard = shard;
        this.openedNanos = shard.loop().nanoTime();
        shard.register(this);
    }

    /** The shard that owns it. */
    protected final HubShard shard() {
        return shard;
    }

    /** Which frames it reads; to be said before its first subscription, else {@link Encoding#PLAIN}. */
    protected final void encoding(Encoding encoding) {
        if (!subscriptions.isEmpty()) {
            throw new IllegalStateException(
                    "a connection with " + subscriptions.size() + " subscriptions can't change to " + encoding);
        }
        this.encoding = encoding;
    }

    /** Which frames it reads. */
    final Encoding encoding() {
        return encoding;
    }

    /** Its subscription to a topic, null if it isn't on it. */
    final @Nullable Subscription subscriptionTo(TopicName topic) {
        for (int i = 0; i < subscriptions.size(); i++) {
            Subscription subscription = subscriptions.get(i);
            if (subscription.stream.topic.name.equals(topic)) {
                return subscription;
            }
        }
        return null;
    }

    /** What clients may do has changed: it is the connection's to find out whether it may still be where it is. */
    protected void rulesChanged() {}

    /** A backend has taken it off a topic. */
    protected void takenOff(TopicName topic) {}

    /** Its name in {@code welcome}, in logs and lists. */
    public abstract String id();

    /** Its number on this node, which grows with each that is opened. */
    public abstract long number();

    /** Its user's name, null if it has none. */
    public abstract @Nullable String user();

    /** What others may be told of its user, as one JSON value; null for nothing. */
    public abstract @Nullable String info();

    /** Where its peer is, null if that isn't known any more. */
    public abstract @Nullable SocketAddress address();

    /** What carries it, as in metrics: {@code websocket}. */
    public abstract String transport();

    /** Bytes that the transport holds for it, frames of its own among them. */
    protected abstract long heldBytes();

    /** How many topics it is on. */
    public final int subscriptionCount() {
        return subscriptions.size();
    }

    /** The topics that it is on, in the order in which it came to them; the list is the caller's. */
    public final List<TopicName> topics() {
        List<TopicName> topics = new ArrayList<>(subscriptions.size());
        subscriptions.forEach(subscription -> topics.add(subscription.stream.topic.name));
        return topics;
    }

    /** Whether a run is in the transport's hands. */
    protected final boolean isInFlight() {
        return inFlight != null;
    }

    /**
     * Has the kernel take what it can of a run at once, past all that stands between; called while nothing is in flight.
     *
     * @param from borrowed: nothing of it is held afterwards
     * @return how many bytes it took; 0 too where the transport has no such way or holds something, and {@link #write} is the one
     */
    protected int writeNow(ByteBuf from, int index, int length) {
        return 0;
    }

    /**
     * Hands a run to the transport. Never calls back into the hub: what happens meanwhile is told afterwards.
     *
     * @param run whole frames; taken
     */
    protected abstract Write write(ByteBuf run);

    /** Sends a frame of the connection's own, behind what is in flight. */
    public abstract void send(ServerFrame frame);

    /** Sends a topic's value, like a frame of its own. */
    public abstract void send(TopicValue value);

    /**
     * Gives a message that is hidden from all others back to its sender, like a frame of its own; drops it if too many of those
     * wait: the sender's other connections may be a hundred that don't read.
     *
     * @param frame a whole frame, which others may get, too: not to be changed
     */
    public abstract void giveBack(byte[] frame);

    /** Closes with a code, after which {@link #gone} comes in time; does nothing if it is closed already. */
    public abstract void close(CloseCode code, String reason);

    /** For the transport: all that it held is written, {@link Write#IN_FLIGHT} is over. */
    protected final void drained() {
        shard.drained(this);
    }

    /** For the transport: the connection has ended. Ends its subscriptions. */
    protected final void gone() {
        shard.gone(this);
    }
}
