package io.barrage.gateway.config;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keys that a record stands for, read from its components once. Immutable.
 *
 * @param keys in the order of the components
 */
record Schema(Class<?> type, List<Key> keys) {

    private static final Pattern CAMEL_BORDER = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");

    /** What may stand at a key. */
    sealed interface Shape {}

    /** One word. */
    record One(Scalar scalar) implements Shape {}

    /**
     * A nested record.
     *
     * @param word what may be written in place of its keys; null for nothing
     */
    record Nested(Schema schema, @Nullable Scalar word) implements Shape {}

    /** A list of words or records. */
    record Many(Shape element) implements Shape {}

    /** One component. {@code nullable}: absent means null, for a nested record that none of its keys is written. */
    record Key(String name, Setting setting, Shape shape, boolean nullable, RecordComponent component) {

        /** What can be written as one word; null if nothing can. */
        @Nullable
        Scalar word() {
            return shape instanceof One one ? one.scalar() : shape instanceof Nested nested ? nested.word() : null;
        }

        /** The default; null if there is none, which only a nullable key and one that must be given have. */
        @Nullable
        Object defaultValue() {
            if (shape instanceof One one) {
                return setting.value().isEmpty() ? null : one.scalar().parse().apply(setting.value());
            }
            return shape instanceof Many ? List.of() : null;
        }

        Object valueIn(Record owner) {
            try {
                return component.getAccessor().invoke(owner);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("can't read " + component + " of " + owner.getClass(), e);
            }
        }
    }

    /**
     * Reads a record's components.
     *
     * @throws IllegalArgumentException if a component has no {@link Setting}, a type that can't be configured or a
     *     default that doesn't fit: a mistake of the programmer, found by the first test that touches the record
     */
    static Schema of(Class<?> type) {
        if (!type.isRecord()) {
            throw new IllegalArgumentException("not a record: " + type);
        }
        List<Key> keys = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            keys.add(key(component));
        }
        return new Schema(type, List.copyOf(keys));
    }

    private static Key key(RecordComponent component) {
        Setting setting = component.getAnnotation(Setting.class);
        if (setting == null) {
            throw new IllegalArgumentException(
                    component + " of " + component.getDeclaringRecord() + " has no @Setting");
        }
        // Records are often private to a test or package-private to a component.
        component.getAccessor().setAccessible(true);
        AnnotatedElement use = component.getAnnotatedType();
        Key key = new Key(
                component.getName(),
                setting,
                shape(component, component.getGenericType(), setting),
                use.isAnnotationPresent(Nullable.class),
                component);
        key.defaultValue();
        return key;
    }

    private static Shape shape(RecordComponent component, Type type, Setting setting) {
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            return new Many(shape(component, list.getActualTypeArguments()[0], setting));
        }
        if (type instanceof Class<?> raw) {
            Scalar scalar = Scalar.of(raw);
            if (scalar != null) {
                return new One(scalar.within(component, setting.min(), setting.max()));
            }
            if (raw.isRecord()) {
                Schema nested = of(raw);
                return new Nested(nested, setting.word().isEmpty() ? null : constant(nested, setting.word()));
            }
        }
        throw new IllegalArgumentException("can't configure a " + type + ": " + component);
    }

    /** The word for a record's constant. */
    private static Scalar constant(Schema schema, String word) {
        try {
            Field field = schema.type().getDeclaredField(word.toUpperCase(Locale.ROOT));
            field.setAccessible(true);
            Object constant = field.get(null);
            return new Scalar(
                    word + " or keys: " + schema.names(),
                    "`" + word + "` or the keys below",
                    text -> {
                        if (!text.equals(word)) {
                            throw new IllegalArgumentException("not " + word + ": " + text);
                        }
                        return constant;
                    },
                    ignored -> word);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(schema.type() + " has no constant for the word " + word, e);
        }
    }

    /** The names of all keys, for a sentence. */
    String names() {
        return String.join(", ", keys.stream().map(Key::name).toList());
    }

    @Nullable
    Key key(String name) {
        return keys.stream().filter(key -> key.name().equals(name)).findFirst().orElse(null);
    }

    /** Calls the record's constructor; what it throws is the cause of the exception. */
    Record construct(@Nullable Object[] values) throws InvocationTargetException {
        try {
            Class<?>[] types = Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new);
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return (Record) constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            if (e instanceof InvocationTargetException thrown) {
                throw thrown;
            }
            throw new IllegalStateException("can't construct " + type, e);
        }
    }

    /** Calls back for every key with its path, sections before their keys; those of list elements as {@code list[]}. */
    void forEach(BiConsumer<String, Key> visitor) {
        forEach("", visitor);
    }

    private void forEach(String prefix, BiConsumer<String, Key> visitor) {
        for (Key key : keys) {
            String path = prefix + key.name();
            visitor.accept(path, key);
            if (key.shape() instanceof Nested nested) {
                nested.schema().forEach(path + ".", visitor);
            } else if (key.shape() instanceof Many many && many.element() instanceof Nested element) {
                element.schema().forEach(path + "[].", visitor);
            }
        }
    }

    /** The paths that a variable or a flag can set, with their scalars, sorted. */
    Map<String, Key> words() {
        Map<String, Key> words = new TreeMap<>();
        forEach((path, key) -> {
            if (key.word() != null && !path.contains("[]")) {
                words.put(path, key);
            }
        });
        return words;
    }

    /** {@code limits.perSender} as {@code BARRAGE_LIMITS_PER_SENDER}. */
    static String variable(String prefix, String path) {
        return prefix
                + CAMEL_BORDER.matcher(path).replaceAll("_").replace('.', '_').toUpperCase(Locale.ROOT);
    }
}
