package io.barrage.gateway.broker;

import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.broker.Broker.PastBounds;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.TopicName;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Step 3 of 5: gives one topic's messages their order. Next: {@code HubShard#offer}.
 *
 * <p>Thread-safe: a message's id, offset and offer to every listener happen under this object's lock, so that all listeners
 * see the same order; with an atomic offset and the offers outside, two publishers would interleave differently on each event
 * loop. Nothing under the lock blocks or makes a system call.
 */
final class Sequencer {
    /** Most ids that one topic remembers. */
    static final int MAX_IDS = 100_000;

    private static final PublishResult OVERLOADED = new PublishResult.Refused(
            ErrorCode.OVERLOADED, "an event loop's queue is full: nothing was published, try again");

    private static final PublishResult TOO_URGENT = new PublishResult.Refused(
            ErrorCode.RATE_LIMITED,
            "more high and critical messages than twice the room's budget: nothing was published, try again");

    /** What shed a message, in answers and metrics. */
    static final String BUDGET = "budget";

    /** In place of an offset: the message with this id was hidden. */
    static final long HIDDEN = 0;

    private final String epoch;
    private final int maxIds;
    private final NamespaceConfig rules;

    // under the lock
    private BrokerListener[] listeners = {};
    private long offset;
    private int online;
    private long lastUsedNanos;
    private boolean retired;
    private @Nullable LinkedHashMap<MessageId, Long> offsetsOfIds;
    private final @Nullable RoomBudget budget;
    private long hidden;
    private final Tail.Memory memory;
    /** Made with the first message that must be kept: most topics of most nodes are quiet. */
    private @Nullable Tail tail;

    /** @param memory what all topics' tails share */
    Sequencer(String epoch, int maxIds, NamespaceConfig rules, Tail.Memory memory, long nowNanos) {
        this.epoch = epoch;
        this.maxIds = maxIds;
        this.rules = rules;
        this.memory = memory;
        this.budget = rules.budget().isLimit() ? new RoomBudget(rules.budget().perSecond(), nowNanos) : null;
        this.lastUsedNanos = nowNanos;
    }

    /** Publishes; null if this numbering has ended and the topic needs a new one. */
    @Nullable
    PublishResult publish(Message.Draft draft, @Nullable MessageId id, long nowNanos) {
        BrokerListener[] offered;
        long place;
        synchronized (this) {
            if (retired) {
                return null;
            }
            lastUsedNanos = nowNanos;
            if (id != null && offsetsOfIds != null) {
                Long first = offsetsOfIds.get(id);
                if (first != null) {
                    return result(first, true);
                }
            }
            RoomBudget.Verdict verdict = budget == null
                    ? RoomBudget.Verdict.SHOW
                    : budget.decide(draft.priority(), draft.sender(), nowNanos);
            if (verdict == RoomBudget.Verdict.REFUSE) {
                return TOO_URGENT;
            }
            offered = listeners;
            boolean hasRoom = reserve(offered, draft.weight());
            if (verdict == RoomBudget.Verdict.SHOW) {
                if (!hasRoom) {
                    return OVERLOADED;
                }
                place = ++offset;
                Message message = draft.at(place, hidden);
                hidden = 0;
                keep(message, nowNanos);
                offer(offered, message);
            } else {
                place = HIDDEN;
                hidden++;
                if (hasRoom) {
                    // Its sender sees it all the same, and need not know.
                    offer(offered, draft.withoutPlace());
                }
            }
            if (id != null) {
                remember(id, place);
            }
        }
        for (BrokerListener listener : offered) {
            listener.wake();
        }
        return result(place, false);
    }

    private void keep(Message message, long nowNanos) {
        boolean hasListeners = listeners.length > 0;
        if (tail == null) {
            if (!hasListeners && !Tail.isNeededAlways(rules)) {
                return;
            }
            tail = new Tail(rules, memory, message.offset() - 1);
        }
        tail.add(message, hasListeners, nowNanos);
    }

