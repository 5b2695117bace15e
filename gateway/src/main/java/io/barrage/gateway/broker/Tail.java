package io.barrage.gateway.broker;

import io.barrage.gateway.broker.Broker.Past;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A topic's recent messages on this node, by reference: what those recover from who come back, and what those go on from whom an
 * event loop's log has dropped. All loops share it; the logs are its encoded cache.
 *
 * <p>It keeps what is in the topic's history, and while somebody listens, what a topic log may hold; besides, with a bound of their
 * own, the messages of priority high and critical.
 *
 * <p>Not thread-safe: used under its topic's lock.
 */
final class Tail {
    /** The part of a topic log's bounds that high and critical messages may take on top. */
    private static final int URGENT_PART = 4;

    /** Urgent messages that are kept however small the log is. */
    private static final int MIN_URGENT = 64;

    /** How long messages are kept for the sake of a log alone. */
    private static final long LOG_LIFE_NANOS = 600_000_000_000L;

    private final NamespaceConfig rules;
    private final Memory memory;

    // A ring by offset: it has those from first to next - 1.
    private @Nullable Message[] ring = {};
    private long first;
    private long next;
    private long bytes;

    private final ArrayDeque<Message> urgent = new ArrayDeque<>(0);
    private long urgentBytes;
    /** Urgent messages up to this offset are gone; all behind it are there. */
    private long urgentGone;

    /** The bytes of all tails of a node, and their bound. Thread-safe. */
    static final class Memory {
        private final long maxBytes;
        private final AtomicLong bytes = new AtomicLong();

        Memory(long maxBytes) {
            this.maxBytes = maxBytes;
        }

        /** Bytes of all messages in all tails now; an estimate from above. */
        long bytes() {
            return bytes.get();
        }
    }

    /** @param head the offset of the topic's last message; what comes before isn't kept */
    Tail(NamespaceConfig rules, Memory memory, long head) {
        this.rules = rules;
        this.memory = memory;
        this.first = head + 1;
        this.next = head + 1;
        this.urgentGone = head;
    }

    /** Whether a namespace's topics need a tail while nobody listens. */
    static boolean isNeededAlways(NamespaceConfig rules) {
        return rules.history().size() > 0;
    }

    /** Adds the topic's next message. */
    void add(Message message, boolean hasListeners, long nowNanos) {
        long before = bytes + urgentBytes;
        if (next - first == ring.length) {
            grow();
        }
        ring[slot(next)] = message;
        next++;
        bytes += message.weight();
        if (hasListeners && message.priority().compareTo(Priority.HIGH) >= 0) {
            urgent.add(message);
            urgentBytes += message.weight();
        } else if (!hasListeners) {
            urgentGone = message.offset();
        }
        trim(hasListeners, nowNanos);
        if (memory.bytes.get() > memory.maxBytes) {
            // Two for one: the topics that grow give back what there is too much of.
            drop();
            drop();
        }
        account(before);
    }

    private void account(long before) {
        long change = bytes + urgentBytes - before;
        if (change != 0) {
            memory.bytes.addAndGet(change);
        }
    }

    private void grow() {
        @Nullable Message[] larger = new Message[Math.max(8, ring.length * 2)];
        for (long offset = first; offset < next; offset++) {
            larger[(int) (offset & (larger.length - 1))] = ring[slot(offset)];
        }
        ring = larger;
    }

    private int slot(long offset) {
        return (int) (offset & (ring.length - 1));
    }

    private Message at(long offset) {
        Message message = ring[slot(offset)];
        if (message == null) {
            throw new IllegalStateException("no message " + offset + " in [" + first + ", " + next + ")");
        }
        return message;
    }

    private void trim(boolean hasListeners, long nowNanos) {
        while (first < next && !isKept(at(first), hasListeners, nowNanos)) {
            drop();
        }
        int maxUrgent = Math.max(MIN_URGENT, rules.log().size() / URGENT_PART);
        long maxUrgentBytes = rules.log().bytes().bytes() / URGENT_PART;
        while (urgent.size() > maxUrgent || (urgentBytes > maxUrgentBytes && urgent.size() > 1)) {
            Message oldest = urgent.remove();
            urgentBytes -= oldest.weight();
            urgentGone = oldest.offset();
        }
    }

    private boolean isKept(Message message, boolean hasListeners, long nowNanos) {
        long age = nowNanos - message.acceptedNanos();
        long count = next - message.offset();
        if (count <= rules.history().size() && age <= rules.history().ttl().toNanos()) {
            return true;
        }
        return hasListeners
                && count <= rules.log().size()
                && bytes <= rules.log().bytes().bytes()
                && age <= LOG_LIFE_NANOS;
    }

    private void drop() {
        if (first < next) {
            bytes -= at(first).weight();
            ring[slot(first)] = null;
            first++;
        }
    }

    /** Drops what has had its time. */
    void sweep(boolean hasListeners, long nowNanos) {
        long before = bytes + urgentBytes;
        trim(hasListeners, nowNanos);
        while (!urgent.isEmpty() && nowNanos - urgent.element().acceptedNanos() > LOG_LIFE_NANOS) {
            Message oldest = urgent.remove();
            urgentBytes -= oldest.weight();
            urgentGone = oldest.offset();
        }
        if (first == next && ring.length > 0) {
            ring = new Message[0];
        }
        account(before);
    }

    /** Drops what was kept for listeners alone: the last one has gone. */
    void forgetListeners(long nowNanos) {
        long before = bytes + urgentBytes;
        urgent.clear();
        urgentBytes = 0;
        urgentGone = next - 1;
        account(before);
        sweep(false, nowNanos);
    }

    boolean isEmpty() {
        return first == next;
    }

    /** Offset of the oldest message that is kept, or of the next one if none is. */
    long oldest() {
        return first;
    }

    /** Offset of the oldest message of the topic's history, or of the next one if there is none. */
    long oldestOfHistory(long nowNanos) {
        int size = rules.history().size();
        long ttl = rules.history().ttl().toNanos();
        long oldest = Math.max(first, next - size);
        while (oldest < next && nowNanos - at(oldest).acceptedNanos() > ttl) {
            oldest++;
        }
        return oldest;
    }

    /** As {@link Broker.Attachment#past}. */
    Past read(long after, long through, int maxBytes) {
        List<Message> found = new ArrayList<>();
        long end = after;
        if (after + 1 >= first) {
            int taken = 0;
            while (end < Math.min(through, next - 1) && taken < maxBytes) {
                end++;
                Message message = at(end);
                found.add(message);
                taken += message.weight();
            }
        }
        return new Past(found, end);
    }

    /** The offset up to which high and critical messages may be missing in {@link #readUrgent}. */
    long urgentGone() {
        return urgentGone;
    }

    /** As {@link Broker.Attachment#urgentPast}. */
    Past readUrgent(long after, long through, int maxBytes) {
        List<Message> found = new ArrayList<>();
        int taken = 0;
        for (Message message : urgent) {
            if (message.offset() > through) {
                break;
            }
            if (message.offset() > after) {
                found.add(message);
                taken += message.weight();
                if (taken >= maxBytes) {
                    return new Past(found, message.offset());
                }
            }
        }
        return new Past(found, through);
    }
}
