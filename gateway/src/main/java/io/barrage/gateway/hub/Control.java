package io.barrage.gateway.hub;

import static java.util.concurrent.CompletableFuture.completedFuture;

import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Position;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a backend may see of a user's connections, and do to them. Reaches all that have been welcomed when it is asked.
 *
 * <p>Thread-safe: each event loop does its part, on its own connections.
 */
public final class Control {
    /** Why a subscription has ended, in {@code unsubscribed}. */
    static final String BY_BACKEND = "by_backend";

    /** Those who are to come back don't come in one moment. */
    private static final int MAX_RETRY_MILLIS = 1000;

    private final Hub hub;
    private final IntSupplier maxSubscriptions;

    /** @param maxSubscriptions of one connection; asked each time, since it can change */
    public Control(Hub hub, IntSupplier maxSubscriptions) {
        this.hub = hub;
        this.maxSubscriptions = maxSubscriptions;
    }

    /**
     * Connections of one user. Immutable.
     *
     * @param connection the id of one of them; null for all
     */
    public record Target(String user, @Nullable String connection) {}

    /** A user's connections now. */
    public CompletableFuture<UserConnections> connections(String user) {
        return hub.ask(shard -> UserConnections.of(
                        shard.connectionsOf(user), shard.loop().nanoTime()))
                .thenApply(UserConnections::merge);
    }

    /** Puts connections on a topic, as if they had asked for it and might. */
    public CompletableFuture<Affected> subscribe(Target target, TopicName topic, @Nullable Position since, int last) {
        return each(target, (shard, connection) -> shard.caughtUp(topic, since)
                .thenApply(ignored -> subscribe(shard, connection, topic, since, last)));
    }

    private Affected subscribe(
            HubShard shard, Connection connection, TopicName topic, @Nullable Position since, int last) {
        if (connection.gone) {
            // While it waited for its loop to catch up.
            return Affected.none();
        }
        if (shard.isSubscribed(connection, topic)) {
            return Affected.refused(ErrorCode.ALREADY_SUBSCRIBED);
        }
        if (connection.subscriptionCount() >= maxSubscriptions.getAsInt()) {
            return Affected.refused(ErrorCode.TOO_MANY_SUBSCRIPTIONS);
        }
        shard.put(connection, topic, since, last);
        return Affected.done();
    }

    /** Takes connections off a topic, and tells them so. */
    public CompletableFuture<Affected> unsubscribe(Target target, TopicName topic, @Nullable String reason) {
        return each(target, (shard, connection) -> {
            if (!shard.unsubscribe(connection, topic)) {
                return completedFuture(Affected.refused(ErrorCode.NOT_SUBSCRIBED));
            }
            connection.takenOff(topic);
            connection.send(new ServerFrame.Unsubscribed(0, topic, BY_BACKEND, reason));
            return completedFuture(Affected.done());
        });
    }

    /** Closes connections; {@code reconnect} says whether their clients are to come back. */
    public CompletableFuture<Affected> disconnect(Target target, @Nullable String reason, boolean reconnect) {
        return each(target, (shard, connection) -> completedFuture(close(connection, reason, reconnect)));
    }

    /** As {@link #disconnect(Target, String, boolean)}, the connection with this number alone, whosoever it is. */
    public CompletableFuture<Affected> disconnect(long number, @Nullable String reason, boolean reconnect) {
        return hub.ask(shard -> Affected.sum(shard.connections().stream()
                        .filter(connection -> connection.number() == number)
                        .map(connection -> close(connection, reason, reconnect))
                        .toList()))
                .thenApply(Affected::sum);
    }

    private static Affected close(Connection connection, @Nullable String reason, boolean reconnect) {
        CloseCode code = reconnect ? CloseCode.OVERLOADED : CloseCode.FORBIDDEN;
        StringBuilder text = new StringBuilder(code.wire());
        if (reconnect) {
            text.append(" retryAfterMs=").append(ThreadLocalRandom.current().nextInt(MAX_RETRY_MILLIS));
        }
        if (reason != null) {
            text.append(' ').append(reason);
        }
        connection.close(code, text.toString());
        return Affected.done();
    }

    /** Something to be done to a connection, on its event loop. */
    private interface Action {
        CompletableFuture<Affected> carryOut(HubShard shard, Connection connection);
    }

    private CompletableFuture<Affected> each(Target target, Action action) {
        Predicate<Connection> isMeant =
                connection -> target.connection == null || target.connection.equals(connection.id());
        Function<HubShard, CompletableFuture<Affected>> part = shard -> {
            List<Connection> found = shard.connectionsOf(target.user);
            found.removeIf(isMeant.negate());
            return sum(found.stream()
                    .map(connection -> action.carryOut(shard, connection))
                    .toList());
        };
        return hub.ask(part).thenCompose(Control::sum);
    }

    private static CompletableFuture<Affected> sum(List<CompletableFuture<Affected>> parts) {
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(ignored ->
                        Affected.sum(parts.stream().map(CompletableFuture::join).toList()));
    }
}