    synchronized PastBounds pastBounds(long nowNanos) {
        return tail == null
                ? new PastBounds(offset + 1, offset + 1, offset)
                : new PastBounds(tail.oldest(), tail.oldestOfHistory(nowNanos), tail.urgentGone());
    }

    synchronized Past past(long after, long through, int maxBytes) {
        return tail == null ? new Past(List.of(), after) : tail.read(after, through, maxBytes);
    }

    synchronized Past urgentPast(long after, long through, int maxBytes) {
        return tail == null ? new Past(List.of(), through) : tail.readUrgent(after, through, maxBytes);
    }

    private PublishResult result(long place, boolean duplicate) {
        return place == HIDDEN
                ? new PublishResult.Shed(BUDGET, duplicate)
                : new PublishResult.Accepted(epoch, place, duplicate);
    }

    private static void offer(BrokerListener[] listeners, Message message) {
        for (BrokerListener listener : listeners) {
            listener.offer(message);
        }
    }

    /** Tells how many messages were hidden, if none that was shown has told it. */
    void tellHidden(TopicName topic) {
        BrokerListener[] told;
        long count;
        synchronized (this) {
            told = listeners;
            count = hidden;
            hidden = 0;
        }
        if (count > 0) {
            for (BrokerListener listener : told) {
                listener.tellHidden(topic, count);
            }
        }
    }

    /** Room in all queues or in none, before an offset exists. */
    private static boolean reserve(BrokerListener[] listeners, int bytes) {
        for (int i = 0; i < listeners.length; i++) {
            if (!listeners[i].reserve(bytes)) {
                for (int k = 0; k < i; k++) {
                    listeners[k].release(bytes);
                }
                return false;
            }
        }
        return true;
    }

    private void remember(MessageId id, long place) {
        if (offsetsOfIds == null) {
            offsetsOfIds = new LinkedHashMap<>();
        }
        offsetsOfIds.put(id, place);
        if (offsetsOfIds.size() > maxIds) {
            Iterator<Map.Entry<MessageId, Long>> oldest =
                    offsetsOfIds.entrySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /**
     * Forgets the id of the message at {@code place}. Does nothing if the topic has used up its room for ids and forgot it
     * earlier, also if the id has come again since and belongs to a later message now.
     */
    synchronized void forget(MessageId id, long place) {
        if (offsetsOfIds != null) {
            offsetsOfIds.remove(id, place);
            if (offsetsOfIds.isEmpty()) {
                offsetsOfIds = null;
            }
        }
    }

    /** Registers a listener; gives the position behind which it gets all messages, or null if this numbering has ended. */
    synchronized @Nullable Position attach(BrokerListener listener) {
        if (retired) {
            return null;
        }
        if (Arrays.asList(listeners).contains(listener)) {
            throw new IllegalStateException("registered already: " + listener);
        }
        BrokerListener[] more = Arrays.copyOf(listeners, listeners.length + 1);
        more[listeners.length] = listener;
        listeners = more;
        return new Position(epoch, offset);
    }

    /** Ends a registration; does nothing if there is none. */
    synchronized void detach(BrokerListener listener, long nowNanos) {
        lastUsedNanos = nowNanos;
        listeners = Arrays.stream(listeners).filter(other -> other != listener).toArray(BrokerListener[]::new);
        if (listeners.length == 0 && tail != null) {
            tail.forgetListeners(nowNanos);
            dropTailIfEmpty();
        }
    }

    synchronized void countSubscriptions(int change) {
        online += change;
    }

    synchronized int online() {
        return online;
    }

    private void dropTailIfEmpty() {
        if (tail != null && listeners.length == 0 && tail.isEmpty()) {
            tail = null;
        }
    }

    /**
     * Drops old messages, and ends the numbering if nobody has used the topic for {@code idleNanos}; true if it has ended.
     */
    synchronized boolean retire(long nowNanos, long idleNanos) {
        if (tail != null) {
            tail.sweep(listeners.length > 0, nowNanos);
            dropTailIfEmpty();
        }
        if (tail == null && listeners.length == 0 && offsetsOfIds == null && nowNanos - lastUsedNanos >= idleNanos) {
            retired = true;
        }
        return retired;
    }
}
