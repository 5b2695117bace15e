package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code /metrics} in Prometheus' text format. Thread-safe. */
public final class MetricsEndpoint implements Endpoint {
    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<CompletableFuture<String>> scrape;

    /** @param scrape gives the metrics' text, on whatever thread */
    public MetricsEndpoint(Supplier<CompletableFuture<String>> scrape) {
        this.scrape = scrape;
    }

    @Override
    public BodyReader open(Exchange exchange, String ignored) {
        return BodyReader.none(() -> scrape.get()
                .whenCompleteAsync(
                        (text, failure) -> exchange.respond(
                                text == null
                                        ? Problem.of(ErrorCode.INTERNAL, "the metrics can't be read")
                                        : new Response(
                                                HttpResponseStatus.OK,
                                                CONTENT_TYPE,
                                                text.getBytes(StandardCharsets.UTF_8),
                                                Map.of())),
                        exchange.channel().eventLoop()));
    }
}
