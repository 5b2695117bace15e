package io.barrage.gateway.config;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Turns what was written into records, and goes on after each mistake. Confined to one thread; for one use.
 *
 * <p>A value that can't be read is replaced by its default, so that the rest can be checked; the path is remembered as
 * broken, and contradictions that rest on a broken path aren't told.
 */
final class Binder {

    private static final int SHOWN_CHARACTERS = 60;

    private final Map<String, List<Node.Value>> layers;
    private final Map<String, List<Node>> appended;
    private final List<ConfigError> errors = new ArrayList<>();
    private final List<ConfigError> consequences = new ArrayList<>();
    private final Map<String, Place> origins = new HashMap<>();
    private final Set<String> broken = new HashSet<>();
    private final Set<String> validPaths = new TreeSet<>();

    /**
     * A binder.
     *
     * @param layers values from beside the file by path, weakest first
     * @param appended list elements from beside the file by the list's path
     * @param broken paths that are known already to lack something that couldn't be read
     */
    Binder(Map<String, List<Node.Value>> layers, Map<String, List<Node>> appended, Set<String> broken) {
        this.layers = layers;
        this.appended = appended;
        this.broken.addAll(broken);
    }

    List<ConfigError> errors() {
        return errors;
    }

    /** Those of the errors that are about something missing or contradictory, not about something written. */
    List<ConfigError> consequences() {
        return consequences;
    }

    /** Where each value that was written comes from, by path. */
    Map<String, Place> origins() {
        return origins;
    }

    /** The record; null if it can't be made, which is never without an error. */
    @Nullable
    Record bind(Schema schema, Node.@Nullable Section root) {
        schema.forEach((path, key) -> validPaths.add(path));
        return record(schema, root, "", root == null ? null : root.place());
    }

    private @Nullable Record record(
            Schema schema, Node.@Nullable Section written, String prefix, @Nullable Place place) {
        Map<String, Node.Entry> entries = written == null ? Map.of() : written.entries();
        entries.forEach((name, entry) -> {
            if (schema.key(name) == null) {
                unknownKey(schema, prefix, name, entry.keyPlace(), entries.keySet());
            }
        });
        @Nullable Object[] values = new @Nullable Object[schema.keys().size()];
        boolean complete = true;
        for (int i = 0; i < values.length; i++) {
            Schema.Key key = schema.keys().get(i);
            String path = prefix + key.name();
            Node.Entry entry = entries.get(key.name());
            values[i] = value(key, path, entry, place);
            complete &= values[i] != null || key.nullable();
        }
        return complete ? construct(schema, values, prefix, place) : null;
    }

    private @Nullable Object value(
            Schema.Key key, String path, Node.@Nullable Entry entry, @Nullable Place sectionPlace) {
        Node written = entry == null ? null : entry.value();
        if (written != null) {
            origins.put(path, written.place());
        }
        if (key.shape() instanceof Schema.One one) {
            return word(key, one.scalar(), path, written, sectionPlace);
        }
        if (key.shape() instanceof Schema.Nested nested) {
            return nested(key, nested, path, written);
        }
        return list(key, ((Schema.Many) key.shape()).element(), path, written);
    }

    private @Nullable Object word(
            Schema.Key key, Scalar scalar, String path, @Nullable Node written, @Nullable Place sectionPlace) {
        Object value = strongest(key, scalar, path, written);
        if (value != null) {
            return value;
        }
        value = key.defaultValue();
        if (value == null && !key.nullable() && !broken.contains(path)) {
            consequence(new ConfigError(sectionPlace, path, "missing; expected " + scalar.expected() + hint(key)));
            broken.add(path);
        }
        return value;
    }

    /** What the strongest source that can be read says; null if there is none. */
    private @Nullable Object strongest(Schema.Key key, Scalar scalar, String path, @Nullable Node written) {
        List<Node> sources = new ArrayList<>(layers.getOrDefault(path, List.of()));
        if (written != null) {
            // Behind the fallbacks, before variables and flags.
            int fallbacks = (int) sources.stream()
                    .filter(source -> source.place().kind() == Place.Source.FALLBACK)
                    .count();
            sources.add(fallbacks, written);
        }
        Object value = null;
        for (Node source : sources) {
            // Overridden ones too: a mistake in the file doesn't become right by a flag.
            Object read = read(key, scalar, path, source);
            if (read != null) {
                value = read;
                origins.put(path, source.place());
            }
        }
        return value;
    }

