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
import io.netty.util.AsciiString;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The backend's door: says which path is whose, and who may go there.
 *
 * <p>Thread-safe: one for all connections of the listener.
 */
public final class BackendDoor implements HttpConnection.Door {
    private static final String BEARER = "bearer ";
    private static final AsciiString SEC_FETCH_SITE = AsciiString.cached("sec-fetch-site");
    private static final List<String> LOCAL_HOSTS = List.of("localhost", "127.0.0.1", "[::1]");

    private final Supplier<ApiKeys> keys;
    private final Routes routes;

    /** @param keys asked with each request, since they can change */
    public BackendDoor(Supplier<ApiKeys> keys, Collection<? extends Resource> resources) {
        this.keys = keys;
        this.routes = new Routes(resources);
    }

    /** All that answers here. */
    public List<Route> routes() {
        return routes.all();
    }

    @Override
    public BodyReader open(Exchange exchange) {
        Routes.Match match = routes.find(exchange.rawPath());
        if (match == null) {
            throw new ProtocolException(
                    ErrorCode.NOT_FOUND,
                    "nothing is at " + Printable.of(exchange.path()) + "; this is the backend's listener, with "
                            + String.join(", ", routes.templates()));
        }
        HttpMethod method = exchange.method().equals(HttpMethod.HEAD) ? HttpMethod.GET : exchange.method();
        Route route = match.methods().get(method);
        if (route == null) {
            exchange.requireMethod(allowed(match));
            throw new IllegalStateException("a method that is allowed has a route: " + method);
        }
        Caller caller = route.scope() == null ? Caller.NOBODY : authorize(exchange, route.scope());
        return route.endpoint().open(new Call(exchange, caller, match.parameters()));
    }

    private static HttpMethod[] allowed(Routes.Match match) {
        Set<HttpMethod> methods = new LinkedHashSet<>();
        for (HttpMethod method : match.methods().keySet()) {
            methods.add(method);
            if (method.equals(HttpMethod.GET)) {
                methods.add(HttpMethod.HEAD);
            }
        }
        return methods.toArray(HttpMethod[]::new);
    }

    /** Gives the caller, or throws if it may not do this. */
    private Caller authorize(Exchange exchange, Scope scope) {
        ApiKeys known = keys.get();
        if (known.isEmpty()) {
            refuseForeignPages(exchange);
            return Caller.NOBODY;
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
        return new Caller(key);
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
        if ("cross-site".equalsIgnoreCase(exchange.headers().get(SEC_FETCH_SITE))) {
            throw new ProtocolException(ErrorCode.FORBIDDEN, "without API keys no foreign page is served");
        }
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }
}
