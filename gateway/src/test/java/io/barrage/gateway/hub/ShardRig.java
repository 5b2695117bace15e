package io.barrage.gateway.hub;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A shard on a stepped loop, fed by a memory broker: what the hub's tests begin with. Confined to the test's thread. */
final class ShardRig {
    static final int FRAMES = 1024;
    static final int LOG_BYTES = 1 << 20;
    static final int MAX_TAIL_BYTES = 64 << 20;
    static final HubMemory MEMORY = new HubMemory(1 << 20, 64 << 20, 16 << 20);

    final SteppedLoop loop = new SteppedLoop();
    final MemoryBroker broker = new MemoryBroker(loop::nanoTime, this::brokerRules, BrokerMetrics.NOOP, MAX_TAIL_BYTES);
    // Without the threads' caches the number of active buffers is exact.
    final PooledByteBufAllocator allocator = new PooledByteBufAllocator(true, 0, 1, 8192, 9, 0, 0, false) {
        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (outOfMemory) {
                throw new OutOfMemoryError("the test says so");
            }
            return super.newDirectBuffer(initialCapacity, maxCapacity);
        }
    };
    final List<RecordingConnection> connections = new ArrayList<>();
    final List<Long> fannedOut = new ArrayList<>();
    final HubShard shard;
    /** Whether there is no direct memory now. */
    boolean outOfMemory;

    /** Whether the listener fails, which is asked at each walk's end. */
    boolean listenerFails;

    private final Map<String, TopicRules> rules = new HashMap<>();
    private final Map<String, String> more = new HashMap<>();

    ShardRig() {
        this(MEMORY);
    }

    ShardRig(HubMemory memory) {
        shard = new HubShard(loop, broker, this::rules, memory, allocator, this::fannedOut, 0);
    }

    private void fannedOut(long nanos) {
        if (listenerFails) {
            throw new IllegalStateException("the test's bug");
        }
        fannedOut.add(nanos);
    }

    private TopicRules rules(TopicName topic) {
        return rules.getOrDefault(
                topic.namespace(), new TopicRules(topic.namespace(), FRAMES, LOG_BYTES, false, 0, 0, false));
    }

    private NamespaceConfig brokerRules(TopicName topic) {
        TopicRules of = rules(topic);
        return ConfigReader.parse(
                NamespaceConfig.class,
                "{name: " + of.namespace() + ", log: {size: " + Math.max(16, of.maxFrames()) + ", bytes: "
                        + of.maxLogBytes() + "}" + more.getOrDefault(of.namespace(), "") + "}");
    }

    /** How many messages of the topics of a namespace that aren't open yet can be recovered. */
    ShardRig history(String namespace, int size) {
        more.put(namespace, ", history: {size: " + size + "}");
        return this;
    }

    /** How many messages a second the topics of a namespace that aren't open yet may show. */
    ShardRig budget(String namespace, int perSecond) {
        more.put(namespace, ", budget: " + perSecond + "/s");
        return this;
    }

    /** Subscribers of the topics of a namespace that aren't open yet are told of each other. */
    ShardRig members(String namespace, int max) {
        more.put(namespace, ", presence: members, members: {max: " + max + ", grace: 5s}");
        return countsPresence(namespace);
    }

    /** A connection of a user, on some topics. */
    RecordingConnection connectUser(String user, String... topics) {
        RecordingConnection connection = new RecordingConnection(shard, 100_000 + connections.size(), user);
        connections.add(connection);
        for (String topic : topics) {
            subscribe(connection, topic);
        }
        return connection;
    }

    /** What happens once a second. */
    void tick() {
        broker.tellMembers();
        shard.tellCounts();
        loop.runUntilIdle();
    }

    /** From now on connections that fall off the log of a topic that isn't open yet are closed. */
    ShardRig reliable(String namespace, int maxFrames) {
        rules.put(namespace, new TopicRules(namespace, maxFrames, LOG_BYTES, false, 0, 0, true));
        return this;
    }

    /** Rules for the topics of a namespace that aren't open yet. */
    ShardRig rules(String namespace, int maxFrames, int maxLogBytes, boolean countsPresence) {
        rules.put(namespace, new TopicRules(namespace, maxFrames, maxLogBytes, countsPresence, 0, 0, false));
        return this;
    }

    ShardRig rules(String namespace, int maxFrames, int maxLogBytes) {
        return rules(namespace, maxFrames, maxLogBytes, false);
    }

    ShardRig countsPresence(String namespace) {
        return rules(namespace, FRAMES, LOG_BYTES, true);
    }

    ShardRig coalesce(String namespace, int maxFrames, long nanos, long maxNanos) {
        rules.put(namespace, new TopicRules(namespace, maxFrames, LOG_BYTES, false, nanos, maxNanos, false));
        return this;
    }

    RecordingConnection connect(String... topics) {
        RecordingConnection connection = new RecordingConnection(shard);
        connections.add(connection);
        for (String topic : topics) {
            subscribe(connection, topic);
        }
        return connection;
    }

    /** A connection with an encoding, on nothing yet. */
    RecordingConnection connect(Encoding encoding) {
        RecordingConnection connection = new RecordingConnection(shard, encoding);
        connections.add(connection);
        return connection;
    }

    boolean attention(RecordingConnection connection, String topic, AttentionLevel level) {
        return shard.attention(connection, TopicName.of(topic), 0, level);
    }

    List<RecordingConnection> connectMany(int count, String... topics) {
        List<RecordingConnection> many = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            many.add(connect(topics));
        }
        return many;
    }

    boolean subscribe(RecordingConnection connection, String topic) {
        return shard.subscribe(connection, TopicName.of(topic), 0, null, 0);
    }

    boolean unsubscribe(RecordingConnection connection, String topic) {
        return shard.unsubscribe(connection, TopicName.of(topic));
    }

    /** Publishes; gives the offset. */
    long publish(String topic, Priority priority, String json) {
        PublishResult result = tryPublish(topic, priority, json);
        if (result instanceof PublishResult.Accepted accepted) {
            return accepted.offset();
        }
        throw new AssertionError("not accepted: " + result);
    }

    PublishResult tryPublish(String topic, Priority priority, String json) {
        return tryPublish(topic, priority, json, 0);
    }

    PublishResult tryPublish(String topic, Priority priority, String json, long ttlNanos) {
        byte[] data = json.getBytes(StandardCharsets.UTF_8);
        return broker.publish(
                        new Message.Draft(
                                TopicName.of(topic),
                                data,
                                priority,
                                null,
                                1_700_000_000_000L,
                                loop.nanoTime(),
                                ttlNanos),
                        null)
                .join();
    }

    long publish(String topic) {
        return publish(topic, Priority.NORMAL, "1");
    }

    void publishMany(int count, String topic) {
        for (int i = 0; i < count; i++) {
            publish(topic);
        }
    }

    /** A JSON string of {@code length} bytes. */
    static String text(int length) {
        return '"' + "x".repeat(length - 2) + '"';
    }

    HubSnapshot snapshot() {
        return shard.snapshot();
    }

    HubSnapshot.Namespace counters(String namespace) {
        return snapshot().namespaces().stream()
                .filter(counters -> counters.name().equals(namespace))
                .findFirst()
                .orElseThrow();
    }

    long shed(String namespace, ShedReason reason, Priority priority) {
        return counters(namespace).shed().get(reason.ordinal()).get(priority.ordinal());
    }

    long activeBuffers() {
        return allocator.metric().directArenas().stream()
                .mapToLong(PoolArenaMetric::numActiveAllocations)
                .sum();
    }

    /** Ends everything and says what memory is left; call it at each test's end. */
    long closeAndCountLeaks() {
        connections.stream().filter(connection -> !connection.hasEnded()).forEach(RecordingConnection::end);
        loop.runUntilIdle();
        shard.close();
        // The allocator's thread-local cache would keep this rig, and all that its clients have got, as long as the
        // thread.
        FastThreadLocal.removeAll();
        return activeBuffers();
    }
}
