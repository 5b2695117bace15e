package io.barrage.client;

import io.barrage.protocol.JsonObjectReader;
import io.barrage.protocol.ProtocolException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** The JSON of requests and answers. Stateless. */
final class Json {
    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] BEFORE_DATA = "{\"data\":".getBytes(StandardCharsets.US_ASCII);

    private Json() {}

    /** An object with what {@code fields} writes. */
    static byte[] write(Consumer<JsonGenerator> fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            fields.accept(out);
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /**
     * {@code text} as bytes.
     *
     * @param what it is, for the error
     * @throws IllegalArgumentException if it has half of a character that takes two, which has no bytes
     */
    static byte[] utf8(String what, String text) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return copy;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(what + " has an unpaired surrogate, which can't be written as UTF-8", e);
        }
    }

    /**
     * Gives a copy of {@code text}, without the white space around it, if it is one JSON value as the gateway takes it.
     *
     * @throws IllegalArgumentException if it isn't. It is written into the request as it is, so that anything else could bring in
     *     fields of its own
     */
    static byte[] value(byte[] text) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(text.length + BEFORE_DATA.length + 1);
        whole.writeBytes(BEFORE_DATA);
        whole.writeBytes(text);
        whole.write('}');
        try (JsonObjectReader reader = JsonObjectReader.open(whole.toByteArray())) {
            reader.nextField();
            byte[] value = reader.raw();
            if (reader.nextField() != null) {
                throw new IllegalArgumentException("data is one JSON value, and this is more");
            }
            return value;
        } catch (ProtocolException e) {
            throw new IllegalArgumentException(
                    "data is one JSON value; as {\"data\":...} this is " + e.getMessage(), e);
        }
    }

    /** What {@code checked} gives; a fault that it finds is the caller's. */
    static <T> T argument(Supplier<T> checked) {
        try {
            return checked.get();
        } catch (ProtocolException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Reads one object: strings, longs, doubles, booleans, nulls, lists and maps. */
    static Map<?, ?> object(byte[] text) throws UnreadableAnswerException {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new UnreadableAnswerException("it isn't a JSON object");
            }
            Map<?, ?> object = readObject(parser);
            if (parser.nextToken() != null) {
                throw new UnreadableAnswerException("there is text behind its JSON object");
            }
            return object;
        } catch (JacksonException e) {
            throw new UnreadableAnswerException("it isn't JSON: " + e.getOriginalMessage());
        }
    }

    private static Map<String, @Nullable Object> readObject(JsonParser parser) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            fields.put(name, read(parser));
        }
        return fields;
    }

    private static @Nullable Object read(JsonParser parser) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> {
                List<@Nullable Object> elements = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(read(parser));
                }
                yield elements;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }
}
