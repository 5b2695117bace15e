package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node with very many quiet topics and a crowded one. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class ManyTopicsTest {
    private static final int TOPICS = 100_000;
    private static final int CONNECTIONS = 1_000;
    private static final int CROWD = 19_000;

    private final SteppedLoop loop = new SteppedLoop();
    private final NamespaceConfig rules = ConfigReader.parse(NamespaceConfig.class, "name: room");
    private final MemoryBroker broker =
            new MemoryBroker(loop::nanoTime, topic -> rules, BrokerMetrics.NOOP, 128L << 20);
    private final HubShard shard = new HubShard(
            loop,
            broker,
            topic -> new TopicRules("room", 1024, 1 << 20, true, 0, 0, false),
            new HubMemory(64 << 20, 256 << 20, 64 << 20),
            new PooledByteBufAllocator(true),
            HubListener.NOOP,
            0);

    /** Takes everything and keeps nothing but the number of bytes. */
    private static final class Sink extends Connection {
        private long bytes;
        private int writes;

        Sink(HubShard shard) {
            super(shard);
        }

        @Override
        protected Write write(ByteBuf run) {
            bytes += run.readableBytes();
            writes++;
            run.release();
            return Write.WRITTEN;
        }

        @Override
        public String id() {
            return "sink";
        }

        @Override
        public long number() {
            return 1;
        }

        @Override
        public String info() {
            return null;
        }

        @Override
        public String user() {
            return null;
        }

        @Override
        public SocketAddress address() {
            return null;
        }

        @Override
        public String transport() {
            return "none";
        }

        @Override
        protected long heldBytes() {
            return 0;
        }

        @Override
        public void send(ServerFrame frame) {}

        @Override
        public void send(TopicValue value) {}

        @Override
        public void giveBack(byte[] frame) {}

        @Override
        public void close(CloseCode code, String reason) {}

        void end() {
            gone();
        }
    }

    private static long usedHeap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return least;
    }

    private void publish(TopicName topic) {
        broker.publish(
                new Message.Draft(topic, new byte[] {'1'}, Priority.NORMAL, null, 1_700_000_000_000L, loop.nanoTime()),
                null);
    }

    @Test
    void carriesManyQuietTopicsAndACrowdedOne() {
        ResourceLeakDetector.Level levelBefore = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        try {
            List<TopicName> topics = new ArrayList<>();
            for (int i = 0; i < TOPICS; i++) {
                topics.add(TopicName.of("room:" + i));
            }
            List<Sink> sinks = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                sinks.add(new Sink(shard));
            }
            long before = usedHeap();
            for (int i = 0; i < TOPICS; i++) {
                shard.subscribe(sinks.get(i % CONNECTIONS), topics.get(i), 0, null, 0);
            }
            long perTopic = (usedHeap() - before) / TOPICS;
            assertTrue(perTopic < 1_000, perTopic + " bytes for each topic with one subscription");
            assertEquals(0, shard.snapshot().logBytes());

            TopicName crowded = TopicName.of("room:crowded");
            long beforeCrowd = usedHeap();
            List<Sink> crowd = new ArrayList<>();
            for (int i = 0; i < CROWD; i++) {
                Sink sink = new Sink(shard);
                crowd.add(sink);
                shard.subscribe(sink, crowded, 0, null, 0);
            }
            long crowdBytes = usedHeap() - beforeCrowd;
            publish(crowded);
            topics.forEach(this::publish);
            publish(crowded);
            loop.runUntilIdle();
            crowd.forEach(sink -> assertEquals(crowd.get(0).bytes, sink.bytes));
            assertTrue(crowd.get(0).writes >= 1 && crowd.get(0).writes <= 2);
            HubSnapshot snapshot = shard.snapshot();
            assertEquals(0, snapshot.conservationError());
            assertEquals(
                    TOPICS + 2L * CROWD,
                    snapshot.namespaces().get(0).delivered().get(1));
            assertTrue(snapshot.logBytes() <= SegmentStore.MAX_SEGMENT_BYTES, "quiet topics keep no segment");
            perTopic = (usedHeap() - before - crowdBytes) / TOPICS;
            assertTrue(perTopic < 1_500, perTopic + " bytes for each quiet topic with its last message");
            sinks.forEach(Sink::end);
            crowd.forEach(Sink::end);
            assertEquals(0, shard.snapshot().topics());
        } finally {
            loop.runUntilIdle();
            shard.close();
            ResourceLeakDetector.setLevel(levelBefore);
        }
    }
}
