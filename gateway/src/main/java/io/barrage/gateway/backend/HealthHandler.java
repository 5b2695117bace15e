package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.ErrorCode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** {@code /healthz}, {@code /livez}: the event loops turn. {@code /readyz}: new connections are welcome. Thread-safe. */
public final class HealthHandler {
    /** A loop that hasn't turned for so long is stuck, which only a restart mends. */
    private static final long TURN_TIMEOUT_MILLIS = 5_000;

    private final Hub hub;
    private final BooleanSupplier isReady;

    /** @param isReady false before the start is complete and from the drain on */
    public HealthHandler(Hub hub, BooleanSupplier isReady) {
        this.hub = hub;
        this.isReady = isReady;
    }

    BodyReader live(Exchange exchange, String ignored) {
        return BodyReader.none(() -> allLoopsTurn()
                .whenCompleteAsync(
                        (done, stuck) -> exchange.respond(
                                stuck == null
                                        ? Response.text("ok\n")
                                        : Problem.of(ErrorCode.INTERNAL, "an event loop doesn't turn")),
                        exchange.channel().eventLoop()));
    }

    private CompletableFuture<Void> allLoopsTurn() {
        return CompletableFuture.allOf(hub.shards().stream()
                        .map(HubShard::loop)
                        .map(loop -> CompletableFuture.runAsync(() -> {}, loop::execute))
                        .toArray(CompletableFuture[]::new))
                .orTimeout(TURN_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    }

    BodyReader ready(Exchange exchange, String ignored) {
        return BodyReader.none(() -> exchange.respond(
                isReady.getAsBoolean()
                        ? Response.text("ready\n")
                        : Problem.of(ErrorCode.DRAINING, "this node is starting or draining")));
    }
}
