package io.barrage.protocol;

import java.io.ByteArrayOutputStream;
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

    /** The first frame on a connection. */
    record Welcome(String connection, @Nullable String user, long heartbeatMs) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("welcome")
                    .field("connection", connection)
                    .field("user", user)
                    .field("protocol", "barrage.v1")
                    .field("heartbeatMs", heartbeatMs);
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

    /** How many subscriptions the topic has now, on this node. */
    record Online(TopicName topic, long count) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("online").topic(topic).number("count", count);
        }
    }

    /** The answer to a ping. */
    record Pong(long id) implements ServerFrame {
        @Override
        public void write(Json json) {
            json.type("pong").id(id);
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
