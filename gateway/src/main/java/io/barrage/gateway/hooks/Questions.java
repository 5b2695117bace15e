package io.barrage.gateway.hooks;

import io.barrage.gateway.auth.Grant;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** What the backend is asked, as JSON. Used by one thread. */
final class Questions {
    private static final JsonFactory JSON = new JsonFactory();

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    private final JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes);

    private Questions(HookKind hook, Asker asker) {
        out.writeStartObject();
        text("type", hook.wire());
        text("connection", asker.connection());
        text("user", asker.user());
        if (asker.authenticated()) {
            out.writeBooleanProperty("authenticated", true);
        }
        text("address", asker.address());
    }

    /**
     * Whether somebody may connect.
     *
     * @param token that the gateway can't check itself; null otherwise
     * @param renewal whether it is connected already and has a new token
     */
    static byte[] connect(
            Asker asker, Grant granted, @Nullable String origin, @Nullable String token, boolean renewal) {
        Questions question = new Questions(HookKind.CONNECT, asker);
        question.text("origin", origin);
        question.text("token", token);
        if (renewal) {
            question.out.writeBooleanProperty("renewal", true);
        }
        if (granted.info() != null) {
            question.raw("info", granted.info());
        }
        return question.end();
    }

    /** Whether a connection may subscribe. */
    static byte[] subscribe(Asker asker, TopicName topic) {
        Questions question = new Questions(HookKind.SUBSCRIBE, asker);
        question.text("topic", topic.toString());
        return question.end();
    }

    /** Whether a connection may publish this. */
    static byte[] publish(Asker asker, TopicName topic, PublishRequest request) {
        Questions question = new Questions(HookKind.PUBLISH, asker);
        question.text("topic", topic.toString());
        question.text("messageId", request.messageId());
        if (request.value() == null) {
            question.text("priority", request.priority().wire());
            if (request.ttlMillis() != 0) {
                question.out.writeNumberProperty("ttlMs", request.ttlMillis());
            }
        } else {
            question.text("key", request.value().key());
            question.text("merge", request.value().merge().wire());
        }
        // Strict UTF-8 was checked when it came, so that it comes out of the string as it was.
        question.raw("data", new String(request.data(), StandardCharsets.UTF_8));
        return question.end();
    }

    private void text(String name, @Nullable String value) {
        if (value != null) {
            out.writeStringProperty(name, value);
        }
    }

    private void raw(String name, String json) {
        out.writeName(name);
        out.writeRawValue(json);
    }

    private byte[] end() {
        out.writeEndObject();
        out.close();
        return bytes.toByteArray();
    }
}
