package io.barrage.gateway.broker;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ExactNumber;
import io.barrage.protocol.Merge;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A topic's values: state such as likes or a leaderboard, merged from what is published, and told to the listeners of the topic at
 * most once per interval and key; the first change after a quiet interval at once. What they were told last is in the end what
 * was merged last.
 *
 * <p>Not thread-safe: used under its topic's lock.
 */
final class Values {
    /** Most keys of a topic. One that was removed counts until the interval after telling so is over. */
    static final int MAX_KEYS = 64;

    /** Entries of a leaderboard. */
    static final int MAX_ENTRIES = 10;

    /** What a key costs besides its data. */
    private static final int KEY_BYTES = 256;

    private static final int NUMBER_BYTES = 64;

    private static final PublishResult.Refused NO_ROOM = new PublishResult.Refused(
            ErrorCode.OVERLOADED, "this node has no room for more values: nothing was merged, try again", 1000);

    private static final byte[] REMOVED = {'n', 'u', 'l', 'l'};

    private final TopicName topic;
    private long intervalNanos;
    private final Memory memory;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private long lastNumber;

    /** The bytes of all topics' values on a node, and their bound. Thread-safe. */
    static final class Memory {
        private final long maxBytes;
        private final AtomicLong bytes = new AtomicLong();

        Memory(long maxBytes) {
            this.maxBytes = maxBytes;
        }

        private boolean hasRoom(long more) {
            return more <= 0 || bytes.get() + more <= maxBytes;
        }

        /** Bytes of all values now; an estimate. */
        long bytes() {
            return bytes.get();
        }
    }

    /**
     * @param intervalNanos least time between two tellings of a key
     * @param memory what all topics' values share
     */
    Values(TopicName topic, long intervalNanos, Memory memory) {
        this.topic = topic;
        this.intervalNanos = intervalNanos;
        this.memory = memory;
    }

    /** Another least time between two tellings of a key. */
    void interval(long nanos) {
        intervalNanos = nanos;
    }

    /** What is merged under a key. */
    private interface State {
        /** Merges a change; false if that changes nothing. */
        boolean take(ValueChange change);

        /** By how many bytes a change may make it larger. */
        int growth(ValueChange change);

        /** Bytes that it holds. */
        int size();

        /** The value to be told, as JSON. */
        byte[] json();
    }

    /** The last one. */
    private static final class Last implements State {
        private byte[] data = REMOVED;

        @Override
        public boolean take(ValueChange change) {
            data = change.data();
            return true;
        }

        @Override
        public int growth(ValueChange change) {
            return change.data().length - data.length;
        }

        @Override
        public int size() {
            return data.length;
        }

        @Override
        public byte[] json() {
            return data;
        }
    }

    /** The greatest number. */
    private static final class Greatest implements State {
        private @Nullable ExactNumber greatest;

        @Override
        public boolean take(ValueChange change) {
            if (greatest != null && !change.number().isGreaterThan(greatest)) {
                return false;
            }
            greatest = change.number();
            return true;
        }

        @Override
        public int growth(ValueChange change) {
            return 0;
        }

        @Override
        public int size() {
            return NUMBER_BYTES;
        }

        @Override
        public byte[] json() {
            return greatest == null ? REMOVED : greatest.json();
        }
    }

    /** The sum. */
    private static final class Sum implements State {
        private ExactNumber sum = ExactNumber.of(0);

        @Override
        public boolean take(ValueChange change) {
            sum = sum.plus(change.number());
            return true;
        }

        @Override
        public int growth(ValueChange change) {
            return 0;
        }

        @Override
        public int size() {
            return NUMBER_BYTES;
        }

        @Override
        public byte[] json() {
            return sum.json();
        }
    }

    /** The entries with the greatest scores, one for each id. */
    private static final class Top implements State {
        /** Best first; of equal scores the earlier. */
        private final List<ValueChange> entries = new ArrayList<>();

