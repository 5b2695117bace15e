package io.barrage.gateway.broker;

import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.broker.Broker.PastBounds;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
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
            ErrorCode.OVERLOADED, "an event loop's queue is full: nothing was published, try again", 1000);

    private static final PublishResult TOO_URGENT = new PublishResult.Refused(
            ErrorCode.RATE_LIMITED,
            "more high and critical messages than twice the room's budget: nothing was published, try again",
            1000);

    private static final PublishResult NOT_A_MESSAGES_ID = new PublishResult.Refused(
            ErrorCode.BAD_REQUEST, "this 'messageId' was a publish's with 'key' and 'merge': nothing was published");

    /** What shed a message, in answers and metrics. */
    static final String BUDGET = "budget";

    /** In place of an offset: the message with this id was hidden. */
    static final long HIDDEN = 0;

    /** In place of an offset: what had this id was merged into a value. */
    static final long VALUE = -1;

    /** How long values outlive their topic's last use, since there is no other copy of them. */
    static final long VALUES_LIFE_NANOS = 3_600_000_000_000L;

    private static final BrokerListener[] NOBODY = {};

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
    private final Tail.Memory tails;
    /** Made with the first message that must be kept: most topics of most nodes are quiet. */
    private @Nullable Tail tail;

    private final @Nullable SenderLimits senders;
    /** Made with the first publish to one. */
    private @Nullable Values values;

    /** @param tails what all topics' tails share */
    Sequencer(String epoch, int maxIds, NamespaceConfig rules, Tail.Memory tails, long nowNanos) {
        this.epoch = epoch;
        this.maxIds = maxIds;
        this.rules = rules;
        this.tails = tails;
        this.budget = rules.budget().isLimit() ? new RoomBudget(rules.budget().perSecond(), nowNanos) : null;
        this.senders = SenderLimits.of(rules.limits());
        this.lastUsedNanos = nowNanos;
    }

    /**
     * Publishes; null if this numbering has ended and the topic needs a new one.
     *
     * @param speaker whose limits it counts for; null for nobody's
     */
    @Nullable
    PublishResult publish(Message.Draft draft, @Nullable MessageId id, @Nullable String speaker, long nowNanos) {
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
                    return first == VALUE ? NOT_A_MESSAGES_ID : result(first, true);
                }
            }
            String limited = draft.priority().compareTo(Priority.HIGH) < 0 ? speaker : null;
            if (senders != null && limited != null) {
                PublishResult refusal = senders.refusal(limited, draft.data(), nowNanos);
                if (refusal != null) {
                    return refusal;
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
            if (senders != null && limited != null) {
                senders.said(limited, draft.data(), nowNanos);
            }
            if (id != null) {
                remember(id, place);
            }
        }
        wake(offered);
        return result(place, false);
    }

    private static void wake(BrokerListener[] listeners) {
        for (BrokerListener listener : listeners) {
            listener.wake();
        }
    }

    /**
     * What became of a publish to a value. Immutable.
     *
     * @param told whether the listeners were told
     * @param waiting whether they are still to be, by {@link #tellValues}
     */
    record Merged(PublishResult result, boolean told, boolean waiting) {}

    /** What {@link #tellValues} has told, and whether there is more to be told later. Immutable. */
    record Told(int count, boolean waiting) {}

    /**
     * Merges into a value; null if this numbering has ended and the topic needs a new one.
     *
     * @param memory what all topics' values share
     */
    @Nullable
    Merged publish(TopicName topic, ValueChange change, @Nullable MessageId id, Values.Memory memory, long nowNanos) {
        BrokerListener[] offered = NOBODY;
        boolean waiting;
        synchronized (this) {
            if (retired) {
                return null;
            }
            lastUsedNanos = nowNanos;
            if (id != null && offsetsOfIds != null) {
                Long first = offsetsOfIds.get(id);
                if (first != null) {
                    return new Merged(
                            first == VALUE ? new PublishResult.ValueAccepted(change.key(), true) : result(first, true),
                            false,
                            false);
                }
            }
            if (values == null) {
                values = new Values(topic, rules.interval().toNanos(), memory);
            }
            PublishResult refused = values.merge(change, nowNanos);
            if (refused != null) {
                return new Merged(refused, false, false);
            }
            if (id != null) {
                remember(id, VALUE);
            }
            if (values.tell(change.key(), listeners, nowNanos)) {
                offered = listeners;
            }
            waiting = listeners.length > 0 && values.isWaiting(change.key());
        }
        wake(offered);
        return new Merged(new PublishResult.ValueAccepted(change.key(), false), offered.length > 0, waiting);
    }

    /** Tells the values that have changed and whose interval has passed. */
    Told tellValues(long nowNanos) {
        BrokerListener[] offered;
        int told;
        boolean waiting;
        synchronized (this) {
            if (values == null) {
                return new Told(0, false);
            }
            offered = listeners;
            told = values.tell(offered, nowNanos);
            // Without listeners nobody waits: the first one to come is told everything.
            waiting = offered.length > 0 && values.isWaiting();
        }
        if (told > 0) {
            wake(offered);
        }
        return new Told(told, waiting);
    }

    private void keep(Message message, long nowNanos) {
        boolean hasListeners = listeners.length > 0;
        if (tail == null) {
            if (!hasListeners && !Tail.isNeededAlways(rules)) {
                return;
            }
            tail = new Tail(rules, tails, message.offset() - 1);
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
    static boolean reserve(BrokerListener[] listeners, int bytes) {
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

    /**
     * What a listener is told with its registration. Immutable.
     *
     * @param position behind which it gets all messages
     * @param values as they were told last
     * @param lastValue the number behind which it gets all values
     */
    record Attached(Position position, List<TopicValue> values, long lastValue) {}

    /** Registers a listener; null if this numbering has ended. */
    synchronized @Nullable Attached attach(BrokerListener listener, long nowNanos) {
        if (retired) {
            return null;
        }
        if (Arrays.asList(listeners).contains(listener)) {
            throw new IllegalStateException("registered already: " + listener);
        }
        List<TopicValue> told = List.of();
        long lastValue = 0;
        if (values != null) {
            told = listeners.length == 0 ? values.tellFirst(nowNanos) : values.told();
            lastValue = values.lastNumber();
        }
        BrokerListener[] more = Arrays.copyOf(listeners, listeners.length + 1);
        more[listeners.length] = listener;
        listeners = more;
        return new Attached(new Position(epoch, offset), told, lastValue);
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
        if (senders != null) {
            senders.forgetOld(nowNanos);
        }
        if (tail == null
                && listeners.length == 0
                && offsetsOfIds == null
                && nowNanos - lastUsedNanos >= lifeNanos(idleNanos)) {
            retired = true;
            if (values != null) {
                values.clear();
            }
        }
        return retired;
    }

    private long lifeNanos(long idleNanos) {
        if (senders != null && senders.size() > 0) {
            // They are forgotten in their time; a topic's end mustn't be a way around slow mode.
            return Long.MAX_VALUE;
        }
        return values == null || values.isEmpty() ? idleNanos : Math.max(idleNanos, VALUES_LIFE_NANOS);
    }
}
