package io.barrage.protocol;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * Reads one JSON object that came from outside, field by field: strict UTF-8 without a byte order mark, no field twice, at
 * most {@value #MAX_NESTING} levels. A value can be taken as the very bytes that were sent.
 *
 * <p>Not thread-safe. All faults are {@link ProtocolException}s that name field or position.
 */
public final class JsonObjectReader implements AutoCloseable {
    /** Levels of objects and arrays, the outermost included. */
    static final int MAX_NESTING = 64;

    /** Up to here a double is exact. */
    private static final double MAX_WHOLE = Position.MAX_OFFSET;

    // Lengths are bounded before parsing, by the limits on messages and bodies; what a number means is the subscribers'
    // business, so one of a thousand digits is carried like any other.
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            // Read on few threads that live long, thousands of times a second each: nothing to share between them.
            .recyclerPool(JsonRecyclerPools.threadLocalPool())
            .build();

    private final byte[] text;
    private final JsonParser parser;
    /** The fields so far, while they are few. */
    private final String[] few = new String[8];

    private int fewCount;
    /** The fields behind those. */
    private @Nullable Set<String> many;

    private String field = "";
    /** Why the rest can't be read, once something wasn't JSON; null until then. */
    private @Nullable ProtocolException broken;

    private JsonObjectReader(byte[] text, JsonParser parser) {
        this.text = text;
        this.parser = parser;
    }

    /**
     * Opens the object that {@code text} is.
     *
     * @throws ProtocolException if it isn't one, as far as can be seen at its start
     */
    public static JsonObjectReader open(byte[] text) {
        checkEncoding(text);
        JsonObjectReader reader = new JsonObjectReader(text, JSON.createParser(ObjectReadContext.empty(), text));
        try {
            JsonToken first = reader.parser.nextToken();
            if (first == null) {
                throw bad("expected a JSON object, found nothing");
            }
            if (first != JsonToken.START_OBJECT) {
                throw bad("expected a JSON object, found " + describe(first));
            }
            return reader;
        } catch (JacksonException e) {
            throw reader.malformed(e);
        }
    }

    private static void checkEncoding(byte[] text) {
        if (text.length >= 3 && text[0] == (byte) 0xef && text[1] == (byte) 0xbb && text[2] == (byte) 0xbf) {
            throw bad("JSON is sent without a byte order mark");
        }
        int invalid = Utf8.firstInvalid(text, 0, text.length);
        if (invalid >= 0) {
            throw bad("not valid UTF-8 at byte " + invalid);
        }
        // UTF-16 and UTF-32 of an ASCII character have zero bytes, and the parser would guess them from those.
        for (int i = 0; i < Math.min(4, text.length); i++) {
            if (text[i] == 0) {
                throw bad("not JSON in UTF-8: a zero byte at " + i);
            }
        }
    }

    /**
     * Goes on to the next field and gives its name, or null behind the last. The value must be taken or skipped, also that of a
     * field that is refused because it was there before.
     */
    public @Nullable String nextField() {
        checkReadable();
        try {
            if (parser.nextToken() == JsonToken.END_OBJECT) {
                if (parser.nextToken() != null) {
                    broken = bad("text behind the JSON object at " + position(parser.currentTokenLocation()));
                    throw broken;
                }
                return null;
            }
            field = parser.currentName();
            if (!isNew(field)) {
                String place = position(parser.currentTokenLocation());
                parser.nextToken();
                throw bad("field " + Printable.of(field) + " twice, the second time at " + place);
            }
            parser.nextToken();
            return field;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    private boolean isNew(String name) {
        for (int i = 0; i < fewCount; i++) {
            if (few[i].equals(name)) {
                return false;
            }
        }
        if (fewCount < few.length) {
            few[fewCount++] = name;
            return true;
        }
        if (many == null) {
            many = new HashSet<>();
        }
        return many.add(name);
    }

    /** The value, which must be a string. */
    public String string() {
        try {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw wrongType("a string");
            }
            return parser.getString();
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    private boolean isWholeNumber() {
        return parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                || (parser.currentToken() == JsonToken.VALUE_NUMBER_FLOAT
                        && parser.getDoubleValue() == Math.rint(parser.getDoubleValue()));
    }

    /** The value, which must be a whole number within {@code [least, most]}. */
    public long integer(long least, long most) {
        try {
            if (!isWholeNumber()) {
                throw wrongType("a whole number");
            }
            // Also if it is written 20.0, as some libraries do: to JSON it is the same number.
            double about = parser.getDoubleValue();
            if (about < -MAX_WHOLE || about > MAX_WHOLE) {
                throw bad("field '" + field + "' must be " + least + " to " + most);
            }
            long value = (long) about;
            if (value < least || value > most) {
                throw bad("field '" + field + "' must be " + least + " to " + most + ", found " + value);
            }
            return value;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** The value, which must be {@code true} or {@code false}. */
    public boolean bool() {
        JsonToken value = parser.currentToken();
        if (value != JsonToken.VALUE_TRUE && value != JsonToken.VALUE_FALSE) {
            throw wrongType("true or false");
        }
        return value == JsonToken.VALUE_TRUE;
    }

    /** The value, which must be an array of at most {@code most} strings. */
    public List<String> strings(int most) {
        try {
            if (parser.currentToken() != JsonToken.START_ARRAY) {
                throw wrongType("an array of strings");
            }
            List<String> values = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (parser.currentToken() != JsonToken.VALUE_STRING) {
                    throw wrongType("an array of strings");
                }
                if (values.size() == most) {
                    throw bad("field '" + field + "' has more than " + most + " elements");
                }
                values.add(parser.getString());
            }
            return values;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** The value, which must be an array of at most {@code most} whole numbers within {@code [least, greatest]}. */
    List<Long> integers(int most, long least, long greatest) {
        try {
            if (parser.currentToken() != JsonToken.START_ARRAY) {
                throw wrongType("an array of whole numbers");
            }
            List<Long> values = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (!isWholeNumber()) {
                    throw wrongType("an array of whole numbers");
                }
                if (values.size() == most) {
                    throw bad("field '" + field + "' has more than " + most + " elements");
                }
                values.add(integer(least, greatest));
            }
            return values;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** The value, which must be an object {@code {"epoch":...,"offset":...}}. */
    Position position() {
        try {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw wrongType("an object with epoch and offset");
            }
            String epoch = null;
            long offset = -1;
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (name.equals("epoch") && value == JsonToken.VALUE_STRING) {
                    epoch = parser.getString();
                } else if (name.equals("offset") && value == JsonToken.VALUE_NUMBER_INT) {
                    offset = integer(0, Position.MAX_OFFSET);
                } else {
                    parser.skipChildren();
                }
            }
            if (epoch == null || offset < 0) {
                throw bad("field '" + field + "' needs an epoch (string) and an offset (number)");
            }
            return new Position(epoch, offset);
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** The value as the bytes that were sent, without the white space around it; a copy that the caller owns. */
    public byte[] raw() {
        try {
            int from = (int) parser.currentTokenLocation().getByteOffset();
            skip();
            return Arrays.copyOfRange(text, from, (int) parser.currentLocation().getByteOffset());
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** Goes past the value, or past what is left of one that was taken in part, and checks that it is well-formed. */
    public void skip() {
        checkReadable();
        try {
            while (parser.streamReadContext().getNestingDepth() > 1) {
                parser.nextToken();
            }
            // The parser is lazy: without this it would stop at a string's or a number's start.
            parser.finishToken();
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    /** After the first fault of the JSON itself there are no more fields, whatever the parser makes of the rest. */
    private void checkReadable() {
        if (broken != null) {
            throw broken;
        }
    }

    @Override
    public void close() {
        parser.close();
    }

    /** A fault of the current field. */
    ProtocolException wrongType(String expected) {
        return bad("field '" + field + "' must be " + expected + ", found " + describe(parser.currentToken()) + " at "
                + position(parser.currentTokenLocation()));
    }

    static ProtocolException bad(String message) {
        return new ProtocolException(ErrorCode.BAD_REQUEST, message);
    }

    private ProtocolException malformed(JacksonException e) {
        String what = e.getOriginalMessage();
        if (what == null) {
            what = "unreadable";
        } else if (what.contains("nesting depth")) {
            what = "more than " + MAX_NESTING + " levels of nesting";
        } else {
            // The parser adds where it thinks the text came from.
            what = what.replaceFirst("(?s)( \\(start marker at|\\n).*", "");
        }
        TokenStreamLocation location = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
        broken = bad("not JSON at " + position(location) + ": " + what);
        return broken;
    }

    private static String position(TokenStreamLocation location) {
        return "line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    private static String describe(@Nullable JsonToken token) {
        if (token == null) {
            return "the end";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            case VALUE_NULL -> "null";
            default -> "something else";
        };
    }
}
