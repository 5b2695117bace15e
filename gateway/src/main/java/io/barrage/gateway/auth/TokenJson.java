package io.barrage.gateway.auth;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.Utf8;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads one of the JSON objects that a token consists of, field by field: strict UTF-8, nothing twice on any level, bounded.
 * Its faults say which field is wrong, and show nothing else of the token.
 *
 * <p>Not thread-safe.
 */
final class TokenJson implements AutoCloseable {
    private static final int MAX_NESTING = 16;
    private static final int MAX_FIELDS = 200;

    /** The last second of the year 9999: what is more was meant as milliseconds. */
    private static final double MAX_SECONDS = 253_402_300_799.0;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build())
            .build();

    private final String what;
    private final JsonParser parser;
    private int fields;
    private String field = "";

    private TokenJson(String what, JsonParser parser) {
        this.what = what;
        this.parser = parser;
    }

    /** @param what what it is, for a sentence: {@code header} or {@code claim} */
    static TokenJson open(String what, byte[] text) {
        if (Utf8.firstInvalid(text, 0, text.length) >= 0) {
            throw bad("the token's " + what + "s aren't UTF-8");
        }
        TokenJson json = new TokenJson(what, JSON.createParser(ObjectReadContext.empty(), text));
        try {
            // What isn't a brace could be one in UTF-16, which the parser would understand.
            if (text.length == 0 || text[0] != '{' || json.parser.nextToken() != JsonToken.START_OBJECT) {
                throw bad("the token's " + what + "s aren't a JSON object");
            }
            return json;
        } catch (JacksonException e) {
            throw json.malformed(e);
        }
    }

    /** Goes on to the next field and gives its name; null behind the last. The value must be taken or skipped. */
    @Nullable
    String nextField() {
        try {
            if (parser.nextToken() == JsonToken.END_OBJECT) {
                if (parser.nextToken() != null) {
                    throw bad("text behind the token's " + what + "s");
                }
                return null;
            }
            if (++fields > MAX_FIELDS) {
                throw bad("the token has more than " + MAX_FIELDS + " " + what + "s");
            }
            field = parser.currentName();
            parser.nextToken();
            return field;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    void skip() {
        try {
            parser.skipChildren();
            parser.finishToken();
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    String string() {
        try {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw wrong("must be a string");
            }
            return parser.getString();
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** Whether the value is {@code true}; anything else than a boolean is refused. */
    boolean isTrue() {
        if (parser.currentToken() != JsonToken.VALUE_TRUE && parser.currentToken() != JsonToken.VALUE_FALSE) {
            throw wrong("must be true or false");
        }
        return parser.currentToken() == JsonToken.VALUE_TRUE;
    }

    /** A moment, as RFC 7519 has it: seconds since 1970, perhaps with a fraction, which is cut off. */
    long seconds() {
        try {
            JsonToken token = parser.currentToken();
            if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
                throw wrong("must be a number: seconds since 1970");
            }
            double value = parser.getDoubleValue();
            if (!(value >= 0 && value <= MAX_SECONDS)) {
                throw wrong("must be seconds since 1970, not milliseconds, and not beyond the year 9999");
            }
            return (long) value;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** A string, or an array of strings. */
    List<String> stringOrStrings() {
        return parser.currentToken() == JsonToken.VALUE_STRING
                ? List.of(string())
                : strings(field, "must be a string or an array of strings");
    }

    /** An array of strings. */
    List<String> strings() {
        return strings(field, "must be an array of strings");
    }

    private List<String> strings(String name, String expected) {
        try {
            if (parser.currentToken() != JsonToken.START_ARRAY) {
                throw wrong(name, expected);
            }
            List<String> values = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (parser.currentToken() != JsonToken.VALUE_STRING) {
                    throw wrong(name, expected);
                }
                values.add(parser.getString());
            }
            return values;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** Takes the strings of one field of an object. */
    interface StringsTaker {
        void take(String name, List<String> values);
    }

    /** An object whose fields of these names are arrays of strings; what else it has is skipped. */
    void objectOfStrings(List<String> names, StringsTaker taker) {
        try {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw wrong("must be an object with " + String.join(" and ", names));
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                if (names.contains(name)) {
                    taker.take(name, strings(field + "." + name, "must be an array of strings"));
                } else {
                    parser.skipChildren();
                }
            }
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** Any value, as JSON without white space; null for {@code null}. */
    @Nullable
    String json() {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        // As bytes, not as characters: so half an emoji stays escaped, which nobody could write as UTF-8.
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            generator.copyCurrentStructureExact(parser);
        } catch (JacksonException e) {
            throw malformed(e);
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    /** A fault of the current field. */
    ProtocolException wrong(String sentence) {
        return wrong(field, sentence);
    }

    private ProtocolException wrong(String name, String sentence) {
        return bad("the token's " + what + " " + Printable.of(name) + " " + sentence);
    }

    static ProtocolException bad(String sentence) {
        return new ProtocolException(ErrorCode.UNAUTHORIZED, sentence);
    }

    private ProtocolException malformed(JacksonException e) {
        String message = String.valueOf(e.getOriginalMessage());
        if (message.contains("nesting depth")) {
            return bad("the token's " + what + "s are nested more than " + MAX_NESTING + " levels deep");
        }
        if (message.contains("Duplicate")) {
            return bad("the token has a " + what + " twice");
        }
        return bad("the token's " + what + "s aren't well-formed JSON");
    }

    @Override
    public void close() {
        parser.close();
    }
}
