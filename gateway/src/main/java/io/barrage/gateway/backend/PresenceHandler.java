package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.PresenceMode;
import io.barrage.gateway.broker.PresencePage;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ServerFrame.Member;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** {@code GET /v1/topics/{topic}/presence}: who is on a topic. Thread-safe. */
public final class PresenceHandler implements Resource {
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 1000;

    private final Broker broker;

    public PresenceHandler(Broker broker) {
        this.broker = broker;
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(HttpMethod.GET, "/v1/topics/{topic}/presence", Scope.READ, this::list));
    }

    private BodyReader list(Call call) {
        TopicName topic = call.topic();
        Query query = call.query("limit", "cursor");
        int limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT);
        String after = query.get("cursor", text -> userIn(text, topic));
        return BodyReader.none(() -> call.answer(broker.presence(topic, after, limit), page -> answer(topic, page)));
    }

    /** Names keep their order, so a cursor is good as long as there is the topic. */
    private static String userIn(String cursor, TopicName topic) {
        List<String> words = Cursor.read(cursor, topic);
        if (words.size() != 1) {
            throw Cursor.notOurs();
        }
        return UserName.check(words.get(0));
    }

    private static Response answer(TopicName topic, PresencePage page) {
        return page.mode() == PresenceMode.OFF
                ? Problem.of(ErrorCode.NOT_PERMITTED, "the topic's namespace has 'presence: off'")
                : Json.answer(out -> write(topic, page, out));
    }

    private static void write(TopicName topic, PresencePage page, JsonGenerator out) {
        out.writeStringProperty("topic", topic.toString());
        out.writeNumberProperty("online", page.online());
        if (page.mode() != PresenceMode.MEMBERS) {
            return;
        }
        out.writeNumberProperty("users", page.users());
        out.writeArrayPropertyStart("members");
        page.members().forEach(member -> write(member, out));
        out.writeEndArray();
        if (page.more()) {
            Member last = page.members().get(page.members().size() - 1);
            out.writeStringProperty("cursor", Cursor.of(topic, last.user()));
        }
    }

    private static void write(Member member, JsonGenerator out) {
        out.writeStartObject();
        out.writeStringProperty("user", member.user());
        out.writeNumberProperty("connections", member.connections());
        if (member.info() != null) {
            out.writeName("info");
            out.writeRawValue(member.info());
        }
        out.writeEndObject();
    }
}
