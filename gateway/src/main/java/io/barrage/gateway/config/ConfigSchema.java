package io.barrage.gateway.config;

import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/**
 * A JSON Schema (2020-12) of a configuration file, for editors; made from the records so that it can't drift. Stateless.
 *
 * <p>It knows types, ranges, words and keys. What contradicts each other only the gateway itself can say.
 */
public final class ConfigSchema {
    /** The digits that a number in front of a unit may have. */
    private static final long MOST = 999_999_999_999L;

    private static final long MOST_OF_RATE = 999_999_999L;

    private static final Map<String, Double> MILLIS = units("ms", 1, "s", 1_000, "m", 60_000, "h", 3_600_000);
    private static final Map<String, Double> BYTES = units("B", 1, "KiB", 1024, "MiB", 1 << 20, "GiB", 1 << 30);
    private static final Map<String, Double> PER_SECOND = units("s", 1, "m", 1 / 60.0, "h", 1 / 3600.0);

    private ConfigSchema() {}

    private static Map<String, Double> units(Object... pairs) {
        Map<String, Double> units = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            units.put((String) pairs[i], ((Number) pairs[i + 1]).doubleValue());
        }
        return units;
    }

    /**
     * The schema as a JSON text.
     *
     * @param more what it says besides of the whole file
     */
    public static String json(Class<? extends Record> type, String title, Map<String, ?> more) {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
        root.put("title", title);
        root.putAll(section(Schema.of(type), false, false));
        root.putAll(more);
        StringWriter text = new StringWriter();
        try (JsonGenerator out = new JsonFactory().createGenerator(new Indented(), text)) {
            write(out, root);
        }
        return text + "\n";
    }

    private static Map<String, Object> section(Schema schema, boolean mayBeEmpty, boolean restart) {
        Map<String, Object> section = new LinkedHashMap<>();
        section.put("type", mayBeEmpty ? List.of("object", "null") : "object");
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        for (Schema.Key key : schema.keys()) {
            properties.put(key.name(), property(key, restart || key.setting().restart()));
            if (key.shape() instanceof Schema.One && key.setting().value().isEmpty() && !key.nullable()) {
                required.add(key.name());
            }
        }
        section.put("properties", properties);
        if (!required.isEmpty()) {
            section.put("required", required);
        }
        section.put("additionalProperties", false);
        return section;
    }

    private static Map<String, Object> property(Schema.Key key, boolean restart) {
        Map<String, Object> property = new LinkedHashMap<>();
        String hint = restart && !(key.shape() instanceof Schema.Nested) ? " A change needs a restart." : "";
        property.put("description", key.setting().doc().replace("`", "") + hint);
        Class<?> type = key.component().getType();
        if (key.shape() instanceof Schema.Nested nested && nested.word() != null) {
            property.put(
                    "anyOf", List.of(Map.of("const", key.setting().word()), section(nested.schema(), false, restart)));
        } else if (key.shape() instanceof Schema.Nested nested) {
            property.putAll(section(nested.schema(), true, restart));
        } else if (key.shape() instanceof Schema.Many many) {
            Map<String, Object> element = many.element() instanceof Schema.Nested nested
                    ? section(nested.schema(), false, restart)
                    : word(elementType(key), key.setting());
            Map<String, Object> list = new LinkedHashMap<>();
            list.put("type", List.of("array", "null"));
            list.put("items", element);
            if (key.setting().single()) {
                property.put("anyOf", List.of(element, list));
            } else {
                property.putAll(list);
            }
        } else {
            property.putAll(word(type, key.setting()));
            if (!key.setting().value().isEmpty()) {
                property.put("default", defaultOf(type, key.setting().value()));
            }
        }
        return property;
    }

    private static Class<?> elementType(Schema.Key key) {
        java.lang.reflect.ParameterizedType list =
                (java.lang.reflect.ParameterizedType) key.component().getGenericType();
        return (Class<?>) list.getActualTypeArguments()[0];
    }

    private static Object defaultOf(Class<?> type, String value) {
        if (type == boolean.class) {
            return value.equals("true");
        }
        return type == int.class || type == long.class ? (Object) Long.valueOf(value) : value;
    }

    /** What a value of a type that is written as one word looks like. */
    private static Map<String, Object> word(Class<?> type, Setting setting) {
        if (type == boolean.class) {
            return Map.of("type", "boolean");
        }
        if (type == int.class || type == long.class) {
            return integer(bound(setting.min(), Double::parseDouble), bound(setting.max(), Double::parseDouble));
        }
        if (type == Duration.class) {
            ToDoubleFunction<String> millis = text -> Durations.parse(text).toMillis();
            return text(withUnits("", MILLIS, MOST, bound(setting.min(), millis), bound(setting.max(), millis)));
        }
        if (type == Rate.class) {
            ToDoubleFunction<String> perSecond = text -> Rate.parse(text).perSecond();
            Double most = bound(setting.max(), perSecond);
            String rate = withUnits(" ?/ ?", PER_SECOND, MOST_OF_RATE, bound(setting.min(), perSecond), most);
            return text(most == null ? "none|" + rate : rate);
        }
        if (type == ByteSize.class) {
            ToDoubleFunction<String> bytes = text -> ByteSize.parse(text).bytes();
            Double least = bound(setting.min(), bytes);
            Double most = bound(setting.max(), bytes);
            return Map.of(
                    "anyOf",
                    List.of(
                            integer(least == null ? Double.valueOf(0) : least, most),
                            text(withUnits(" ?", BYTES, MOST, least, most))));
        }
        if (type.isEnum()) {
            Scalar scalar = java.util.Objects.requireNonNull(Scalar.of(type), type.getName());
            return Map.of(
                    "enum",
                    Arrays.stream(type.getEnumConstants()).map(scalar.print()).toList());
        }
        return setting.pattern().isEmpty() ? Map.of("type", "string") : text(setting.pattern());
    }

    private static @Nullable Double bound(String text, ToDoubleFunction<String> parse) {
        return text.isEmpty() ? null : (Double) parse.applyAsDouble(text);
    }

    private static Map<String, Object> integer(@Nullable Double least, @Nullable Double most) {
        Map<String, Object> integer = new LinkedHashMap<>();
        integer.put("type", "integer");
        if (least != null) {
            integer.put("minimum", least.longValue());
        }
        if (most != null) {
            integer.put("maximum", most.longValue());
        }
        return integer;
    }

    private static Map<String, Object> text(String pattern) {
        Map<String, Object> text = new LinkedHashMap<>();
        text.put("type", "string");
        text.put("pattern", "^(?:" + pattern + ")$");
        return text;
    }

    /** An expression for numbers with a unit behind them that lie within a range. */
    private static String withUnits(
            String between, Map<String, Double> units, long mostDigits, @Nullable Double least, @Nullable Double most) {
        return units.entrySet().stream()
                .map(unit -> {
                    long from = least == null ? 0 : (long) Math.ceil(least / unit.getValue() - 1e-9);
                    long to = most == null ? mostDigits : (long) Math.floor(most / unit.getValue() + 1e-9);
                    boolean open = from == 0 && to >= mostDigits;
                    return from > to
                            ? ""
                            : "(?:" + (open ? "\\d+" : NumberPattern.between(from, Math.min(to, mostDigits))) + ")"
                                    + between + unit.getKey();
                })
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining("|"));
    }

    // ---------------------------------------------------------------- JSON

    /** Has a generator indent. */
    private static final class Indented extends ObjectWriteContext.Base {
        @Override
        public PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
        }

        @Override
        public boolean hasPrettyPrinter() {
            return true;
        }
    }

    private static void write(JsonGenerator out, Object value) {
        if (value instanceof Map<?, ?> map) {
            out.writeStartObject();
            map.forEach((name, member) -> {
                out.writeName((String) name);
                write(out, member);
            });
            out.writeEndObject();
        } else if (value instanceof List<?> list) {
            out.writeStartArray();
            list.forEach(element -> write(out, element));
            out.writeEndArray();
        } else if (value instanceof Boolean flag) {
            out.writeBoolean(flag);
        } else if (value instanceof Number number) {
            out.writeNumber(number.longValue());
        } else {
            out.writeString((String) value);
        }
    }
}
