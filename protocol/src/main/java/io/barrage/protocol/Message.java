package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/**
 * One published payload on one topic, with its place in the topic's order. Immutable, never reference-counted: many event
 * loops read it at once, and the collector frees it.
 */
public final class Message implements TopicEvent {
    /** The offset of what has no place in its topic's order. */
    public static final long NO_OFFSET = 0;

    private static final byte[] START = JsonText.ascii("{\"type\":\"message\",\"topic\":");
    private static final byte[] OFFSET = JsonText.ascii(",\"offset\":");
    private static final byte[] TIME = JsonText.ascii(",\"time\":");
    private static final byte[] SENDER = JsonText.ascii(",\"sender\":");
    private static final byte[] NOTHING = {};
    private static final byte[] DATA = JsonText.ascii(",\"data\":");

    private static final byte[] HIDDEN = JsonText.ascii(",\"hidden\":");

    private final Draft draft;
    private final long offset;
    private final long hidden;

    private Message(Draft draft, long offset, long hidden) {
        this.draft = draft;
        this.offset = offset;
        this.hidden = hidden;
    }

    /**
     * A message before it has its place: everything that can be made ready outside of the topic's lock. Immutable.
     */
    public static final class Draft {
        private final TopicName topic;
        private final Priority priority;
        private final byte[] data;
        private final long acceptedNanos;
        private final long ttlNanos;
        private final @Nullable String sender;
        // What stands between the offset and the data.
        private final byte[] envelope;

        /**
         * @param data one JSON value; kept, not to be changed
         * @param timeMillis when it was accepted, since 1970
         * @param acceptedNanos the same moment on the {@link System#nanoTime} clock
         */
        public Draft(
                TopicName topic,
                byte[] data,
                Priority priority,
                @Nullable String sender,
                long timeMillis,
                long acceptedNanos) {
            this(topic, data, priority, sender, timeMillis, acceptedNanos, 0);
        }

        /** @param ttlNanos after which it is stale and isn't sent any more; 0 for never */
        public Draft(
                TopicName topic,
                byte[] data,
                Priority priority,
                @Nullable String sender,
                long timeMillis,
                long acceptedNanos,
                long ttlNanos) {
            this.ttlNanos = ttlNanos;
            this.topic = topic;
            this.priority = priority;
            this.data = data;
            this.acceptedNanos = acceptedNanos;
            this.sender = sender;
            byte[] from = sender == null ? NOTHING : JsonText.quote(sender);
            byte[] fromKey = sender == null ? NOTHING : SENDER;
            byte[] urgency =
                    priority == Priority.NORMAL ? NOTHING : JsonText.ascii(",\"priority\":\"" + priority.wire() + '"');
            this.envelope = new byte
                    [TIME.length
                            + JsonText.digits(timeMillis)
                            + fromKey.length
                            + from.length
                            + urgency.length
                            + DATA.length];
            int at = JsonText.put(envelope, 0, TIME);
            at = JsonText.putDecimal(envelope, at, timeMillis);
            at = JsonText.put(envelope, at, fromKey);
            at = JsonText.put(envelope, at, from);
            at = JsonText.put(envelope, at, urgency);
            JsonText.put(envelope, at, DATA);
        }

        private Draft(TopicName topic, byte[] data, Priority priority, byte[] envelope, long acceptedNanos) {
            this.topic = topic;
            this.data = data;
            this.priority = priority;
            this.envelope = envelope;
            this.acceptedNanos = acceptedNanos;
            this.ttlNanos = 0;
            this.sender = null;
        }

        /** Where it goes. */
        public TopicName topic() {
            return topic;
        }

        /** How much it matters. */
        public Priority priority() {
            return priority;
        }

        /** What was published, byte for byte; not to be changed. */
        public byte[] data() {
            return data;
        }

        /** Upper bound of the memory that it holds while it waits, in bytes. */
        public int weight() {
            return data.length + envelope.length + 128;
        }

        /** The message with its place in the topic's order. */
        public Message at(long offset) {
            return at(offset, 0);
        }

        /**
         * The message with its place in the topic's order.
         *
         * @param hidden messages that were hidden from everybody since the one before
         */
        public Message at(long offset, long hidden) {
            return new Message(this, offset, hidden);
        }