    private @Nullable Object read(Schema.Key key, Scalar scalar, String path, Node source) {
        if (source instanceof Node.Value value && value.text() != null) {
            try {
                return scalar.parse().apply(value.text());
            } catch (IllegalArgumentException ignored) {
                // The message below says it in the user's words.
            }
        }
        broken.add(path);
        // What stands in place of a section may be a secret that was written one level too high.
        boolean hidden =
                key.setting().secret() || (key.shape() instanceof Schema.Nested && source instanceof Node.Value);
        String found = hidden ? "something else (not shown)" : found(source);
        errors.add(new ConfigError(
                source.place(), path, "expected " + scalar.expected() + ", found " + found + hint(key)));
        return null;
    }

    private @Nullable Object nested(Schema.Key key, Schema.Nested shape, String path, @Nullable Node written) {
        Schema schema = shape.schema();
        Node.Section section = written instanceof Node.Section given ? given : null;
        Node word = written == null || section != null || isNothing(written) ? null : written;
        Object constant = null;
        if (shape.word() != null) {
            constant = strongest(key, shape.word(), path, word);
        } else if (word != null) {
            wrongShape(path, word, "keys: " + schema.names());
        }
        Place below = strongestBelow(path, section);
        if (constant != null) {
            Place place = origins.get(path);
            int stronger = below == null || place == null ? 1 : place.kind().compareTo(below.kind());
            if (stronger == 0) {
                broken.add(path);
                errors.add(new ConfigError(
                        place, path, "is " + key.setting().word() + ", but keys of it are given, too: by " + below));
            }
            if (stronger >= 0) {
                if (section != null) {
                    // A mistake in what is overridden is one nevertheless.
                    record(schema, section, path + ".", section.place());
                    origins.put(path, place);
                }
                return constant;
            }
        }
        if (key.nullable() && below == null) {
            return null;
        }
        return record(schema, section, path + ".", written == null ? null : written.place());
    }

    /** The strongest source of keys below a path; null if none is given. */
    private @Nullable Place strongestBelow(String path, Node.@Nullable Section section) {
        List<Place> places = new ArrayList<>();
        if (section != null) {
            places.add(section.place());
        }
        layers.forEach((other, values) -> {
            if (isBelow(other, path)) {
                values.forEach(value -> places.add(value.place()));
            }
        });
        appended.forEach((other, nodes) -> {
            if (isBelow(other, path)) {
                nodes.forEach(node -> places.add(node.place()));
            }
        });
        return places.stream().max(Comparator.comparing(Place::kind)).orElse(null);
    }

