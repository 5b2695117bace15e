package io.barrage.gateway.backend;

import io.barrage.gateway.auth.ApiKey;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The backend's door: says which path is whose, and who may go there.
 *
 * <p>Thread-safe: one for all connections of the listener.
 */
public final class BackendDoor implements HttpConnection.Door {
    /** Whom a request is taken for where no key is asked for. */
    private static final String NOBODY = "";

    private static final String BEARER = "bearer ";
    private static final List<String> LOCAL_HOSTS = List.of("localhost", "127.0.0.1", "[::1]");

    private final Supplier<ApiKeys> keys;
    private final Map<String, Map<HttpMethod, Route>> routes = new LinkedHashMap<>();

    /** @param scope null where no key is needed */
    private record Route(Endpoint endpoint, @Nullable Scope scope) {}

    /** @param keys asked with each request, since they can change */
    public BackendDoor(
            Supplier<ApiKeys> keys,
            PublishHandler publish,
            HealthHandler health,
            NodeHandler node,
            ConnectionsHandler connections,
            MetricsEndpoint metrics,
            boolean openMetrics) {
        this.keys = keys;
        add("/healthz", HttpMethod.GET, null, health::live);
        add("/livez", HttpMethod.GET, null, health::live);
        add("/readyz", HttpMethod.GET, null, health::ready);
        add("/metrics", HttpMethod.GET, openMetrics ? null : Scope.READ, metrics);
        add("/v1/publish", HttpMethod.POST, Scope.PUBLISH, publish);
        add("/v1/connections", HttpMethod.GET, Scope.READ, connections);
        add("/v1/node", HttpMethod.GET, Scope.READ, node::show);
        add("/v1/node/drain", HttpMethod.POST, Scope.CONTROL, node::drain);
    }

    private void add(String path, HttpMethod method, @Nullable Scope scope, Endpoint endpoint) {
        routes.computeIfAbsent(path, ignored -> new LinkedHashMap<>()).put(method, new Route(endpoint, scope));
    }

    @Override
    public BodyReader open(Exchange exchange) {
        Map<HttpMethod, Route> methods = routes.get(exchange.path());
        if (methods == null) {
            throw new ProtocolException(
                    ErrorCode.NOT_FOUND,
                    "nothing is at " + Printable.of(exchange.path()) + "; this is the backend's listener, with "
                            + String.join(", ", routes.keySet()));
        }
        HttpMethod method = exchange.method().equals(HttpMethod.HEAD) ? HttpMethod.GET : exchange.method();
        Route route = methods.get(method);
        if (route == null) {
            exchange.requireMethod(methods.keySet().toArray(HttpMethod[]::new));
            throw new IllegalStateException("a method that is allowed has a route: " + method);
        }
        return route.endpoint.open(exchange, route.scope == null ? NOBODY : authorize(exchange, route.scope));
    }

    /** Gives the caller's name, or throws if it may not do this. */
    private String authorize(Exchange exchange, Scope scope) {
        ApiKeys known = keys.get();
        if (known.isEmpty()) {
            refuseForeignPages(exchange);
            return NOBODY;
        }
        String header = exchange.headers().get(HttpHeaderNames.AUTHORIZATION, "");
        if (!header.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
            throw new ProtocolException(
                    ErrorCode.UNAUTHORIZED, "an API key is needed: send 'Authorization: Bearer <key>'");
        }
        ApiKey key = known.verify(header.substring(BEARER.length()).strip());
        if (key == null) {
            throw new ProtocolException(ErrorCode.UNAUTHORIZED, "this API key isn't known");
        }
        if (!key.allows(scope)) {
            throw new ProtocolException(
                    ErrorCode.FORBIDDEN,
                    "API key '" + key.name() + "' lacks the scope '"
                            + scope.name().toLowerCase(Locale.ROOT) + "'");
        }
        return key.name();
    }

    /**
     * Without keys, being local is all that a caller needs, and a page in a browser on this machine is local: it is kept out by
     * what only its browser can set. The host guards against names that a page's owner lets point here (DNS rebinding).
     */
    private static void refuseForeignPages(Exchange exchange) {
        String host = exchange.headers().get(HttpHeaderNames.HOST, "").toLowerCase(Locale.ROOT);
        if (!LOCAL_HOSTS.contains(withoutPort(host))) {
            throw new ProtocolException(
                    ErrorCode.FORBIDDEN, "without API keys only the hosts localhost, 127.0.0.1 and [::1] are served");
        }
        String origin = exchange.headers().get(HttpHeaderNames.ORIGIN);
        if (origin != null && !origin.toLowerCase(Locale.ROOT).equals("http://" + host)) {
            throw new ProtocolException(ErrorCode.FORBIDDEN, "without API keys no foreign page is served");
        }
        if ("cross-site".equalsIgnoreCase(exchange.headers().get("sec-fetch-site"))) {
            throw new ProtocolException(ErrorCode.FORBIDDEN, "without API keys no foreign page is served");
        }
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }
}
