package io.barrage.gateway.backend;

import io.barrage.gateway.http.Response;
import java.io.ByteArrayOutputStream;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes answers as JSON. Stateless. */
final class Json {
    private static final JsonFactory JSON = new JsonFactory();

    private Json() {}

    /** One object with the fields that {@code fields} writes. */
    static byte[] object(Consumer<JsonGenerator> fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            fields.accept(out);
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** {@code 200 OK} with such an object. */
    static Response answer(Consumer<JsonGenerator> fields) {
        return Response.json(object(fields));
    }
}
