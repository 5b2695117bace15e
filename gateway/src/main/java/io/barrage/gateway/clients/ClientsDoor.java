package io.barrage.gateway.clients;

import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.hooks.Notifications;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The clients' door: says which path is whose.
 *
 * <p>Thread-safe: one for all connections of the listener.
 */
public final class ClientsDoor implements HttpConnection.Door {
    private static final Set<String> BACKEND_PATHS = Set.of("/metrics", "/healthz", "/livez", "/readyz");

    private final StaticFiles files;
    private final Origins origins;
    private final UpgradeHandler upgrades;
    private final Context context;

    /** What all connections share. */
    record Context(
            Supplier<ClientRules> currentRules,
            Access access,
            Notifications notifications,
            Broker broker,
            Function<EventLoop, HubShard> shards,
            ClientMetrics metrics,
            String node,
            AtomicLong ids,
            Admission admission,
            DrainState drain,
            Inflaters inflaters) {

        /** As they are now: they can change. */
        ClientRules rules() {
            return currentRules.get();
        }
    }

    /** Each event loop's inflater, made with its first compressed message. Thread-safe. */
    static final class Inflaters extends FastThreadLocal<MessageInflater> {
        @Override
        protected MessageInflater initialValue() {
            return new MessageInflater();
        }

        /** Called when the loop's thread ends. */
        @Override
        protected void onRemoval(MessageInflater inflater) {
            inflater.close();
        }
    }

    /** Whether the node drains. Thread-safe. */
    static final class DrainState {
        volatile boolean draining;
    }

    /**
     * @param rules asked each time, as are {@code namespaces} and {@code tokens}, since they can change
     * @param node a short name of this node's life, part of its connections' ids
     */
    public ClientsDoor(
            Supplier<ClientRules> rules,
            Supplier<Namespaces> namespaces,
            Supplier<TokenVerifier> tokens,
            Hooks hooks,
            Broker broker,
            Function<EventLoop, HubShard> shards,
            ClientMetrics metrics,
            String node) {
        boolean development = rules.get().development();
        this.context = new Context(
                rules,
                new NamespaceAccess(namespaces, tokens, hooks, development),
                hooks.notifications(),
                broker,
                shards,
                metrics,
                node,
                new AtomicLong(),
                new Admission(rules, System::nanoTime),
                new DrainState(),
                new Inflaters());
        this.origins = new Origins(rules);
        this.files = new StaticFiles(development);
        this.upgrades = new UpgradeHandler(context, origins);
    }

    /** From now on new connections are closed at once, with a hint to come back. */
    public void drain() {
        context.drain().draining = true;
    }

    @Override
    public BodyReader open(Exchange exchange) {
        String path = exchange.path();
        if (path.equals("/ws")) {
            exchange.requireMethod(HttpMethod.GET);
            return upgrades.open(exchange);
        }
        if (files.has(path)) {
            exchange.requireMethod(HttpMethod.GET, HttpMethod.HEAD);
            return BodyReader.none(() -> exchange.respond(file(exchange, path)));
        }
        String hint = path.startsWith("/v1/") || BACKEND_PATHS.contains(path)
                ? "; the backend's paths are served by the backend's listener, on another port"
                : "; WebSocket clients connect to /ws";
        throw new ProtocolException(ErrorCode.NOT_FOUND, "nothing is at " + Printable.of(path) + hint);
    }

    private Response file(Exchange exchange, String path) {
        Response response = files.get(path, exchange.headers().get("if-none-match"));
        String origin = exchange.headers().get("origin");
        return origin != null && origins.allows(exchange.headers())
                ? response.with("access-control-allow-origin", origin).with("vary", "origin")
                : response;
    }
}
