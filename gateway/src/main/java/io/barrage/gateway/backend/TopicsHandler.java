package io.barrage.gateway.backend;

import static java.util.Objects.requireNonNullElse;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.TopicInfo;
import io.barrage.gateway.broker.TopicPage;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.core.JsonGenerator;

/** {@code GET /v1/topics}, {@code /v1/topics/{topic}}: which topics there are. Thread-safe. */
public final class TopicsHandler implements Resource {
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 1000;

    /** What may begin a topic's name, {@code $user:} and a user's name among them. */
    private static final Pattern PREFIX = Pattern.compile("[!-~]{0,200}");

    /** Names the list that a cursor belongs to. */
    private static final String LIST = "topics";

    private final Broker broker;

    public TopicsHandler(Broker broker) {
        this.broker = broker;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(HttpMethod.GET, "/v1/topics", Scope.READ, this::list),
                new Route(HttpMethod.GET, "/v1/topics/{topic}", Scope.READ, this::show));
    }

    private BodyReader list(Call call) {
        Query query = call.query("prefix", "limit", "cursor");
        String prefix = requireNonNullElse(query.get("prefix", TopicsHandler::prefix), "");
        String after = requireNonNullElse(query.get("cursor", TopicsHandler::after), "");
        int limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT);
        return BodyReader.none(
                () -> call.answer(broker.topics(prefix, after, limit), page -> Json.answer(out -> write(page, out))));
    }

    private static String prefix(String text) {
        if (!PREFIX.matcher(text).matches()) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "no topic's name begins with " + Printable.of(text));
        }
        return text;
    }

    /** The name that a page ended with. */
    private static String after(String cursor) {
        List<String> words = Cursor.read(cursor, LIST);
        if (words.size() != 1) {
            throw Cursor.notOurs();
        }
        return words.get(0);
    }

    private static void write(TopicPage page, JsonGenerator out) {
        out.writeArrayPropertyStart("topics");
        for (TopicInfo topic : page.topics()) {
            out.writeStartObject();
            write(topic, out);
            out.writeEndObject();
        }
        out.writeEndArray();
        if (page.more()) {
            TopicInfo last = page.topics().get(page.topics().size() - 1);
            out.writeStringProperty("cursor", Cursor.of(LIST, last.name()));
        }
    }

    private BodyReader show(Call call) {
        call.query();
        TopicName name = call.topic();
        return BodyReader.none(() -> call.answer(broker.topic(name), found -> found.map(TopicsHandler::answer)
                .orElseGet(() -> Problem.of(
                        ErrorCode.NOT_FOUND,
                        "there is no topic " + Printable.of(name.toString())
                                + " now: nobody is on it, and nothing was published to it lately"))));
    }

    private static Response answer(TopicInfo topic) {
        return Json.answer(out -> write(topic, out));
    }

    private static void write(TopicInfo topic, JsonGenerator out) {
        out.writeStringProperty("topic", topic.name());
        out.writeStringProperty("epoch", topic.epoch());
        out.writeNumberProperty("offset", topic.offset());
        out.writeNumberProperty("online", topic.online());
        out.writeNumberProperty("history", topic.history());
    }
}
