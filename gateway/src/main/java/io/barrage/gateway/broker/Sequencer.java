package io.barrage.gateway.broker;

import io.barrage.gateway.broker.Broker.HistoryPage;
import io.barrage.gateway.broker.Broker.MessageId;
import io.barrage.gateway.broker.Broker.Past;
import io.barrage.gateway.broker.Broker.PastBounds;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.HistoryQuery;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.Retraction;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
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

    private static final RetractResult NO_ROOM_TO_RETRACT = new RetractResult.Refused(
            ErrorCode.OVERLOADED, "an event loop's queue is full: not all was retracted, try again", 1000);

    /** Messages that are looked at in one turn under the lock. */
    private static final int MESSAGES_OF_A_LOOK = 1000;

    /** Offsets that a refusal names. */
    private static final int NAMED_OFFSETS = 10;

    private static final BrokerListener[] NOBODY = {};

    private final String epoch;
    private final int maxIds;

    // under the lock
    private NamespaceConfig rules;
    private BrokerListener[] listeners = {};
    private long offset;
    private int online;
    /** Times that the topic got its first subscription or lost its last, and that nobody has been told of in full. */
    private int turns;

    private long lastUsedNanos;
    private boolean retired;
    private @Nullable LinkedHashMap<MessageId, Long> offsetsOfIds;
    private @Nullable RoomBudget budget;
    private long hidden;
    private final Tail.Memory tails;
    /** Made with the first message that must be kept: most topics of most nodes are quiet. */
    private @Nullable Tail tail;

    private @Nullable SenderLimits senders;
    /** Made with the first publish to one. */
    private @Nullable Values values;
    /** Made with the first user, where subscribers are told of each other. */
    private @Nullable Members members;

    /** Made with the first, dropped when they have had their time. */
    private @Nullable Retractions retractions;

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
     * Goes on under other rules: offsets, epoch, listeners, remembered ids and what is kept stay, and so does what is known of the
     * senders.
     */
    synchronized void reconfigure(Supplier<NamespaceConfig> current, long nowNanos) {
        // Asked for under the lock, else those of an earlier reload could come behind those of a later one.
        NamespaceConfig changed = current.get();
        if (changed.equals(rules)) {
            return;
        }
        rules = changed;
        if (!changed.budget().isLimit()) {
            budget = null;
        } else if (budget == null) {
            budget = new RoomBudget(changed.budget().perSecond(), nowNanos);
        } else {
            budget.change(changed.budget().perSecond());
        }
        senders = SenderLimits.of(changed.limits(), senders);
        if (!tellsMembers()) {
            members = null;
        }
        if (values != null) {
            values.interval(changed.interval().toNanos());
        }
        if (tail != null) {
            tail.reconfigure(changed, listeners.length > 0, nowNanos);
            dropTailIfEmpty();
        }
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
            PublishResult repeated = repeated(id, null);
            if (repeated != null) {
                return repeated;
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
                    if (budget != null) {
                        budget.takeBack(draft.priority());
                    }
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
            PublishResult repeated = repeated(id, change.key());
            if (repeated != null) {
                return new Merged(repeated, false, false);
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

    synchronized long head() {
        return offset;
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

    // ---------------------------------------------------------------- history

    /** As {@link Broker#history}. Publishes may come between its looks. */
    HistoryPage history(HistoryQuery query, int maxBytes, long nowNanos) {
        return new HistoryReader(query, maxBytes, nowNanos).read();
    }

    /** Collects a page: looks at so many messages with each turn under the lock, since many may be stale or retracted. */
    private final class HistoryReader {
        private final HistoryQuery query;
        private final int maxBytes;
        private final long nowNanos;
        private final List<Message> found = new ArrayList<>();
        private int bytes;
        private @Nullable Boolean recovered;
        /** The next offset to be looked at. */
        private long at;
        /** Behind the last offset to be looked at, in the direction of the query. */
        private long end;

        HistoryReader(HistoryQuery query, int maxBytes, long nowNanos) {
            this.query = query;
            this.maxBytes = maxBytes;
            this.nowNanos = nowNanos;
        }

        HistoryPage read() {
            begin();
            while (at != end && hasRoom() && look()) {}
            if (query.backwards()) {
                Collections.reverse(found);
            }
            return new HistoryPage(epoch, recovered, found, at != end);
        }

        private boolean hasRoom() {
            return found.size() < query.limit() && bytes < maxBytes;
        }

        private void begin() {
            synchronized (Sequencer.this) {
                long oldest = tail == null ? offset + 1 : tail.oldestOfHistory(nowNanos);
                Position from = query.from();
                if (query.backwards()) {
                    if (from != null) {
                        recovered = from.epoch().equals(epoch) && from.offset() <= offset + 1;
                    }
                    at = from != null && Boolean.TRUE.equals(recovered) ? from.offset() - 1 : offset;
                    end = oldest - 1;
                    at = Math.max(at, end);
                } else {
                    if (from != null) {
                        recovered = isWhole(from, oldest);
                    }
                    at = from != null && Boolean.TRUE.equals(recovered) ? from.offset() + 1 : oldest;
                    end = offset + 1;
                }
            }
        }

        /** Looks at some messages; false if the history has moved on meanwhile, and there is a hole. */
        private boolean look() {
            synchronized (Sequencer.this) {
                for (int i = 0; i < MESSAGES_OF_A_LOOK && at != end && hasRoom(); i++) {
                    if (tail == null || at < tail.oldestOfHistory(nowNanos)) {
                        if (query.backwards()) {
                            end = at;
                        }
                        return false;
                    }
                    Message message = tail.at(at);
                    if (!message.isRetracted() && !message.isExpired(nowNanos)) {
                        found.add(message);
                        bytes += message.weight();
                    }
                    at += query.backwards() ? -1 : 1;
                }
            }
            return true;
        }
    }

    /** Whether the history has all messages behind a position. */
    private boolean isWhole(Position from, long oldest) {
        return from.epoch().equals(epoch)
                && (from.offset() == offset || (from.offset() < offset && from.offset() >= oldest - 1));
    }

    /** As {@link Broker#clearHistory}. */
    synchronized long clearHistory(long nowNanos) {
        if (tail == null) {
            return 0;
        }
        long count = offset + 1 - tail.oldestOfHistory(nowNanos);
        tail.clearHistory(listeners.length > 0, nowNanos);
        dropTailIfEmpty();
        return count;
    }

    // ---------------------------------------------------------------- retractions

    /** As {@link Broker#retract}; null if this numbering has ended. */
    @Nullable
    RetractResult retract(TopicName topic, List<Long> offsets, long nowNanos) {
        BrokerListener[] told;
        List<Long> fresh;
        synchronized (this) {
            if (retired) {
                return null;
            }
            List<Long> beyond = offsets.stream().filter(each -> each > offset).toList();
            if (!beyond.isEmpty()) {
                return beyond(topic, beyond, offset);
            }
            lastUsedNanos = nowNanos;
            fresh = offsets.stream().filter(each -> !isRetracted(each)).toList();
            told = listeners;
            if (!retractNow(topic, fresh, nowNanos)) {
                return NO_ROOM_TO_RETRACT;
            }
        }
        wake(told);
        return new RetractResult.Retracted(fresh.size());
    }

    /** As {@link Broker#retractAllOf}; null if this numbering has ended. */
    @Nullable
    RetractResult retractAllOf(TopicName topic, String sender, long nowNanos) {
        int count = 0;
        long from = 0;
        long through = Long.MAX_VALUE;
        while (from <= through) {
            BrokerListener[] told;
            synchronized (this) {
                if (retired) {
                    return null;
                }
                lastUsedNanos = nowNanos;
                if (tail == null) {
                    break;
                }
                List<Long> theirs = new ArrayList<>();
                if (from == 0) {
                    // What is published while this goes on is none of its business.
                    through = offset;
                    theirs.addAll(tail.urgentOf(sender));
                }
                from = Math.max(from, tail.oldest());
                long end = Math.min(through + 1, from + MESSAGES_OF_A_LOOK);
                for (; from < end; from++) {
                    if (sender.equals(tail.at(from).sender())) {
                        theirs.add(from);
                    }
                }
                told = listeners;
                if (!retractNow(topic, theirs, nowNanos)) {
                    return NO_ROOM_TO_RETRACT;
                }
                count += theirs.size();
            }
            wake(told);
        }
        return new RetractResult.Retracted(count);
    }

    private boolean isRetracted(long place) {
        return (tail != null && tail.isRetracted(place)) || (retractions != null && retractions.contains(place));
    }

    /** Retracts offsets, ascending, and tells all listeners or none; false if one of them has no room. */
    private boolean retractNow(TopicName topic, List<Long> offsets, long nowNanos) {
        if (offsets.isEmpty()) {
            return true;
        }
        List<Retraction> events = new ArrayList<>();
        int weight = 0;
        for (int at = 0; at < offsets.size(); at += Retraction.MAX_OFFSETS) {
            Retraction event =
                    new Retraction(topic, offsets.subList(at, Math.min(offsets.size(), at + Retraction.MAX_OFFSETS)));
            events.add(event);
            weight += event.weight();
        }
        if (!reserve(listeners, weight)) {
            return false;
        }
        if (tail != null) {
            tail.retract(offsets);
        }
        if (retractions == null) {
            retractions = new Retractions();
        }
        retractions.add(offsets, nowNanos);
        for (Retraction event : events) {
            offer(listeners, event);
        }
        return true;
    }

    /** The refusal to retract what doesn't exist. */
    static RetractResult beyond(TopicName topic, List<Long> offsets, long head) {
        String names =
                offsets.stream().limit(NAMED_OFFSETS).map(String::valueOf).collect(Collectors.joining(", "));
        int others = offsets.size() - NAMED_OFFSETS;
        return new RetractResult.Refused(
                ErrorCode.BAD_REQUEST,
                "topic " + topic + (head == 0 ? " has no messages" : " ends at offset " + head) + ", there is no "
                        + names + (others > 0 ? " and " + others + " others" : "") + ": nothing was retracted",
                0);
    }

    /** As {@link Broker.Attachment#retracted}. */
    synchronized List<Long> retracted(long through) {
        return retractions == null ? List.of() : retractions.through(through);
    }

    private PublishResult result(long place, boolean duplicate) {
        return place == HIDDEN
                ? new PublishResult.Shed(BUDGET, duplicate)
                : new PublishResult.Accepted(epoch, place, duplicate);
    }

    private static void offer(BrokerListener[] listeners, TopicEvent event) {
        for (BrokerListener listener : listeners) {
            listener.offer(event);
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

    /**
     * What a publish is answered because there was one with its id; null if there was none.
     *
     * @param key of the value that it is for, null for a message
     */
    synchronized @Nullable PublishResult repeated(@Nullable MessageId id, @Nullable String key) {
        Long first = id == null || offsetsOfIds == null ? null : offsetsOfIds.get(id);
        if (first == null) {
            return null;
        }
        if (first != VALUE) {
            return result(first, true);
        }
        return key == null ? NOT_A_MESSAGES_ID : new PublishResult.ValueAccepted(key, true);
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
        if (listeners.length > 0) {
            return;
        }
        if (values != null) {
            values.forgetTold();
        }
        if (tail != null) {
            tail.forgetListeners(nowNanos);
            dropTailIfEmpty();
        }
    }

    /** @param occupancy told if the topic has its first now, or has lost its last */
    void countSubscriptions(int change, TopicName topic, OccupancyListener occupancy) {
        boolean occupied;
        synchronized (this) {
            boolean wasOccupied = online > 0;
            online += change;
            occupied = online > 0;
            if (occupied == wasOccupied || ++turns > 1) {
                // Whoever is telling of a turn before this one tells of this one too, so that their order stays.
                return;
            }
        }
        do {
            if (occupied) {
                occupancy.occupied(topic);
            } else {
                occupancy.vacated(topic);
            }
            occupied = !occupied;
        } while (isTurnLeft());
    }

    private synchronized boolean isTurnLeft() {
        return --turns > 0;
    }

    synchronized int online() {
        return online;
    }

    /** What the topic is like now. */
    synchronized TopicInfo describe(String name, long nowNanos) {
        return new TopicInfo(
                name, epoch, offset, online, offset + 1 - pastBounds(nowNanos).oldestOfHistory());
    }

    /** The topic's users; null if its subscribers aren't told of each other, or none has come yet. */
    synchronized @Nullable Members members() {
        if (!tellsMembers()) {
            members = null;
        }
        return members;
    }

    /** As {@link #members}, for one who comes. */
    synchronized @Nullable Members membersToJoin() {
        if (members() == null && tellsMembers()) {
            members = new Members(rules.members());
        }
        return members;
    }

    /** Whether the topic's subscribers are told of each other. */
    synchronized boolean tellsMembers() {
        return rules.presence() == PresenceMode.MEMBERS;
    }

    /** Tells who has come and who has gone; true if there may be more to be told later. */
    boolean tellMembers(TopicName topic, long nowNanos) {
        Members told;
        MembersConfig how;
        synchronized (this) {
            told = members();
            how = rules.members();
        }
        if (told == null) {
            return false;
        }
        MembersNews news = told.tell(how, nowNanos);
        if (news != null) {
            BrokerListener[] all;
            // Only now: who has attached meanwhile may have been given a list without this.
            synchronized (this) {
                all = listeners;
            }
            for (BrokerListener listener : all) {
                listener.tellMembers(topic, news);
            }
        }
        return told.isWaiting();
    }

    PresencePage presence() {
        Members known = members();
        return known == null ? nobody() : known.page(online());
    }

    PresencePage presence(@Nullable String after, int limit) {
        Members known = members();
        return known == null ? nobody() : known.page(online(), after, limit);
    }

    private PresencePage nobody() {
        synchronized (this) {
            return new PresencePage(rules.presence(), online, 0, List.of(), false);
        }
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
        if (retractions != null && retractions.isOver(retractionLifeNanos(), nowNanos)) {
            retractions = null;
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

    /** As long as somebody may come back and be told, or be behind. */
    private long retractionLifeNanos() {
        return Math.max(Tail.LOG_LIFE_NANOS, rules.history().ttl().toNanos());
    }

    private long lifeNanos(long idleNanos) {
        if (senders != null && senders.size() > 0) {
            // They are forgotten in their time; a topic's end mustn't be a way around slow mode.
            return Long.MAX_VALUE;
        }
        return values == null || values.isEmpty() ? idleNanos : Math.max(idleNanos, VALUES_LIFE_NANOS);
    }
}
