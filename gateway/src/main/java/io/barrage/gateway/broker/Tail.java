package io.barrage.gateway.broker;

import io.barrage.gateway.broker.Broker.Past;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A topic's recent messages on this node, by reference: what those recover from who come back, and what those go on from whom an
 * event loop's log has dropped. All loops share it; the logs are its encoded cache.
 *
 * <p>It keeps what is in the topic's history, and while somebody listens, what a topic log may hold; besides, with a bound of their
 * own, the messages of priority high and critical. All tails together have a bound, too.
 *
 * <p>Not thread-safe: used under its topic's lock.
 */
final class Tail {
    /** The part of a topic log's bounds that high and critical messages may take on top. */
    private static final int URGENT_PART = 4;

    /** Urgent messages that are kept however small the log is. */
    private static final int MIN_URGENT = 64;

    /** How long messages are kept for the sake of a log alone. */
    static final long LOG_LIFE_NANOS = 600_000_000_000L;

    private NamespaceConfig rules;
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
    /** The history begins here at the earliest: what came before was cleared from it. */
    private long historyFrom;

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
        this.historyFrom = head + 1;
    }

    /** Other rules from now on; what they don't keep goes. */
    void reconfigure(NamespaceConfig changed, boolean hasListeners, long nowNanos) {
        rules = changed;
        sweep(hasListeners, nowNanos);
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
        account(before);
        giveBack();
    }

    /** Drops what all tails together have too much of: the topics that grow give it back. */
    private void giveBack() {
        if (memory.bytes.get() <= memory.maxBytes) {
            return;
        }
        long before = bytes + urgentBytes;
        long mayHave = before - (memory.bytes.get() - memory.maxBytes);
        // Two for one at least, so that those that are new find room.
        for (int dropped = 0; bytes + urgentBytes > (dropped < 2 ? 0 : Math.max(0, mayHave)); dropped++) {
            // Of what there is more, so that neither is lost for the other's sake.
            if (urgentBytes > bytes) {
                dropUrgent();
            } else {
                drop();
            }
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

    /** The message at an offset from {@link #oldest} on, up to the topic's last. */
    Message at(long offset) {
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
            dropUrgent();
        }
    }

    private boolean isKept(Message message, boolean hasListeners, long nowNanos) {
        long age = nowNanos - message.acceptedNanos();
        long count = next - message.offset();
        if (message.offset() >= historyFrom
                && count <= rules.history().size()
                && age <= rules.history().ttl().toNanos()) {
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

    private void dropUrgent() {
        Message oldest = urgent.remove();
        urgentBytes -= oldest.weight();
        urgentGone = oldest.offset();
    }

    /** Drops what has had its time. */
    void sweep(boolean hasListeners, long nowNanos) {
        long before = bytes + urgentBytes;
        trim(hasListeners, nowNanos);
        while (!urgent.isEmpty() && nowNanos - urgent.element().acceptedNanos() > LOG_LIFE_NANOS) {
            dropUrgent();
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

    /** Takes all that there is out of the history; what is kept for listeners stays. */
    void clearHistory(boolean hasListeners, long nowNanos) {
        historyFrom = next;
        sweep(hasListeners, nowNanos);
    }

    /** Whether a message is kept as a place only. */
    boolean isRetracted(long offset) {
        return offset >= first && offset < next && at(offset).isRetracted();
    }

    /** Puts places where messages are, and lets go of what they said. */
    void retract(List<Long> offsets) {
        long before = bytes + urgentBytes;
        for (long offset : offsets) {
            if (offset >= first && offset < next) {
                Message message = at(offset);
                Message place = message.retracted();
                ring[slot(offset)] = place;
                bytes += place.weight() - message.weight();
            }
        }
        if (!urgent.isEmpty()) {
            Set<Long> gone = new HashSet<>(offsets);
            // An ArrayDeque has no way to put one in another's place.
            for (int i = urgent.size(); i > 0; i--) {
                Message message = urgent.remove();
                Message kept = gone.contains(message.offset()) ? message.retracted() : message;
                urgent.add(kept);
                urgentBytes += kept.weight() - message.weight();
            }
        }
        account(before);
    }

    /** Urgent messages of a sender before the oldest of the others, ascending. */
    List<Long> urgentOf(String sender) {
        return urgent.stream()
                .filter(message -> message.offset() < first && sender.equals(message.sender()))
                .map(Message::offset)
                .toList();
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
        long oldest = Math.max(Math.max(first, historyFrom), next - size);
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
