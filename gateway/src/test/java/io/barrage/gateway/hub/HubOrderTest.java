package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads publish to the same topics at once, and several real loops deliver: every one of them sees the same order. */
@Timeout(60)
class HubOrderTest {
    private static final int LOOPS = 3;
    private static final int PUBLISHERS = 8;
    private static final int MESSAGES = 800;
    private static final List<String> TOPICS = List.of("room:1", "room:2");

    private final DefaultEventExecutorGroup executors = new DefaultEventExecutorGroup(LOOPS);
    private final ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
    private final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(NamespaceConfig.class, "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private final List<EventExecutor> loops = new ArrayList<>();
    private final Map<RecordingConnection, EventExecutor> connections = new HashMap<>();
    private final AtomicInteger refused = new AtomicInteger();

    private record RealLoop(EventExecutor executor) implements Loop {
        @Override
        public boolean inLoop() {
            return executor.inEventLoop();
        }

        @Override
        public void execute(Runnable task) {
            executor.execute(task);
        }

        @Override
        public void executeAfterIo(Runnable task) {
            executor.schedule(task, 0, TimeUnit.NANOSECONDS);
        }

        @Override
        public void executeAfter(Runnable task, long nanos) {
            executor.schedule(task, nanos, TimeUnit.NANOSECONDS);
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }
    }

    @AfterEach
    void stop() {
        publishers.shutdownNow();
        executors.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void isTheSameOnAllLoops() throws Exception {
        executors.forEach(loops::add);
        Hub hub = new Hub(
                loops.stream().map(RealLoop::new).toList(),
                broker,
                // So little of everything that queues are full and logs saturated now and then.
                topic -> new TopicRules(topic.namespace(), 64, 1 << 20, false, 0, 0, false),
                new HubMemory(20_000, 16 << 20, 16 << 20),
                PooledByteBufAllocator.DEFAULT,
                HubListener.NOOP);
        for (HubShard shard : hub.shards()) {
            EventExecutor loop = ((RealLoop) shard.loop()).executor();
            for (List<String> topics : List.of(TOPICS, TOPICS.subList(0, 1), TOPICS.subList(1, 2))) {
                on(loop, () -> connections.put(connect(shard, topics), loop));
            }
        }

        List<Future<?>> publishing = new ArrayList<>();
        for (int i = 0; i < PUBLISHERS; i++) {
            int publisher = i;
            publishing.add(publishers.submit(() -> publishAll(publisher)));
        }
        for (Future<?> one : publishing) {
            one.get();
        }

        long total = (long) PUBLISHERS * MESSAGES;
        for (String topic : TOPICS) {
            List<String> order = null;
            for (Map.Entry<RecordingConnection, EventExecutor> entry : connections.entrySet()) {
                RecordingConnection connection = entry.getKey();
                if (on(entry.getValue(), () -> isOn(connection, topic))) {
                    await(connection, topic, total);
                    assertEquals(
                            LongStream.rangeClosed(1, total).boxed().toList(),
                            on(entry.getValue(), () -> connection.offsets(topic)));
                    List<String> data = on(entry.getValue(), () -> data(connection, topic));
                    order = order == null ? data : order;
                    assertEquals(order, data);
                }
            }
            checkEachPublishersOrder(order);
        }
        assertTrue(refused.get() > 0, "the queues were never full");
        HubSnapshot snapshot = hub.snapshot().get();
        assertEquals(0, snapshot.conservationError());
        assertEquals(0, snapshot.queuedBytes());
        connections.forEach((connection, loop) -> loop.submit(connection::end));
        hub.close().get();
    }

    private static boolean isOn(RecordingConnection connection, String topic) {
        return connection.frames("subscribed").stream()
                .anyMatch(frame -> frame.topic().equals(topic));
    }

    private static RecordingConnection connect(HubShard shard, List<String> topics) {
        RecordingConnection connection = new RecordingConnection(shard);
        topics.forEach(topic -> shard.subscribe(connection, TopicName.of(topic), 0, null, 0));
        return connection;
    }

    private void publishAll(int publisher) {
        for (int i = 0; i < MESSAGES; i++) {
            for (String topic : TOPICS) {
                byte[] data = (publisher * 10_000 + i + "").getBytes(StandardCharsets.US_ASCII);
                while (!isAccepted(topic, data)) {
                    refused.incrementAndGet();
                    Thread.onSpinWait();
                }
            }
        }
    }

    private boolean isAccepted(String topic, byte[] data) {
        Message.Draft draft = new Message.Draft(TopicName.of(topic), data, Priority.NORMAL, null, 1, 1);
        return broker.publish(draft, null).join() instanceof PublishResult.Accepted;
    }

    private void await(RecordingConnection connection, String topic, long count) throws Exception {
        // The publishers are done, so that each look is one more turn of the loop in which there is only delivering.
        boolean complete = false;
        while (!complete) {
            complete = on(
                    connections.get(connection), () -> connection.offsets(topic).size() >= count);
        }
    }

    private static List<String> data(RecordingConnection connection, String topic) {
        return connection.frames("message").stream()
                .filter(frame -> frame.topic().equals(topic))
                .map(frame -> frame.text().substring(frame.text().indexOf("\"data\":") + 7))
                .toList();
    }

    /** What one thread publishes to one topic keeps its order, and nothing comes twice. */
    private static void checkEachPublishersOrder(List<String> order) {
        Map<Integer, Integer> last = new HashMap<>();
        for (String data : new HashSet<>(order).size() == order.size() ? order : List.<String>of()) {
            int number = Integer.parseInt(data.substring(0, data.length() - 1));
            Integer before = last.put(number / 10_000, number);
            assertTrue(before == null || before < number);
        }
        assertEquals(PUBLISHERS, last.size());
    }

    private static <T> T on(EventExecutor loop, Callable<T> task) throws ExecutionException, InterruptedException {
        return loop.submit(task).get();
    }
}
