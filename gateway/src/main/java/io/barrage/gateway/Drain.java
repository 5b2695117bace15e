package io.barrage.gateway;

import io.barrage.gateway.hub.Connection;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ServerFrame;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Lets a node's connections go: each is told when to come back, spread over some time so that the other nodes aren't run over,
 * and is closed at that moment.
 *
 * <p>Thread-safe; used once.
 */
final class Drain {
    /** Few connections need no spreading: so much time for each, up to the configured spread. */
    private static final long MILLIS_PER_CONNECTION = 5;

    private static final long POLL_MILLIS = 20;

    private final Hub hub;
    private final ScheduledExecutorService timer;
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    Drain(Hub hub, ScheduledExecutorService timer) {
        this.hub = hub;
        this.timer = timer;
    }

    /** Begins; the result completes when no connection is left, or at the deadline. */
    CompletableFuture<Void> start(Duration spread, Duration deadline) {
        long until = System.nanoTime() + deadline.toNanos();
        hub.snapshot().whenComplete((snapshot, failure) -> {
            long connections = snapshot == null ? Long.MAX_VALUE / MILLIS_PER_CONNECTION : snapshot.connections();
            long window = Math.min(spread.toMillis(), connections * MILLIS_PER_CONNECTION);
            hub.shards().forEach(shard -> shard.loop().execute(() -> sayGoodbye(shard, window)));
            await(until);
        });
        return done;
    }

    private void sayGoodbye(HubShard shard, long windowMillis) {
        for (Connection connection : shard.connections()) {
            long after = windowMillis == 0 ? 0 : ThreadLocalRandom.current().nextLong(windowMillis + 1);
            connection.send(new ServerFrame.Goaway("draining", after));
            timer.schedule(() -> shard.loop().execute(() -> close(connection)), after, TimeUnit.MILLISECONDS);
        }
    }

    static void close(Connection connection) {
        connection.close(CloseCode.GOING_AWAY, CloseCode.GOING_AWAY.wire());
    }

    private void await(long until) {
        hub.snapshot().whenComplete((snapshot, failure) -> {
            if (snapshot == null || snapshot.connections() == 0 || System.nanoTime() - until >= 0) {
                done.complete(null);
            } else {
                timer.schedule(() -> await(until), POLL_MILLIS, TimeUnit.MILLISECONDS);
            }
        });
    }

    /** Closes what is left, without waiting for anybody. */
    static CompletableFuture<Void> closeAll(Hub hub) {
        return CompletableFuture.allOf(hub.shards().stream()
                .map(shard -> CompletableFuture.runAsync(
                        () -> List.copyOf(shard.connections()).forEach(Drain::close), shard.loop()::execute))
                .toArray(CompletableFuture[]::new));
    }
}
