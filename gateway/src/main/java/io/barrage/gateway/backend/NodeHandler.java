package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubSnapshot;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import tools.jackson.core.JsonGenerator;

/** {@code /v1/node}, {@code /v1/nodes}: what this node carries; {@code /v1/node/drain}: lets it end. Thread-safe. */
public final class NodeHandler implements Resource {
    private final String node;
    private final String version;
    private final Hub hub;
    private final Broker broker;
    private final BooleanSupplier isDraining;
    private final Runnable drain;

    /** @param drain begins the drain and returns at once; harmless when repeated */
    public NodeHandler(
            String node, String version, Hub hub, Broker broker, BooleanSupplier isDraining, Runnable drain) {
        this.node = node;
        this.version = version;
        this.hub = hub;
        this.broker = broker;
        this.isDraining = isDraining;
        this.drain = drain;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, "/v1/node", Scope.READ, this::show),
                new Route(HttpMethod.GET, "/v1/nodes", Scope.READ, this::list),
                new Route(HttpMethod.POST, "/v1/node/drain", Scope.CONTROL, this::drain));
    }

    private BodyReader show(Call call) {
        call.query();
        return BodyReader.none(() -> call.answer(hub.snapshot(), snapshot -> Json.answer(out -> write(snapshot, out))));
    }

    /** All nodes of the broker, which are this one. */
    private BodyReader list(Call call) {
        call.query();
        return BodyReader.none(() -> call.answer(
                hub.snapshot(),
                snapshot -> Json.answer(out -> {
                    out.writeArrayPropertyStart("nodes");
                    out.writeStartObject();
                    write(snapshot, out);
                    out.writeEndObject();
                    out.writeEndArray();
                })));
    }

    private void write(HubSnapshot snapshot, JsonGenerator out) {
        out.writeStringProperty("node", node);
        out.writeStringProperty("version", version);
        out.writeBooleanProperty("draining", isDraining.getAsBoolean());
        out.writeNumberProperty("connections", snapshot.connections());
        out.writeNumberProperty("topics", broker.topics());
        out.writeNumberProperty("subscriptions", snapshot.subscriptions());
        out.writeNumberProperty("behindConnections", snapshot.behindConnections());
    }

    /** Reads no body to speak of: {@code curl -X POST} sends none, others send {@code {}}. */
    private BodyReader drain(Call call) {
        call.query();
        call.requireIdentity();
        Exchange exchange = call.exchange();
        // A form on a foreign page can send neither of these.
        if (!exchange.contentType().isEmpty() && !exchange.contentType().equals("application/json")) {
            throw new ProtocolException(
                    ErrorCode.UNSUPPORTED_MEDIA_TYPE, "a drain takes no body, or one of application/json");
        }
        return BodyReader.whole(1024, body -> {
            exchange.respond(new Response(
                    HttpResponseStatus.ACCEPTED,
                    "application/json",
                    Json.object(out -> out.writeBooleanProperty("draining", true)),
                    Map.of()));
            drain.run();
        });
    }
}
