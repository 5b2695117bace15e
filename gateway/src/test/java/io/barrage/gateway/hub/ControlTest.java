package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.hub.RecordingConnection.Frame;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a backend does to connections while messages are on their way to their loop. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class ControlTest {
    private static final TopicName ROOM = TopicName.of("room:1");

    private final SteppedLoop loop = new SteppedLoop();
    private final MemoryBroker broker = new MemoryBroker(
            loop::nanoTime,
            topic -> ConfigReader.parse(
                    NamespaceConfig.class, "{name: " + topic.namespace() + ", history: {size: 100}}"),
            BrokerMetrics.NOOP,
            64 << 20);
    private final Hub hub = new Hub(
            List.of(loop),
            broker,
            topic -> new TopicRules(topic.namespace(), 1024, 1 << 20, false, 0, 0, false),
            ShardRig.MEMORY,
            UnpooledByteBufAllocator.DEFAULT,
            HubListener.NOOP);
    private final HubShard shard = hub.shards().get(0);
    private final Control control = new Control(hub, () -> 10);
    private final RecordingConnection other = new RecordingConnection(shard);
    private final RecordingConnection one = new RecordingConnection(shard, 1, "u7");

    ControlTest() {
        shard.subscribe(other, ROOM, 0, null, 0);
        shard.subscribe(one, TopicName.ofUser("u7"), 0, null, 0);
        loop.runUntilIdle();
    }

    @AfterEach
    void close() {
        hub.close();
        loop.runUntilIdle();
    }

    private void publish(int count) {
        for (int i = 0; i < count; i++) {
            broker.publish(new Message.Draft(ROOM, new byte[] {'1'}, Priority.NORMAL, null, 1, loop.nanoTime()), null);
        }
    }

    /** Has it put on the room, behind messages that its loop hasn't got yet. */
    private CompletableFuture<Affected> subscribeAheadOfTheLoop() {
        String epoch = other.frames("subscribed").get(0).json().get("epoch").stringValue();
        return control.subscribe(new Control.Target("u7", null), ROOM, new Position(epoch, 3), 0);
    }

    @Test
    void whoIsPutOnATopicAheadOfItsLoopHasRecovered() {
        CompletableFuture<Affected> done = subscribeAheadOfTheLoop();
        // Behind the question in the loop's queue.
        publish(3);
        assertFalse(done.isDone());
        loop.runUntilIdle();
        assertEquals(Affected.done(), done.join());
        Frame subscribed = one.frames("subscribed").get(1);
        assertEquals(3, subscribed.number("offset"));
        assertTrue(subscribed.json().get("recovered").booleanValue(), subscribed.text());
        publish(1);
        loop.runUntilIdle();
        assertEquals(List.of(4L), one.offsets("room:1"));
    }

    @Test
    void whoIsGoneMeanwhileIsntCounted() {
        CompletableFuture<Affected> done = subscribeAheadOfTheLoop();
        loop.execute(one::end);
        publish(3);
        loop.runUntilIdle();
        assertEquals(new Affected(0, 0, Map.of()), done.join());
    }
}