        @Override
        public boolean take(ValueChange change) {
            // Whom better ones have pushed out is forgotten: the last place's score never falls, so nobody comes back
            // with less.
            for (int i = 0; i < entries.size(); i++) {
                ValueChange known = entries.get(i);
                if (known.entryId().equals(change.entryId())) {
                    if (!change.number().isGreaterThan(known.number())) {
                        return false;
                    }
                    entries.remove(i);
                    break;
                }
            }
            int place = entries.size();
            while (place > 0
                    && change.number().isGreaterThan(entries.get(place - 1).number())) {
                place--;
            }
            if (place == MAX_ENTRIES) {
                return false;
            }
            entries.add(place, change);
            if (entries.size() > MAX_ENTRIES) {
                entries.remove(MAX_ENTRIES);
            }
            return true;
        }

        @Override
        public int growth(ValueChange change) {
            return entrySize(change);
        }

        @Override
        public int size() {
            int size = 0;
            for (ValueChange entry : entries) {
                size += entrySize(entry);
            }
            return size;
        }

        /** The entry and its part of what was told last. */
        private static int entrySize(ValueChange entry) {
            return 2 * entry.data().length + NUMBER_BYTES;
        }

        @Override
        public byte[] json() {
            ByteArrayOutputStream json = new ByteArrayOutputStream();
            char before = '[';
            for (ValueChange entry : entries) {
                json.write(before);
                json.writeBytes(entry.data());
                before = ',';
            }
            json.write(']');
            return json.toByteArray();
        }
    }

    private static final class Value {
        final String key;
        private Merge merge;
        /** Null if the key has been removed. */
        private @Nullable State state;
        /** Whether something was merged since it was told. */
        private boolean changed;
        /** What all listeners have been told; null if they haven't been. */
        private @Nullable TopicValue told;

        private long toldNanos;
        /** Bytes that it is counted with. */
        private int counted;

        Value(String key, Merge merge) {
            this.key = key;
            this.merge = merge;
        }

        boolean isMergedBy(Merge other) {
            return state == null || merge == other;
        }

        void take(ValueChange change) {
            if (state == null) {
                merge = change.merge();
                state = switch (merge) {
                    case LAST -> new Last();
                    case MAX -> new Greatest();
                    case SUM -> new Sum();
                    case TOP -> new Top();
                };
            }
            changed |= state.take(change);
        }

        void remove() {
            changed |= state != null;
            state = null;
        }

        byte[] json() {
            return state == null ? REMOVED : state.json();
        }

        boolean isTold(byte[] json) {
            return told != null && Arrays.equals(told.data(), json);
        }

        boolean isDue(long nowNanos, long intervalNanos) {
            return changed && (told == null || nowNanos - toldNanos >= intervalNanos);
        }

        /** Whether nothing would be lost with it: it is removed, all know, and it may be told anew at once. */
        boolean isOver(long nowNanos, long intervalNanos) {
            return state == null && !changed && nowNanos - toldNanos >= intervalNanos;
        }
    }

    /** Merges a change; gives null, or why not. */
    PublishResult.@Nullable Refused merge(ValueChange change, long nowNanos) {
        Value value = values.get(change.key());
        if (change.isRemoval()) {
            if (value != null) {
                remove(value);
            }
            return null;
        }
        if (value != null && !value.isMergedBy(change.merge())) {
            return new PublishResult.Refused(
                    ErrorCode.BAD_REQUEST,
                    "key '" + value.key + "' is merged by '" + value.merge.wire() + "', not by '"
                            + change.merge().wire() + "'; publish null to it first to begin anew");
        }
        if (value == null && values.size() >= MAX_KEYS) {
            forget(other -> other.isOver(nowNanos, intervalNanos));
            if (values.size() >= MAX_KEYS) {
                return new PublishResult.Refused(
                        ErrorCode.RATE_LIMITED,
                        "a topic has at most " + MAX_KEYS + " keys, this would be one more: publish null to one to"
                                + " remove it");
            }
        }
        int growth =
                value == null || value.state == null ? KEY_BYTES + change.data().length : value.state.growth(change);
        if (!memory.hasRoom(growth)) {
            return NO_ROOM;
        }
        if (value == null) {
            value = new Value(change.key(), change.merge());
            values.put(value.key, value);
        }
        value.take(change);
        count(value);
        return null;
    }

