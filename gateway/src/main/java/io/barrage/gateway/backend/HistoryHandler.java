package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.HistoryQuery;
import io.barrage.protocol.Position;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code GET} and {@code DELETE /v1/topics/{topic}/history}: what is kept of a topic's messages. Thread-safe. */
public final class HistoryHandler implements Resource {
    private static final String PATH = "/v1/topics/{topic}/history";

    /** Of the messages of one answer: a thousand of the longest at once would be 64 MB. */
    private static final int MAX_BYTES = 256 * 1024;

    private final Broker broker;

    public HistoryHandler(Broker broker) {
        this.broker = broker;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, PATH, Scope.READ, this::read),
                new Route(HttpMethod.DELETE, PATH, Scope.CONTROL, this::clear));
    }

    private BodyReader read(Call call) {
        TopicName topic = call.topic();
        HistoryQuery query = query(call.query("since", "before", "last", "limit"));
        return BodyReader.none(() -> call.answer(
                broker.history(topic, query, MAX_BYTES),
                page -> Response.json(
                        new ServerFrame.History(0, topic, page.epoch(), page.recovered(), page.messages(), page.more())
                                .bareJson())));
    }

    private static HistoryQuery query(Query query) {
        return HistoryQuery.of(
                query.get("since", Position::parse),
                query.get("before", Position::parse),
                orZero(query.get("last", HistoryHandler::count)),
                orZero(query.get("limit", HistoryHandler::count)));
    }

    private static int count(String text) {
        int count = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
        if (count < 1 || count > HistoryQuery.MAX_LIMIT) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST,
                    "it is a number from 1 to " + HistoryQuery.MAX_LIMIT + ", not " + Printable.of(text));
        }
        return count;
    }

    private static int orZero(@Nullable Integer count) {
        return count == null ? 0 : count;
    }

    private BodyReader clear(Call call) {
        TopicName topic = call.topic();
        call.query();
        return BodyReader.none(() -> call.answer(
                broker.clearHistory(topic),
                count -> Json.answer(out -> {
                    out.writeStringProperty("topic", topic.toString());
                    out.writeNumberProperty("cleared", count);
                })));
    }
}
