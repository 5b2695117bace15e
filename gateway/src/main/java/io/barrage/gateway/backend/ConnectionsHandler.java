package io.barrage.gateway.backend;

import static java.util.Objects.requireNonNullElse;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.hub.ConnectionId;
import io.barrage.gateway.hub.ConnectionInfo;
import io.barrage.gateway.hub.ConnectionOrder;
import io.barrage.gateway.hub.ConnectionPage;
import io.barrage.gateway.hub.ConnectionPlace;
import io.barrage.gateway.hub.ConnectionQuery;
import io.barrage.gateway.hub.Control;
import io.barrage.gateway.hub.Hub;
import io.barrage.protocol.ControlRequest;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.UserName;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import tools.jackson.core.JsonGenerator;

/** {@code /v1/connections}: who is connected to this node, and who is slow; ends one of them. Thread-safe. */
public final class ConnectionsHandler implements Resource {
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 1000;

    /** A figure of a connection's place. */
    private static final Pattern FIGURE = Pattern.compile("[0-9]{1,19}");

    private final String node;
    private final Hub hub;
    private final Control control;

    /** @param node this life of the node: a cursor of another one would point anywhere */
    public ConnectionsHandler(String node, Hub hub, Control control) {
        this.node = node;
        this.hub = hub;
        this.control = control;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, "/v1/connections", Scope.READ, this::list),
                new Route(HttpMethod.DELETE, "/v1/connections/{connection}", Scope.CONTROL, this::disconnect));
    }

    // ---------------------------------------------------------------- the end of one

    private BodyReader disconnect(Call call) {
        String id = call.path("connection");
        Query query = call.query("reason", "reconnect");
        String reason = query.get("reason", ControlRequest::checkReason);
        boolean reconnect = requireNonNullElse(query.get("reconnect", ConnectionsHandler::yesOrNo), false);
        return BodyReader.none(() -> call.answer(
                control.disconnect(ConnectionId.number(node, id), reason, reconnect),
                done -> done.affected() == 0
                        ? Problem.of(ErrorCode.NOT_FOUND, "this node has no connection " + Printable.of(id))
                        : Json.answer(out -> out.writeStringProperty("connection", id)
                                .writeNumberProperty("affected", done.affected()))));
    }

    private static boolean yesOrNo(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new ProtocolException(
                        ErrorCode.BAD_REQUEST, "it is 'true' or 'false', not " + Printable.of(text));
        };
    }

    // ---------------------------------------------------------------- all of them

    private BodyReader list(Call call) {
        ConnectionQuery query = query(call);
        return BodyReader.none(
                () -> call.answer(hub.connections(query), page -> Json.answer(out -> write(page, query.order(), out))));
    }

    // ---------------------------------------------------------------- the question

    private ConnectionQuery query(Call call) {
        Query query = call.query("user", "topic", "sort", "limit", "cursor");
        ConnectionOrder order =
                requireNonNullElse(query.get("sort", ConnectionsHandler::order), ConnectionOrder.OPENED);
        return new ConnectionQuery(
                query.get("user", UserName::check),
                query.get("topic", Call::topicOf),
                order,
                query.get("cursor", text -> place(text, order)),
                query.limit(DEFAULT_LIMIT, MAX_LIMIT));
    }

    private static ConnectionOrder order(String text) {
        if (text.equals("behind")) {
            return ConnectionOrder.BEHIND;
        }
        throw new ProtocolException(
                ErrorCode.BAD_REQUEST,
                "it is 'behind', or left out for the order of opening, not " + Printable.of(text));
    }

    // ---------------------------------------------------------------- the cursor

    private String cursor(ConnectionPlace place, ConnectionOrder order) {
        return Cursor.of(node, order, place.bytes(), place.stalledNanos(), place.number());
    }

    private ConnectionPlace place(String cursor, ConnectionOrder order) {
        List<String> figures = Cursor.read(cursor, node, order);
        if (figures.size() == 3 && figures.stream().allMatch(FIGURE.asMatchPredicate())) {
            try {
                return new ConnectionPlace(
                        Long.parseLong(figures.get(0)), Long.parseLong(figures.get(1)), Long.parseLong(figures.get(2)));
            } catch (NumberFormatException ignored) {
                // As many digits as a long may have, but more than it holds.
            }
        }
        throw Cursor.notOurs();
    }

    // ---------------------------------------------------------------- the answer

    private void write(ConnectionPage page, ConnectionOrder order, JsonGenerator out) {
        out.writeArrayPropertyStart("connections");
        page.connections().forEach(connection -> write(connection, out));
        out.writeEndArray();
        if (page.more()) {
            ConnectionInfo last = page.connections().get(page.connections().size() - 1);
            out.writeStringProperty("cursor", cursor(last.place(), order));
        }
    }

    private static void write(ConnectionInfo connection, JsonGenerator out) {
        out.writeStartObject();
        out.writeStringProperty("connection", connection.id());
        if (connection.user() != null) {
            out.writeStringProperty("user", connection.user());
        }
        if (connection.address() != null) {
            out.writeStringProperty("address", text(connection.address()));
        }
        out.writeStringProperty("transport", connection.transport());
        out.writeNumberProperty("connectedMs", TimeUnit.NANOSECONDS.toMillis(connection.connectedNanos()));
        out.writeNumberProperty("subscriptions", connection.subscriptions());
        if (connection.behind() != null) {
            write(connection.behind(), out);
        }
        out.writeEndObject();
    }

    private static void write(ConnectionInfo.Behind behind, JsonGenerator out) {
        out.writeObjectPropertyStart("behind");
        out.writeNumberProperty("messages", behind.messages());
        out.writeNumberProperty("bytes", behind.bytes());
        out.writeNumberProperty("forMs", TimeUnit.NANOSECONDS.toMillis(behind.forNanos()));
        out.writeArrayPropertyStart("topics");
        behind.topics().forEach(topic -> out.writeString(topic.toString()));
        out.writeEndArray();
        if (behind.moreTopics() > 0) {
            out.writeNumberProperty("moreTopics", behind.moreTopics());
        }
        out.writeEndObject();
    }

    static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? NetUtil.toSocketAddressString(inet) : address.toString();
    }
}
