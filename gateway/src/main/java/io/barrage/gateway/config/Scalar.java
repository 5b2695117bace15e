package io.barrage.gateway.config;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A type that is written as one word: how to read it, how to print it, what to call it. Immutable.
 *
 * @param expected completes the sentence "expected ..."
 * @param label names the type in the reference
 * @param parse throws {@code IllegalArgumentException} for a text that isn't one
 */
record Scalar(String expected, String label, Function<String, Object> parse, Function<Object, String> print) {

    private static final Scalar TEXT = new Scalar("a text", "text", text -> text, Object::toString);
    private static final Scalar INT = new Scalar("a whole number", "number", Integer::valueOf, Object::toString);
    private static final Scalar LONG = new Scalar("a whole number", "number", Long::valueOf, Object::toString);
    private static final Scalar BOOLEAN =
            new Scalar("true or false", "`true` or `false`", Scalar::parseBoolean, Object::toString);
    private static final Scalar DURATION = new Scalar(
            "a duration (500ms, 25s, 10m, 2h)",
            "duration",
            Durations::parse,
            value -> Durations.print((Duration) value));
    private static final Scalar BYTE_SIZE =
            new Scalar("a size (64KiB, 1MiB, 2GiB or a number of bytes)", "size", ByteSize::parse, Object::toString);

    private static final Scalar RATE =
            new Scalar("a rate (50/s, 20/m, 100/h) or none", "rate or `none`", Rate::parse, Object::toString);

    /** The scalar for a Java type; null if the type isn't one. */
    static @Nullable Scalar of(Class<?> type) {
        if (type == String.class) {
            return TEXT;
        }
        if (type == int.class) {
            return INT;
        }
        if (type == long.class) {
            return LONG;
        }
        if (type == boolean.class) {
            return BOOLEAN;
        }
        if (type == Duration.class) {
            return DURATION;
        }
        if (type == ByteSize.class) {
            return BYTE_SIZE;
        }
        if (type == Rate.class) {
            return RATE;
        }
        return type.isEnum() ? ofEnum(type) : null;
    }

    private static Scalar ofEnum(Class<?> type) {
        List<Object> constants = Arrays.asList(type.getEnumConstants());
        List<String> names = constants.stream().map(Scalar::word).toList();
        List<String> lowerCase =
                names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
        return new Scalar(
                oneOf(names),
                names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", ")),
                text -> {
                    int index = lowerCase.indexOf(text.toLowerCase(Locale.ROOT));
                    if (index < 0) {
                        throw new IllegalArgumentException("none of " + names + ": " + text);
                    }
                    return constants.get(index);
                },
                Scalar::word);
    }

    private static String oneOf(List<String> names) {
        int last = names.size() - 1;
        return last == 0 ? names.get(0) : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    /** The name in lower case; what {@code toString} says where an enum has one of its own. */
    private static String word(Object constant) {
        Enum<?> word = (Enum<?>) constant;
        try {
            boolean own = word.getDeclaringClass().getMethod("toString").getDeclaringClass() != Enum.class;
            return own ? word.toString() : word.name().toLowerCase(Locale.ROOT);
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("every object has toString", e);
        }
    }

    private static Object parseBoolean(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("neither true nor false: " + text);
        };
    }

    /** This type within the range that a component allows; the range is part of what is expected. */
    Scalar within(RecordComponent component, String min, String max) {
        if (min.isEmpty() && max.isEmpty()) {
            return this;
        }
        Object least = min.isEmpty() ? null : parse.apply(min);
        Object greatest = max.isEmpty() ? null : parse.apply(max);
        if (!Comparable.class.isAssignableFrom(wrapped(component.getType()))) {
            throw new IllegalArgumentException("a range on " + component + ", which has no order");
        }
        String range = least == null
                ? " up to " + max
                : greatest == null ? " of at least " + min : " from " + min + " to " + max;
        return new Scalar(
                expected + range,
                label + range,
                text -> {
                    Object value = parse.apply(text);
                    if ((least != null && compare(value, least) < 0)
                            || (greatest != null && compare(value, greatest) > 0)) {
                        throw new IllegalArgumentException("out of range: " + text);
                    }
                    return value;
                },
                print);
    }

    private static Class<?> wrapped(Class<?> type) {
        return type == int.class ? Integer.class : type == long.class ? Long.class : type;
    }

    @SuppressWarnings("unchecked") // both come from the same parse function, whose type was checked to be Comparable
    private static int compare(Object left, Object right) {
        return ((Comparable<Object>) left).compareTo(right);
    }
}
