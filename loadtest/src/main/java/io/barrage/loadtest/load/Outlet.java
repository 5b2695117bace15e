package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Target;
import io.netty.channel.ChannelHandler;
import java.util.concurrent.CompletableFuture;

/**
 * A connection that publishes in the way that its gateway takes. Confined to its event loop, but for {@link #ready}.
 *
 * <p>The messages of one connection reach the gateway in the order of the calls.
 */
interface Outlet {
    /** The one for a gateway's way to take publishes. */
    static Outlet of(Target target, PublishConnection.Listener listener) {
        return switch (target.publishing()) {
            case HTTP -> new PublishConnection(target, listener);
            case NDJSON -> new NdjsonOutlet(target, listener);
            case NATS -> new NatsOutlet(target, listener);
        };
    }

    /** Completes when it can publish. */
    CompletableFuture<Void> ready();

    /** The handlers that the connection's pipeline needs. */
    ChannelHandler[] handlers();

    /** Queues a publish; {@link #flush} sends it. */
    void publish(Publication publication, byte[] head, byte[] data, byte[] tail);

    void flush();

    /** How many publishes wait for their answer; those that wait for {@link #flush} count. */
    int unanswered();

    /** Closes; no {@link PublishConnection.Listener#onBroken} follows. */
    void close();
}