        /** The message for its sender alone: it was hidden, and has no place. */
        public Message withoutPlace() {
            return new Message(this, NO_OFFSET, 0);
        }

        /** Who it is from; null if nobody says. */
        public @Nullable String sender() {
            return sender;
        }
    }

    /**
     * Its place in the topic's order without itself: it was retracted, and what it said is let go of. Not to be sent.
     */
    public Message retracted() {
        return isRetracted()
                ? this
                : new Message(
                        new Draft(draft.topic, NOTHING, draft.priority, NOTHING, draft.acceptedNanos), offset, hidden);
    }

    /** Whether it is only the place of one that was retracted. */
    public boolean isRetracted() {
        // A JSON value has a byte at least.
        return draft.data.length == 0;
    }

    /** Whether it is stale at a moment of the {@link System#nanoTime} clock: then it isn't sent any more. */
    public boolean isExpired(long nowNanos) {
        return draft.ttlNanos > 0 && nowNanos - draft.acceptedNanos >= draft.ttlNanos;
    }

    /** Whether it can become stale. */
    public boolean canExpire() {
        return draft.ttlNanos > 0;
    }

    /** When it becomes stale, on the {@link System#nanoTime} clock; only for one that can. */
    public long expiresNanos() {
        return draft.acceptedNanos + draft.ttlNanos;
    }

    /** The topic. */
    @Override
    public TopicName topic() {
        return draft.topic;
    }

    /** Its place: 1 for the first of an epoch, then dense; {@link #NO_OFFSET} if it is for its sender alone. */
    public long offset() {
        return offset;
    }

    /** Messages that were hidden from everybody since the one before. */
    public long hidden() {
        return hidden;
    }

    /** The same message for one who has been told of the hidden ones already. */
    public Message withoutHidden() {
        return hidden == 0 ? this : new Message(draft, offset, 0);
    }

    /** How much it matters. */
    public Priority priority() {
        return draft.priority;
    }

    /** Who it is from; null if nobody says. */
    public @Nullable String sender() {
        return draft.sender;
    }

    /** When it was accepted, on the {@link System#nanoTime} clock. */
    public long acceptedNanos() {
        return draft.acceptedNanos;
    }

    @Override
    public int weight() {
        return draft.weight();
    }

    /** Length of its {@code message} object in bytes. */
    public int jsonLength() {
        return START.length
                + draft.topic.jsonLength()
                + numberLength(OFFSET, offset)
                + numberLength(HIDDEN, hidden)
                + draft.envelope.length
                + draft.data.length
                + 1;
    }

    /**
     * Writes its {@code message} object at {@code at}; gives the index behind it.
     *
     * @param into has room for {@link #jsonLength} bytes there
     */
    public int putJson(byte[] into, int at) {
        int end = JsonText.put(into, at, START);
        end = JsonText.put(into, end, draft.topic.json());
        end = putNumber(into, end, OFFSET, offset);
        end = putNumber(into, end, HIDDEN, hidden);
        end = JsonText.put(into, end, draft.envelope);
        end = JsonText.put(into, end, draft.data);
        into[end] = '}';
        return end + 1;
    }

    /** Length in bytes of its object within a {@code messages} object, where type and topic are said once for all. */
    int elementLength() {
        // {"offset":n instead of {"type":...,"topic":...,"offset":n
        return jsonLength() - START.length - draft.topic.jsonLength();
    }

    /** Writes its object within a {@code messages} object at {@code at}; gives the index behind it. */
    int putElement(byte[] into, int at) {
        int end = putNumber(into, at, OFFSET, offset);
        into[at] = '{';
        end = putNumber(into, end, HIDDEN, hidden);
        end = JsonText.put(into, end, draft.envelope);
        end = JsonText.put(into, end, draft.data);
        into[end] = '}';
        return end + 1;
    }

    private static int numberLength(byte[] key, long value) {
        return value == 0 ? 0 : key.length + JsonText.digits(value);
    }

    private static int putNumber(byte[] into, int at, byte[] key, long value) {
        return value == 0 ? at : JsonText.putDecimal(into, JsonText.put(into, at, key), value);
    }
}