    private List<Object> list(Schema.Key key, Schema.Shape element, String path, @Nullable Node written) {
        List<Node> nodes = new ArrayList<>();
        if (written instanceof Node.Items items) {
            nodes.addAll(items.items());
        } else if (key.setting().single() && written instanceof Node.Value && !isNothing(written)) {
            nodes.add(written);
        } else if (written != null && !isNothing(written)) {
            wrongShape(path, written, "a list");
        }
        nodes.addAll(appended.getOrDefault(path, List.of()));
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Object value = element(key, element, path + "[" + i + "]", nodes.get(i));
            if (value == null) {
                broken.add(path);
            } else {
                values.add(value);
            }
        }
        return List.copyOf(values);
    }

    private @Nullable Object element(Schema.Key key, Schema.Shape shape, String path, Node node) {
        origins.put(path, node.place());
        if (shape instanceof Schema.One one) {
            return read(key, one.scalar(), path, node);
        }
        if (shape instanceof Schema.Nested nested) {
            if (node instanceof Node.Section section) {
                return record(nested.schema(), section, path + ".", node.place());
            }
            wrongShape(path, node, "keys: " + nested.schema().names());
            return null;
        }
        throw new IllegalStateException("a list of lists at " + path);
    }

    private @Nullable Record construct(Schema schema, @Nullable Object[] values, String prefix, @Nullable Place place) {
        String path = prefix.isEmpty() ? "" : prefix.substring(0, prefix.length() - 1);
        Record record;
        try {
            record = schema.construct(values);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof IllegalArgumentException refused)) {
                throw new IllegalStateException("a bug in the constructor of " + schema.type(), e.getCause());
            }
            if (!isBroken(path)) {
                consequence(new ConfigError(place, path, String.valueOf(refused.getMessage())));
            }
            broken.add(path);
            return null;
        }
        if (record instanceof Checked checked) {
            Contradictions found = new Contradictions();
            checked.check(found);
            for (Contradictions.Contradiction contradiction : found.all()) {
                contradiction(contradiction, prefix, place);
            }
        }
        return record;
    }

    private void contradiction(
            Contradictions.Contradiction contradiction, String prefix, @Nullable Place sectionPlace) {
        List<String> paths =
                contradiction.keys().stream().map(key -> prefix + key).toList();
        if (paths.stream().anyMatch(this::isBroken)) {
            return;
        }
        Place place = paths.stream()
                .filter(origins::containsKey)
                .findFirst()
                .map(origins::get)
                .orElse(sectionPlace);
        consequence(new ConfigError(place, paths.get(0), contradiction.sentence()));
    }

    private void consequence(ConfigError error) {
        errors.add(error);
        consequences.add(error);
    }

    /** Whether the path, something below it or something that it is part of couldn't be read. */
    private boolean isBroken(String path) {
        return broken.stream().anyMatch(other -> other.equals(path) || isBelow(other, path) || isBelow(path, other));
    }

    private static boolean isBelow(String path, String above) {
        return above.isEmpty()
                || (path.startsWith(above)
                        && path.length() > above.length()
                        && (path.charAt(above.length()) == '.' || path.charAt(above.length()) == '['));
    }

    private void unknownKey(Schema schema, String prefix, String name, Place place, Set<String> siblings) {
        String path = prefix + name;
        String message;
        if (prefix.isEmpty() && validPaths.contains(name)) {
            message = "unknown key: keys are nested, not dotted; write `" + name.substring(0, name.indexOf('.'))
                    + ":` and the rest indented below it";
            broken.add(name);
        } else {
            List<String> near = Nearest.paths(path.replaceAll("\\[\\d+]", "[]"), validPaths);
            // Within the same list element, the element's number is known.
            String general = prefix.replaceAll("\\[\\d+]", "[]");
            near = near.stream()
                    .map(found -> found.startsWith(general) ? prefix + found.substring(general.length()) : found)
                    .toList();
            // What was meant is missing then, and its default says nothing; unless it is there as well.
            near.stream()
                    .filter(found -> !found.startsWith(prefix) || !siblings.contains(found.substring(prefix.length())))
                    .forEach(broken::add);
            message = "unknown key" + (near.isEmpty() ? "; expected one of: " + schema.names() : Suggestions.of(near));
        }
        errors.add(new ConfigError(place, path, message));
    }

    private void wrongShape(String path, Node written, String expected) {
        broken.add(path);
        // The text may be a secret that was written one level too high, so it isn't shown.
        String found = written instanceof Node.Value ? "a single value" : found(written);
        errors.add(new ConfigError(written.place(), path, "expected " + expected + ", found " + found));
    }

    private static boolean isNothing(Node node) {
        return node instanceof Node.Value value && value.text() == null;
    }

    private static String found(Node node) {
        if (node instanceof Node.Section) {
            return "a section with keys";
        }
        if (node instanceof Node.Items) {
            return "a list";
        }
        String text = ((Node.Value) node).text();
        if (text == null) {
            return "nothing";
        }
        String shown = text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "..." : text;
        return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
    }

    private static String hint(Schema.Key key) {
        return key.setting().hint().isEmpty() ? "" : "; " + key.setting().hint();
    }
}
