package io.barrage.gateway.backend;

import static java.util.Objects.requireNonNullElse;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.gateway.hub.ConnectionInfo;
import io.barrage.gateway.hub.ConnectionOrder;
import io.barrage.gateway.hub.ConnectionPage;
import io.barrage.gateway.hub.ConnectionPlace;
import io.barrage.gateway.hub.ConnectionQuery;
import io.barrage.gateway.hub.Hub;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import io.netty.util.NetUtil;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** {@code GET /v1/connections}: who is connected to this node, and who is slow. Thread-safe. */
public final class ConnectionsHandler implements Endpoint {
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 1000;

    /** Node, order, and the three figures of the last connection's place; as many digits as a long surely holds. */
    private static final Pattern CURSOR = Pattern.compile("(\\w+) (\\w+) ([0-9]{1,19}) ([0-9]{1,19}) ([0-9]{1,19})");

    private static final JsonFactory JSON = new JsonFactory();

    private final String node;
    private final Hub hub;

    /** @param node this life of the node: a cursor of another one would point anywhere */
    public ConnectionsHandler(String node, Hub hub) {
        this.node = node;
        this.hub = hub;
    }

    @Override
    public BodyReader open(Exchange exchange, String ignored) {
        ConnectionQuery query = query(exchange);
        return BodyReader.none(() -> hub.connections(query)
                .whenCompleteAsync(
                        (page, failure) -> exchange.respond(
                                page == null
                                        ? Problem.of(ErrorCode.INTERNAL, "the node's connections can't be read")
                                        : Response.json(json(page, query.order()))),
                        exchange.channel().eventLoop()));
    }

    // ---------------------------------------------------------------- the question

    private ConnectionQuery query(Exchange exchange) {
        exchange.requireParameters("user", "topic", "sort", "limit", "cursor");
        ConnectionOrder order =
                requireNonNullElse(read(exchange, "sort", ConnectionsHandler::order), ConnectionOrder.OPENED);
        return new ConnectionQuery(
                read(exchange, "user", UserName::check),
                read(exchange, "topic", TopicName::of),
                order,
                read(exchange, "cursor", text -> place(text, order)),
                requireNonNullElse(read(exchange, "limit", ConnectionsHandler::limit), DEFAULT_LIMIT));
    }

    /** A parameter's value, null if it isn't there; a mistake in it is told with its name. */
    private static <T> @Nullable T read(Exchange exchange, String name, Function<String, T> reader) {
        String text = exchange.parameter(name);
        if (text == null) {
            return null;
        }
        try {
            return reader.apply(text);
        } catch (ProtocolException e) {
            throw new ProtocolException(e.code(), "query parameter '" + name + "': " + e.getMessage());
        }
    }

    private static ConnectionOrder order(String text) {
        if (text.equals("behind")) {
            return ConnectionOrder.BEHIND;
        }
        throw new ProtocolException(
                ErrorCode.BAD_REQUEST,
                "it is 'behind', or left out for the order of opening, not " + Printable.of(text));
    }

    private static int limit(String text) {
        int limit = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST, "it is a number from 1 to " + MAX_LIMIT + ", not " + Printable.of(text));
        }
        return limit;
    }

    // ---------------------------------------------------------------- the cursor

    private String cursor(ConnectionPlace place, ConnectionOrder order) {
        String text = node + ' ' + order + ' ' + place.bytes() + ' ' + place.stalledNanos() + ' ' + place.number();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private ConnectionPlace place(String cursor, ConnectionOrder order) {
        try {
            Matcher parts =
                    CURSOR.matcher(new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII));
            if (parts.matches() && parts.group(1).equals(node) && parts.group(2).equals(order.name())) {
                return new ConnectionPlace(
                        Long.parseLong(parts.group(3)), Long.parseLong(parts.group(4)), Long.parseLong(parts.group(5)));
            }
        } catch (IllegalArgumentException ignored) {
            // Neither Base64 nor numbers: as bad as any other.
        }
        throw new ProtocolException(
                ErrorCode.BAD_REQUEST,
                "it is none that this node has given for this sort since its start; begin without");
    }

    // ---------------------------------------------------------------- the answer

    private byte[] json(ConnectionPage page, ConnectionOrder order) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            out.writeArrayPropertyStart("connections");
            page.connections().forEach(connection -> write(connection, out));
            out.writeEndArray();
            if (page.more()) {
                ConnectionInfo last = page.connections().get(page.connections().size() - 1);
                out.writeStringProperty("cursor", cursor(last.place(), order));
            }
            out.writeEndObject();
        }
        return bytes.toByteArray();
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

    private static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? NetUtil.toSocketAddressString(inet) : address.toString();
    }
}
