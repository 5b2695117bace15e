package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubSnapshot;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.function.BooleanSupplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** {@code /v1/node}: what this node carries; {@code /v1/node/drain}: lets it end. Thread-safe. */
public final class NodeHandler {
    private static final JsonFactory JSON = new JsonFactory();

    private final String node;
    private final String version;
    private final Hub hub;
    private final BooleanSupplier isDraining;
    private final Runnable drain;

    /** @param drain begins the drain and returns at once; harmless when repeated */
    public NodeHandler(String node, String version, Hub hub, BooleanSupplier isDraining, Runnable drain) {
        this.node = node;
        this.version = version;
        this.hub = hub;
        this.isDraining = isDraining;
        this.drain = drain;
    }

    BodyReader show(Exchange exchange, String ignored) {
        return BodyReader.none(() -> hub.snapshot()
                .whenCompleteAsync(
                        (snapshot, failure) -> exchange.respond(
                                snapshot == null
                                        ? Problem.of(ErrorCode.INTERNAL, "the node's counters can't be read")
                                        : Response.json(json(snapshot))),
                        exchange.channel().eventLoop()));
    }

    private byte[] json(HubSnapshot snapshot) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            out.writeStringProperty("node", node);
            out.writeStringProperty("version", version);
            out.writeBooleanProperty("draining", isDraining.getAsBoolean());
            out.writeNumberProperty("connections", snapshot.connections());
            out.writeNumberProperty("subscriptions", snapshot.subscriptions());
            out.writeNumberProperty("behindConnections", snapshot.behindConnections());
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** Reads no body to speak of: {@code curl -X POST} sends none, others send {@code {}}. */
    BodyReader drain(Exchange exchange, String ignored) {
        // A form on a foreign page can send neither of these.
        if (!exchange.contentType().isEmpty() && !exchange.contentType().equals("application/json")) {
            throw new ProtocolException(
                    ErrorCode.UNSUPPORTED_MEDIA_TYPE, "a drain takes no body, or one of application/json");
        }
        return BodyReader.whole(1024, body -> {
            exchange.respond(new Response(
                    HttpResponseStatus.ACCEPTED,
                    "application/json",
                    "{\"draining\":true}".getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    Map.of()));
            drain.run();
        });
    }
}
