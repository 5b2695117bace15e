package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.ErrorCode;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** {@code /healthz}, {@code /livez}: the event loops turn. {@code /readyz}: new connections are welcome. Thread-safe. */
public final class HealthHandler implements Resource {
    /** A loop that hasn't turned for so long is stuck, which only a restart mends. */
    private static final long TURN_TIMEOUT_MILLIS = 5_000;

    private final Hub hub;
    private final BooleanSupplier isReady;

    /** @param isReady false before the start is complete and from the drain on */
    public HealthHandler(Hub hub, BooleanSupplier isReady) {
        this.hub = hub;
        this.isReady = isReady;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, "/healthz", null, this::live),
                new Route(HttpMethod.GET, "/livez", null, this::live),
                new Route(HttpMethod.GET, "/readyz", null, this::ready));
    }

    private BodyReader live(Call call) {
        return BodyReader.none(() -> call.answer(
                allLoopsTurn().handle((done, stuck) -> stuck == null),
                turn -> turn ? Response.text("ok\n") : Problem.of(ErrorCode.INTERNAL, "an event loop doesn't turn")));
    }

    private CompletableFuture<Void> allLoopsTurn() {
        return CompletableFuture.allOf(hub.shards().stream()
                        .map(HubShard::loop)
                        .map(loop -> CompletableFuture.runAsync(() -> {}, loop::execute))
                        .toArray(CompletableFuture[]::new))
                .orTimeout(TURN_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    }

    private BodyReader ready(Call call) {
        return BodyReader.none(() -> call.exchange()
                .respond(
                        isReady.getAsBoolean()
                                ? Response.text("ready\n")
                                : Problem.of(ErrorCode.DRAINING, "this node is starting or draining")));
    }
}
