package io.barrage.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * What the gateway says, besides messages: one JSON object. Immutable.
 *
 * <p>{@code id} is the client's number for its request; 0 is left out, as are all empty and default fields.
 */
public sealed interface ServerFrame {
    /** Says {@code type} first, then the rest. */
    void write(Json json);

    /** The object as UTF-8 bytes, without white space. */
    default byte[] json() {
        try (Json json = new Json()) {
            write(json);
            return json.finish();
        }
    }

    /**
     * The first frame on a connection.
     *
     * @param expires when the connection's token does, in seconds since 1970; 0 for never
     */
    record Welcome(String connection, @Nullable String user, long heartbeatMs, long expires) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("welcome")
                    .field("connection", connection)
                    .field("user", user)
                    .field("protocol", "barrage.v1")
                    .field("heartbeatMs", heartbeatMs)
                    .field("expires", expires);
        }
    }

    /**
     * The token is valid: the connection has what it grants.
     *
     * @param expires when it does, in seconds since 1970; 0 for never
     */
    record Authenticated(long id, @Nullable String user, long expires) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("authenticated").id(id).field("user", user).field("expires", expires);
        }
    }

    /**
     * The connection is on the topic now; messages from {@code offset + 1} on follow.
     *
     * @param recovered null if nothing was to recover
     * @param online subscriptions of the topic, this one included; 0 is left out
     */
    record Subscribed(
            long id,
            TopicName topic,
            String epoch,
            long offset,
            @Nullable Boolean recovered,
            long online) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("subscribed").id(id).topic(topic).field("epoch", epoch).number("offset", offset);
            if (recovered != null) {
                json.field("recovered", recovered.booleanValue());
            }
            json.field("online", online);
        }
    }

    /** The subscription has ended; {@code code} says why if the client didn't ask for it. */
    record Unsubscribed(
            long id,
            TopicName topic,
            @Nullable String code,
            @Nullable String reason) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("unsubscribed").id(id).topic(topic).field("code", code).field("reason", reason);
        }
    }

    /** The offsets {@code from} to {@code to}, both included, don't come. */
    record Gap(TopicName topic, long from, long to, String reason) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("gap")
                    .topic(topic)
                    .field("from", from)
                    .field("to", to)
                    .field("count", to - from + 1)
                    .field("reason", reason);
        }
    }

    /** How much of the topic the subscription gets from now on. */
    record Attention(long id, TopicName topic, AttentionLevel level) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("attention").id(id).topic(topic).field("level", level.wire());
        }
    }

    /** So many messages were hidden from everybody, and none that follows has told it. */
    record Hidden(TopicName topic, long count) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("gap").topic(topic).field("count", count).field("reason", "hidden");
        }
    }

    /** The client's publish was hidden from everybody else, for a reason. */
    record PublishShed(long id, TopicName topic, String reason, boolean duplicate) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("published").id(id).topic(topic).field("shed", reason);
            if (duplicate) {
                json.field("duplicate", true);
            }
        }
    }

    /** The client's publish waits for somebody's judgement; if it is shown at all, then as a message. */
    record PublishHeld(long id, TopicName topic) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("published").id(id).topic(topic).field("held", true);
        }
    }

    /** The client's publish has its place. */
    record Published(long id, TopicName topic, String epoch, long offset, boolean duplicate) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("published").id(id).topic(topic).field("epoch", epoch).field("offset", offset);
            if (duplicate) {
                json.field("duplicate", true);
            }
        }
    }

    /** The client's publish to a value of the topic is merged. */
    record PublishedValue(long id, TopicName topic, String key, boolean duplicate) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("published").id(id).topic(topic).field("key", key);
            if (duplicate) {
                json.field("duplicate", true);
            }
        }
    }

    /**
     * How many subscriptions the topic has now.
     *
     * @param truncated whether it has too many users for each to be told of
     */
    record Online(TopicName topic, long count, boolean truncated) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("online").topic(topic).number("count", count);
            if (truncated) {
                json.field("truncated", true);
            }
        }
    }

    /** Somebody has come: the first of a user's connections on the topic. */
    record Join(TopicName topic, String user) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("join").topic(topic).field("user", user);
        }
    }

    /** Somebody has left, with the last of its connections. */
    record Leave(TopicName topic, String user) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("leave").topic(topic).field("user", user);
        }
    }

    /** One user on a topic. {@code info} is the JSON that its token or hook gave, null without. Immutable. */
    record Member(String user, int connections, @Nullable String info) {}

    /**
     * Who is on a topic.
     *
     * @param online subscriptions
     * @param users different users; 0, left out, where they aren't counted
     * @param members null where they aren't told
     * @param truncated whether there are more of them
     */
    record Presence(
            long id,
            TopicName topic,
            long online,
            long users,
            @Nullable List<Member> members,
            boolean truncated) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("presence").id(id).topic(topic).number("online", online).field("users", users);
            if (members != null) {
                json.members(members);
            }
            if (truncated) {
                json.field("truncated", true);
            }
        }
    }

    /** These messages aren't to be shown any more; they are gone from the history, too. */
    record Retract(TopicName topic, List<Long> offsets) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("retract").topic(topic).numbers("offsets", offsets);
        }
    }

    /**
     * Part of a topic's history.
     *
     * @param epoch null if the topic has never had a message, as far as is known
     * @param recovered whether it joins on to the position that was named; null if none was
     * @param messages in order
     * @param more whether others may follow, or come before if that was the question
     */
    record History(
            long id,
            TopicName topic,
            @Nullable String epoch,
            @Nullable Boolean recovered,
            List<Message> messages,
            boolean more)
            implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("history").id(id);
            writeRest(json);
        }

        /** Says all but its type and id. */
        public void writeRest(Json json) {
            json.topic(topic).field("epoch", epoch);
            if (recovered != null) {
                json.field("recovered", recovered.booleanValue());
            }
            json.messages(messages);
            if (more) {
                json.field("more", true);
            }
        }

        /** The object as it is where nobody needs to be told what it is: without type and id. */
        public byte[] bareJson() {
            try (Json json = new Json()) {
                writeRest(json);
                return json.finish();
            }
        }
    }

    /**
     * The answer to a ping.
     *
     * @param online how many subscriptions the connection's topics have, of those that tell
     */
    record Pong(long id, Map<TopicName, Integer> online) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("pong").id(id);
            if (!online.isEmpty()) {
                json.counts("online", online);
            }
        }
    }

    /** The gateway is about to close: come back after the hint. */
    record Goaway(String reason, long reconnectAfterMs) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("goaway").field("reason", reason).number("reconnectAfterMs", reconnectAfterMs);
        }
    }

    /** What the client asked for can't be done, and why. */
    record Failure(long id, @Nullable String topic, ErrorCode code, String message) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("error")
                    .id(id)
                    .field("topic", topic)
                    .field("code", code.wire())
                    .field("message", message);
        }
    }

    /** Writes the fields of one object; leaves out what is null or 0. */
    final class Json implements AutoCloseable {
        private static final JsonFactory FACTORY = new JsonFactory();

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(160);
        private final JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes);

        private Json() {
            out.writeStartObject();
        }

        Json type(String type) {
            return field("type", type);
        }

        Json id(long id) {
            return field("id", id);
        }

        Json topic(TopicName topic) {
            return field("topic", topic.toString());
        }

        Json field(String name, @Nullable String value) {
            if (value != null) {
                out.writeStringProperty(name, value);
            }
            return this;
        }

        Json field(String name, long value) {
            return value == 0 ? this : number(name, value);
        }

        /** Also a 0, where 0 says something. */
        Json number(String name, long value) {
            out.writeNumberProperty(name, value);
            return this;
        }

        Json field(String name, boolean value) {
            out.writeBooleanProperty(name, value);
            return this;
        }

        void numbers(String name, List<Long> values) {
            out.writeArrayPropertyStart(name);
            values.forEach(out::writeNumber);
            out.writeEndArray();
        }

        void messages(List<Message> messages) {
            out.writeName("messages");
            // Their data is strict UTF-8, so this gives back the very bytes.
            out.writeRawValue(new String(MessagesFrame.array(messages), StandardCharsets.UTF_8));
        }

        void counts(String name, Map<TopicName, Integer> counts) {
            out.writeObjectPropertyStart(name);
            counts.forEach((topic, count) -> out.writeNumberProperty(topic.toString(), count));
            out.writeEndObject();
        }

        void members(List<Member> members) {
            out.writeArrayPropertyStart("members");
            for (Member member : members) {
                out.writeStartObject();
                out.writeStringProperty("user", member.user());
                out.writeNumberProperty("connections", member.connections());
                if (member.info() != null) {
                    out.writeName("info");
                    out.writeRawValue(member.info());
                }
                out.writeEndObject();
            }
            out.writeEndArray();
        }

        private byte[] finish() {
            out.writeEndObject();
            out.close();
            return bytes.toByteArray();
        }

        @Override
        public void close() {
            out.close();
        }
    }
}
