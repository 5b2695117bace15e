package io.barrage.gateway.hub;

import io.barrage.gateway.broker.Broker;
import io.barrage.protocol.TopicName;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** One node's registry of topics and subscriptions: a {@link HubShard} for each event loop. Thread-safe. */
public final class Hub {
    private final List<HubShard> shards = new ArrayList<>();
    private final long originNanos;

    /**
     * @param rules what a topic's namespace says; asked when a loop gets its first subscription of the topic, and by
     *     {@link #reconfigure}
     * @param memory the bounds of each event loop
     */
    public Hub(
            List<? extends Loop> loops,
            Broker broker,
            Function<TopicName, TopicRules> rules,
            HubMemory memory,
            ByteBufAllocator allocator,
            HubListener listener) {
        this.originNanos = loops.get(0).nanoTime();
        for (int i = 0; i < loops.size(); i++) {
            // Ticks apart, so that the loops don't all write in one moment.
            long phaseNanos = Coalescing.TICK_NANOS * i / loops.size();
            shards.add(new HubShard(loops.get(i), broker, rules, memory, allocator, listener, phaseNanos));
        }
    }

    /** The shards, in the order of the event loops that the hub was made with. */
    public List<HubShard> shards() {
        return List.copyOf(shards);
    }

    /** Tells topics of changed counts, and checks the books; call it about once a second. */
    public void tellCounts() {
        shards.forEach(shard -> shard.loop().execute(shard::tellCounts));
    }

    /**
     * Has all topics go on under the rules that {@code rules} gives by now; done when all loops have.
     *
     * @param access whether it has changed what clients may do: then each connection looks whether it may stay on its topics
     */
    public CompletableFuture<Void> reconfigure(boolean access) {
        return CompletableFuture.allOf(shards.stream()
                .map(shard -> CompletableFuture.runAsync(() -> shard.reconfigure(access), shard.loop()::execute))
                .toArray(CompletableFuture[]::new));
    }

    /** The counters now, of all event loops. */
    public CompletableFuture<HubSnapshot> snapshot() {
        return ask(HubShard::snapshot).thenApply(HubSnapshot::sum);
    }

    /** The connections that are asked for, of all event loops. */
    public CompletableFuture<ConnectionPage> connections(ConnectionQuery query) {
        return ask(shard -> new ConnectionView(shard, query, originNanos).read())
                .thenApply(parts -> ConnectionPage.merge(parts, query));
    }

    /** Each shard's answer, given on its event loop. */
    <T> CompletableFuture<List<T>> ask(Function<HubShard, T> question) {
        List<CompletableFuture<T>> parts = shards.stream()
                .map(shard -> CompletableFuture.supplyAsync(() -> question.apply(shard), shard.loop()::execute))
                .toList();
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(
                        ignored -> parts.stream().map(CompletableFuture::join).toList());
    }

    /** Lets go of all memory, on the loops; connections should be closed before. */
    public CompletableFuture<Void> close() {
        return CompletableFuture.allOf(shards.stream()
                .map(shard -> CompletableFuture.runAsync(shard::close, shard.loop()::execute))
                .toArray(CompletableFuture[]::new));
    }
}