    private void remove(Value value) {
        value.remove();
        if (value.told == null) {
            // Nobody has heard of it.
            forget(other -> other == value);
        } else {
            count(value);
        }
    }

    private void count(Value value) {
        int size = KEY_BYTES + (value.state == null ? 0 : value.state.size());
        if (size != value.counted) {
            memory.bytes.addAndGet(size - value.counted);
            value.counted = size;
        }
    }

    private void forget(Predicate<Value> which) {
        values.values().removeIf(value -> {
            boolean forgotten = which.test(value);
            if (forgotten) {
                memory.bytes.addAndGet(-value.counted);
            }
            return forgotten;
        });
    }

    /** Nobody listens any more: who comes is told all anew. */
    void forgetTold() {
        forget(value -> value.state == null);
        for (Value value : values.values()) {
            value.told = null;
        }
    }

    /** Forgets all values: the topic has ended. */
    void clear() {
        forget(value -> true);
    }

    /** Offers a key's value to all listeners if it has changed and it is time; true if it did. The caller wakes them. */
    boolean tell(String key, BrokerListener[] listeners, long nowNanos) {
        Value value = values.get(key);
        return value != null && tell(value, listeners, nowNanos);
    }

    /** Offers all values that have changed and whose time has come; gives how many. The caller wakes the listeners. */
    int tell(BrokerListener[] listeners, long nowNanos) {
        int told = 0;
        for (Value value : values.values()) {
            if (tell(value, listeners, nowNanos)) {
                told++;
            }
        }
        return told;
    }

    private boolean tell(Value value, BrokerListener[] listeners, long nowNanos) {
        if (listeners.length == 0 || !value.isDue(nowNanos, intervalNanos)) {
            return false;
        }
        byte[] json = value.json();
        if (value.isTold(json)) {
            value.changed = false;
            return false;
        }
        TopicValue event = new TopicValue(topic, value.key, json, lastNumber + 1);
        if (!Sequencer.reserve(listeners, event.weight())) {
            // It is merged all the same, and told when there is room.
            return false;
        }
        for (BrokerListener listener : listeners) {
            listener.offer(event);
        }
        told(value, event, nowNanos);
        return true;
    }

    private void told(Value value, TopicValue event, long nowNanos) {
        lastNumber = event.number();
        value.told = event;
        value.toldNanos = nowNanos;
        value.changed = false;
    }

    /** Whether a key has a change that is still to be told. */
    boolean isWaiting(String key) {
        Value value = values.get(key);
        return value != null && value.changed;
    }

    /** Whether any key has a change that is still to be told. */
    boolean isWaiting() {
        for (Value value : values.values()) {
            if (value.changed) {
                return true;
            }
        }
        return false;
    }

    /** The values as the listeners were last told. */
    List<TopicValue> told() {
        List<TopicValue> told = new ArrayList<>(values.size());
        for (Value value : values.values()) {
            if (value.told != null && !value.told.isRemoved()) {
                told.add(value.told);
            }
        }
        return told;
    }

    /** The values as they are, for the first one who listens: told with this. */
    List<TopicValue> tellFirst(long nowNanos) {
        for (Value value : values.values()) {
            told(value, new TopicValue(topic, value.key, value.json(), lastNumber + 1), nowNanos);
        }
        return told();
    }

    /** The number of the last value that was told. */
    long lastNumber() {
        return lastNumber;
    }

    /** Whether there is none. */
    boolean isEmpty() {
        for (Value value : values.values()) {
            if (value.state != null) {
                return false;
            }
        }
        return true;
    }
}
