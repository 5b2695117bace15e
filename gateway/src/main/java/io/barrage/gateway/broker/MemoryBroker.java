package io.barrage.gateway.broker;

import io.barrage.protocol.HistoryQuery;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.ValueChange;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Step 2 of 5: the broker of a single node, in its memory. Next: {@link Sequencer#publish}.
 *
 * <p>Thread-safe: publishes run on the caller's thread, and are done when the call returns.
 */
public final class MemoryBroker implements Broker {
    /** How long a message's id is remembered. */
    static final Duration ID_LIFE = Duration.ofMinutes(5);

    /** Most ids that the node remembers. */
    static final int MAX_IDS = 1_000_000;

    /** How long a topic without listeners keeps its numbering after its last use. */
    static final Duration IDLE_LIFE = Duration.ofMinutes(10);

    /** Bytes of all topics' values: clients may be allowed to make them, and they stay for an hour. */
    static final long MAX_VALUE_BYTES = 64 << 20;

    private static final String EPOCH_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int EPOCH_LENGTH = 10;

    private final LongSupplier ticker;
    private final Function<TopicName, NamespaceConfig> rules;
    private final BrokerMetrics metrics;
    private final OccupancyListener occupancy;
    private final Tail.Memory tails;
    private final int maxIds;
    private final int maxIdsOfTopic;
    private final SecureRandom random = new SecureRandom();
    private final ConcurrentMap<TopicName, Sequencer> sequencers = new ConcurrentHashMap<>();
    /** The same by name, in order: for lists of topics. Changes while the map above holds the topic's entry. */
    private final ConcurrentNavigableMap<String, Sequencer> byName = new ConcurrentSkipListMap<>();
    // Oldest first, so that both the age and the number of all topics' ids are bounded by looking at its head.
    private final ConcurrentLinkedQueue<RememberedId> ids = new ConcurrentLinkedQueue<>();
    private final AtomicInteger idCount = new AtomicInteger();

    /** Topics of which messages were hidden since the last look. */
    private final Set<TopicName> hiding = ConcurrentHashMap.newKeySet();

    private final Values.Memory valueMemory = new Values.Memory(MAX_VALUE_BYTES);

    /** Topics with values that are still to be told. */
    private final Set<TopicName> telling = ConcurrentHashMap.newKeySet();

    /** Topics where users have come or gone, or will have been gone for long enough. */
    private final Set<TopicName> changing = ConcurrentHashMap.newKeySet();

    private record RememberedId(Sequencer sequencer, MessageId id, long offset, long expiresNanos) {}

    /**
     * @param ticker the {@link System#nanoTime} clock
     * @param rules a topic's rules; asked when its numbering begins, and by {@link #reconfigure}
     * @param maxTailBytes of the messages that all topics together keep
     */
    public MemoryBroker(
            LongSupplier ticker,
            Function<TopicName, NamespaceConfig> rules,
            BrokerMetrics metrics,
            OccupancyListener occupancy,
            long maxTailBytes) {
        this(ticker, rules, metrics, occupancy, maxTailBytes, MAX_IDS, Sequencer.MAX_IDS);
    }

    /** A broker of which nobody hears what is occupied. */
    public MemoryBroker(
            LongSupplier ticker, Function<TopicName, NamespaceConfig> rules, BrokerMetrics metrics, long maxTailBytes) {
        this(ticker, rules, metrics, OccupancyListener.NOOP, maxTailBytes);
    }

    MemoryBroker(
            LongSupplier ticker,
            Function<TopicName, NamespaceConfig> rules,
            BrokerMetrics metrics,
            OccupancyListener occupancy,
            long maxTailBytes,
            int maxIds,
            int maxIdsOfTopic) {
        this.tails = new Tail.Memory(maxTailBytes);
        this.ticker = ticker;
        this.rules = rules;
        this.metrics = metrics;
        this.occupancy = occupancy;
        this.maxIds = maxIds;
        this.maxIdsOfTopic = maxIdsOfTopic;
    }

    @Override
    public CompletableFuture<PublishResult> publish(
            Message.Draft draft, @Nullable MessageId id, @Nullable String speaker) {
        long now = ticker.getAsLong();
        while (true) {
            Sequencer sequencer = sequencer(draft.topic(), now);
            PublishResult result = sequencer.publish(draft, id, speaker, now);
            if (result != null) {
                if (id != null) {
                    remember(sequencer, id, result, now);
                }
                if (result instanceof PublishResult.Shed) {
                    hiding.add(draft.topic());
                }
                metrics.published(draft.topic(), draft.priority(), result);
                return CompletableFuture.completedFuture(result);
            }
            // Its numbering ended between the look-up and the lock; whoever ended it has removed it or is about to.
            remove(draft.topic(), sequencer);
        }
    }

    @Override
    public CompletableFuture<PublishResult> publish(TopicName topic, ValueChange change, @Nullable MessageId id) {
        long now = ticker.getAsLong();
        while (true) {
            Sequencer sequencer = sequencer(topic, now);
            Sequencer.Merged merged = sequencer.publish(topic, change, id, valueMemory, now);
            if (merged != null) {
                if (id != null) {
                    remember(sequencer, id, merged.result(), now);
                }
                if (merged.waiting()) {
                    telling.add(topic);
                }
                metrics.valuePublished(topic, merged.result());
                if (merged.told()) {
                    metrics.valuesTold(topic, 1);
                }
                return CompletableFuture.completedFuture(merged.result());
            }
            remove(topic, sequencer);
        }
    }

    @Override
    public CompletableFuture<Optional<PublishResult>> repeated(TopicName topic, PublishRequest request, MessageId id) {
        Sequencer sequencer = sequencers.get(topic);
        ValueChange change = request.value();
        PublishResult first = sequencer == null ? null : sequencer.repeated(id, change == null ? null : change.key());
        if (first != null && change != null) {
            metrics.valuePublished(topic, first);
        } else if (first != null) {
            metrics.published(topic, request.priority(), first);
        }
        return CompletableFuture.completedFuture(Optional.ofNullable(first));
    }

    @Override
    public CompletableFuture<HistoryPage> history(TopicName topic, HistoryQuery query, int maxBytes) {
        Sequencer sequencer = sequencers.get(topic);
        return CompletableFuture.completedFuture(
                sequencer == null
                        ? new HistoryPage(null, query.from() == null ? null : false, List.of(), false)
                        : sequencer.history(query, maxBytes, ticker.getAsLong()));
    }

    @Override
    public CompletableFuture<Long> clearHistory(TopicName topic) {
        Sequencer sequencer = sequencers.get(topic);
        return CompletableFuture.completedFuture(sequencer == null ? 0L : sequencer.clearHistory(ticker.getAsLong()));
    }

    @Override
    public CompletableFuture<RetractResult> retract(TopicName topic, List<Long> offsets) {
        Sequencer sequencer = sequencers.get(topic);
        RetractResult result = sequencer == null ? null : sequencer.retract(topic, offsets, ticker.getAsLong());
        return retracted(topic, result == null ? Sequencer.beyond(topic, offsets, 0) : result);
    }

    @Override
    public CompletableFuture<RetractResult> retractAllOf(TopicName topic, String sender) {
        Sequencer sequencer = sequencers.get(topic);
        RetractResult result = sequencer == null ? null : sequencer.retractAllOf(topic, sender, ticker.getAsLong());
        return retracted(topic, result == null ? new RetractResult.Retracted(0) : result);
    }

    private CompletableFuture<RetractResult> retracted(TopicName topic, RetractResult result) {
        if (result instanceof RetractResult.Retracted retracted && retracted.count() > 0) {
            metrics.retracted(topic, retracted.count());
        }
        return CompletableFuture.completedFuture(result);
    }

    private void remember(Sequencer sequencer, MessageId id, PublishResult result, long now) {
        long expiresNanos = now + ID_LIFE.toNanos();
        if (result instanceof PublishResult.Accepted accepted && !accepted.duplicate()) {
            remember(new RememberedId(sequencer, id, accepted.offset(), expiresNanos));
        } else if (result instanceof PublishResult.Shed shed && !shed.duplicate()) {
            remember(new RememberedId(sequencer, id, Sequencer.HIDDEN, expiresNanos));
        } else if (result instanceof PublishResult.ValueAccepted merged && !merged.duplicate()) {
            remember(new RememberedId(sequencer, id, Sequencer.VALUE, expiresNanos));
        }
    }

    private Sequencer sequencer(TopicName topic, long now) {
        Sequencer known = sequencers.get(topic);
        if (known != null) {
            return known;
        }
        Sequencer made = sequencers.computeIfAbsent(topic, ignored -> newSequencer(topic, now));
        // A reload may have gone through all topics after the rules were asked for and before this one was among them.
        made.reconfigure(() -> rules.apply(topic), now);
        return made;
    }

    /** Has all topics go on under the rules that {@code rules} gives by now. */
    public void reconfigure() {
        long now = ticker.getAsLong();
        sequencers.forEach((topic, sequencer) -> {
            sequencer.reconfigure(() -> rules.apply(topic), now);
            if (sequencer.members() != null) {
                // So that another bound is heard of in a quiet room, too.
                changing.add(topic);
            }
        });
    }

    private Sequencer newSequencer(TopicName topic, long now) {
        Sequencer made = new Sequencer(newEpoch(), maxIdsOfTopic, rules.apply(topic), tails, now);
        byName.put(topic.toString(), made);
        return made;
    }

    /** Removes a topic whose numbering has ended, unless that is done already. */
    private void remove(TopicName topic, Sequencer ended) {
        sequencers.computeIfPresent(topic, (name, current) -> {
            if (current != ended) {
                return current;
            }
            byName.remove(name.toString());
            return null;
        });
    }

    private String newEpoch() {
        // One draw for all, whose 63 bits are more than they need: each leaves arrays of its own behind.
        long left = random.nextLong() >>> 1;
        StringBuilder epoch = new StringBuilder(EPOCH_LENGTH);
        for (int i = 0; i < EPOCH_LENGTH; i++) {
            epoch.append(EPOCH_LETTERS.charAt((int) (left % EPOCH_LETTERS.length())));
            left /= EPOCH_LETTERS.length();
        }
        return epoch.toString();
    }

    private void remember(RememberedId id) {
        ids.add(id);
        if (idCount.incrementAndGet() > maxIds) {
            RememberedId oldest = ids.poll();
            if (oldest != null) {
                forget(oldest);
            }
        }
    }

    /** @param id taken from the queue by the caller */
    private void forget(RememberedId id) {
        idCount.decrementAndGet();
        id.sequencer.forget(id.id, id.offset);
    }

    @Override
    public Attachment attach(TopicName topic, BrokerListener listener) {
        long now = ticker.getAsLong();
        while (true) {
            Sequencer sequencer = sequencer(topic, now);
            Sequencer.Attached attached = sequencer.attach(listener, now);
            if (attached != null) {
                return new MemoryAttachment(topic, sequencer, listener, attached);
            }
            remove(topic, sequencer);
        }
    }

    @Override
    public CompletableFuture<PresencePage> presence(TopicName topic) {
        Sequencer sequencer = sequencers.get(topic);
        return CompletableFuture.completedFuture(sequencer == null ? nobody(topic) : sequencer.presence());
    }

    @Override
    public CompletableFuture<PresencePage> presence(TopicName topic, @Nullable String after, int limit) {
        Sequencer sequencer = sequencers.get(topic);
        return CompletableFuture.completedFuture(sequencer == null ? nobody(topic) : sequencer.presence(after, limit));
    }

    private PresencePage nobody(TopicName topic) {
        return new PresencePage(rules.apply(topic).presence(), 0, 0, List.of(), false);
    }

    @Override
    public long tailBytes() {
        return tails.bytes();
    }

    @Override
    public int topics() {
        return sequencers.size();
    }

    @Override
    public CompletableFuture<TopicPage> topics(String prefix, String after, int limit) {
        long now = ticker.getAsLong();
        NavigableMap<String, Sequencer> found =
                after.compareTo(prefix) < 0 ? byName.tailMap(prefix, true) : byName.tailMap(after, after.isEmpty());
        List<TopicInfo> page = new ArrayList<>();
        boolean more = false;
        // No more than a page and one is looked at, however many there are.
        for (Map.Entry<String, Sequencer> entry : found.entrySet()) {
            more = entry.getKey().startsWith(prefix) && page.size() == limit;
            if (more || !entry.getKey().startsWith(prefix)) {
                break;
            }
            page.add(entry.getValue().describe(entry.getKey(), now));
        }
        return CompletableFuture.completedFuture(new TopicPage(page, more));
    }

    @Override
    public CompletableFuture<Optional<TopicInfo>> topic(TopicName name) {
        Sequencer sequencer = sequencers.get(name);
        return CompletableFuture.completedFuture(
                Optional.ofNullable(sequencer).map(known -> known.describe(name.toString(), ticker.getAsLong())));
    }

    /** Tells of hidden messages where no shown one has; call it about twice a second, so that it is told within one. */
    public void tellHidden() {
        for (Iterator<TopicName> topics = hiding.iterator(); topics.hasNext(); ) {
            TopicName topic = topics.next();
            // First, so that what is hidden from now on puts the topic in again.
            topics.remove();
            Sequencer sequencer = sequencers.get(topic);
            if (sequencer != null) {
                sequencer.tellHidden(topic);
            }
        }
    }

    /** Tells who has come and who has gone; call it about once a second, and always on one thread. */
    public void tellMembers() {
        long now = ticker.getAsLong();
        List<TopicName> later = new ArrayList<>();
        for (Iterator<TopicName> topics = changing.iterator(); topics.hasNext(); ) {
            TopicName topic = topics.next();
            // First, so that who comes from now on puts the topic in again.
            topics.remove();
            Sequencer sequencer = sequencers.get(topic);
            if (sequencer != null && sequencer.tellMembers(topic, now)) {
                later.add(topic);
            }
        }
        changing.addAll(later);
    }

    /** Tells values that have changed, those whose interval has passed; call it several times in the shortest interval. */
    public void tellValues() {
        long now = ticker.getAsLong();
        List<TopicName> later = new ArrayList<>();
        for (Iterator<TopicName> topics = telling.iterator(); topics.hasNext(); ) {
            TopicName topic = topics.next();
            // First, so that what is merged from now on puts the topic in again.
            topics.remove();
            Sequencer sequencer = sequencers.get(topic);
            if (sequencer != null) {
                Sequencer.Told told = sequencer.tellValues(now);
                if (told.count() > 0) {
                    metrics.valuesTold(topic, told.count());
                }
                if (told.waiting()) {
                    later.add(topic);
                }
            }
        }
        // Not before: the walk could meet them again and again.
        telling.addAll(later);
    }

    /** Forgets what has had its time: old ids, and the numbering of topics that nobody uses. Call it every few seconds. */
    public void sweep() {
        long now = ticker.getAsLong();
        for (RememberedId oldest = ids.peek(); oldest != null && now - oldest.expiresNanos >= 0; oldest = ids.peek()) {
            // Unless a publish has just taken it, to make room.
            if (ids.remove(oldest)) {
                forget(oldest);
            }
        }
        sequencers.forEach((topic, sequencer) -> {
            if (sequencer.retire(now, IDLE_LIFE.toNanos())) {
                remove(topic, sequencer);
            }
        });
    }

    private final class MemoryMembership implements Membership {
        private final TopicName topic;
        private final Members members;
        private final Members.Entry entry;

        MemoryMembership(TopicName topic, Members members, Members.Entry entry) {
            this.topic = topic;
            this.members = members;
            this.entry = entry;
        }

        @Override
        public void info(String info) {
            members.info(entry, info);
        }

        @Override
        public void leave() {
            members.leave(entry, ticker.getAsLong());
            changing.add(topic);
        }
    }

    private final class MemoryAttachment implements Attachment {
        private final TopicName topic;
        private final Sequencer sequencer;
        private final BrokerListener listener;
        private final Sequencer.Attached attached;

        MemoryAttachment(TopicName topic, Sequencer sequencer, BrokerListener listener, Sequencer.Attached attached) {
            this.topic = topic;
            this.sequencer = sequencer;
            this.listener = listener;
            this.attached = attached;
        }

        @Override
        public Position position() {
            return attached.position();
        }

        @Override
        public long head() {
            return sequencer.head();
        }

        @Override
        public PastBounds pastBounds() {
            return sequencer.pastBounds(ticker.getAsLong());
        }

        @Override
        public Past past(long after, long through, int maxBytes) {
            return sequencer.past(after, through, maxBytes);
        }

        @Override
        public Past urgentPast(long after, long through, int maxBytes) {
            return sequencer.urgentPast(after, through, maxBytes);
        }

        @Override
        public List<Long> retracted(long through) {
            return sequencer.retracted(through);
        }

        @Override
        public List<TopicValue> values() {
            return attached.values();
        }

        @Override
        public long lastValue() {
            return attached.lastValue();
        }

        @Override
        public void countSubscriptions(int change) {
            sequencer.countSubscriptions(change, topic, occupancy);
        }

        @Override
        public @Nullable Membership join(String user, @Nullable String info) {
            Members members = tellsMembers() ? sequencer.membersToJoin() : null;
            if (members == null) {
                return null;
            }
            MemoryMembership membership = new MemoryMembership(topic, members, members.join(user, info));
            changing.add(topic);
            return membership;
        }

        @Override
        public boolean tellsMembers() {
            // On its own topic a user would only be told of itself.
            return !topic.namespace().equals(TopicName.USER_NAMESPACE) && sequencer.tellsMembers();
        }

        @Override
        public boolean membersTruncated() {
            Members members = sequencer.members();
            return members != null && members.isTruncated();
        }

        @Override
        public int online() {
            return sequencer.online();
        }

        @Override
        public void close() {
            sequencer.detach(listener, ticker.getAsLong());
        }
    }
}
