package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Response;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code /metrics} in Prometheus' text format. Thread-safe. */
public final class MetricsEndpoint implements Resource {
    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<CompletableFuture<String>> scrape;
    private final boolean open;

    /**
     * @param scrape gives the metrics' text, on whatever thread
     * @param open whether no key is needed
     */
    public MetricsEndpoint(Supplier<CompletableFuture<String>> scrape, boolean open) {
        this.scrape = scrape;
        this.open = open;
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(HttpMethod.GET, "/metrics", open ? null : Scope.READ, this::show));
    }

    private BodyReader show(Call call) {
        return BodyReader.none(() -> call.answer(
                scrape.get(),
                text -> new Response(
                        HttpResponseStatus.OK, CONTENT_TYPE, text.getBytes(StandardCharsets.UTF_8), Map.of())));
    }
}
