package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.hub.Affected;
import io.barrage.gateway.hub.Control;
import io.barrage.gateway.hub.Control.Target;
import io.barrage.gateway.hub.UserConnections;
import io.barrage.protocol.ControlRequest;
import io.barrage.protocol.ErrorCode;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import tools.jackson.core.JsonGenerator;

/**
 * {@code /v1/users/{user}}: a user's connections now, and what is done to them. Who has none is no mistake: nobody else knows
 * whether there are users without connections. Thread-safe.
 */
public final class UsersHandler implements Resource {
    private static final int MAX_BODY_BYTES = 8 * 1024;

    private final Control control;

    public UsersHandler(Control control) {
        this.control = control;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, "/v1/users/{user}", Scope.READ, this::show),
                new Route(HttpMethod.POST, "/v1/users/{user}/subscribe", Scope.CONTROL, this::subscribe),
                new Route(HttpMethod.POST, "/v1/users/{user}/unsubscribe", Scope.CONTROL, this::unsubscribe),
                new Route(HttpMethod.POST, "/v1/users/{user}/disconnect", Scope.CONTROL, this::disconnect));
    }

    // ---------------------------------------------------------------- what there is

    private BodyReader show(Call call) {
        String user = call.user();
        call.query();
        return BodyReader.none(
                () -> call.answer(control.connections(user), found -> Json.answer(out -> write(user, found, out))));
    }

    private static void write(String user, UserConnections found, JsonGenerator out) {
        out.writeStringProperty("user", user);
        out.writeArrayPropertyStart("connections");
        found.connections().forEach(connection -> write(connection, out));
        out.writeEndArray();
        more("moreConnections", found.count() - found.connections().size(), out);
    }

    private static void write(UserConnections.Listed connection, JsonGenerator out) {
        out.writeStartObject();
        out.writeStringProperty("connection", connection.id());
        if (connection.address() != null) {
            out.writeStringProperty("address", ConnectionsHandler.text(connection.address()));
        }
        out.writeStringProperty("transport", connection.transport());
        out.writeNumberProperty("connectedMs", TimeUnit.NANOSECONDS.toMillis(connection.connectedNanos()));
        out.writeArrayPropertyStart("topics");
        connection.topics().forEach(topic -> out.writeString(topic.toString()));
        out.writeEndArray();
        more("moreTopics", connection.moreTopics(), out);
        out.writeEndObject();
    }

    private static void more(String name, int count, JsonGenerator out) {
        if (count > 0) {
            out.writeNumberProperty(name, count);
        }
    }

    // ---------------------------------------------------------------- what is done

    private BodyReader subscribe(Call call) {
        return each(
                call,
                request -> control.subscribe(
                        target(call, request), request.requireTopic(), request.since(), request.last()));
    }

    private BodyReader unsubscribe(Call call) {
        return each(
                call, request -> control.unsubscribe(target(call, request), request.requireTopic(), request.reason()));
    }

    private BodyReader disconnect(Call call) {
        return each(call, request -> control.disconnect(target(call, request), request.reason(), request.reconnect()));
    }

    private static Target target(Call call, ControlRequest request) {
        return new Target(call.user(), request.connection());
    }

    private static BodyReader each(Call call, Function<ControlRequest, CompletableFuture<Affected>> action) {
        String user = call.user();
        call.query();
        return call.json(
                MAX_BODY_BYTES,
                body -> call.answer(
                        action.apply(ControlRequest.parse(body)), done -> Json.answer(out -> write(user, done, out))));
    }

    private static void write(String user, Affected done, JsonGenerator out) {
        out.writeStringProperty("user", user);
        out.writeNumberProperty("connections", done.connections());
        out.writeNumberProperty("affected", done.affected());
        if (!done.refused().isEmpty()) {
            out.writeObjectPropertyStart("refused");
            new TreeMap<>(done.refused()).forEach((code, count) -> write(code, count, out));
            out.writeEndObject();
        }
    }

    private static void write(ErrorCode code, int count, JsonGenerator out) {
        out.writeNumberProperty(code.wire(), count);
    }
}
