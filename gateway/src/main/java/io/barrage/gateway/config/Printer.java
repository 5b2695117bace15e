package io.barrage.gateway.config;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes records as YAML that {@link ConfigReader} reads back to the same records. For one use. */
final class Printer {

    /** Words that need no quotes in any place of a YAML file; stricter than YAML, which nobody has to know then. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9/][A-Za-z0-9._/+-]*(:[A-Za-z0-9._/+-]+)*");

    private static final String MASKED = "\"***\"";
    private static final String INDENT = "  ";

    private final Map<String, Place> origins;
    private final StringBuilder out = new StringBuilder();

    Printer(Map<String, Place> origins) {
        this.origins = origins;
    }

    String print(Schema schema, Record record) {
        record(schema, record, "", "", "");
        return out.toString();
    }

    /** Whether a nested record is what the word stands for. */
    private static boolean isWord(@Nullable Scalar word, Object record) {
        return word != null && record.equals(word.parse().apply(word.print().apply(record)));
    }

    /** {@code first} stands in place of the first key's indent: the dash of a list element. */
    private void record(Schema schema, Record record, String path, String first, String indent) {
        String lead = first.isEmpty() ? indent : first;
        for (Schema.Key key : schema.keys()) {
            Object value = key.valueIn(record);
            value(key, value, path + key.name(), lead, indent);
            lead = indent;
        }
    }

    private void value(Schema.Key key, @Nullable Object value, String path, String lead, String indent) {
        out.append(lead);
        if (value == null) {
            out.append("# ").append(key.name()).append(": not set\n");
            return;
        }
        out.append(key.name()).append(':');
        Scalar word = key.shape() instanceof Schema.Nested ? key.word() : null;
        if (word != null && isWord(word, value)) {
            out.append(' ').append(quoted(word.print().apply(value)));
            origin(path);
        } else if (key.shape() instanceof Schema.Nested nested) {
            out.append('\n');
            record(nested.schema(), (Record) value, path + ".", "", indent + INDENT);
        } else if (key.shape() instanceof Schema.Many many) {
            list(key, many.element(), (List<?>) value, path, indent);
        } else {
            Scalar scalar = ((Schema.One) key.shape()).scalar();
            out.append(' ')
                    .append(
                            key.setting().secret()
                                    ? MASKED
                                    : quoted(scalar.print().apply(value)));
            origin(key, value, path);
        }
    }

    private void list(Schema.Key key, Schema.Shape element, List<?> values, String path, String indent) {
        if (values.isEmpty()) {
            out.append(" []\n");
            return;
        }
        out.append('\n');
        for (int i = 0; i < values.size(); i++) {
            String itemPath = path + "[" + i + "]";
            if (element instanceof Schema.Nested nested) {
                record(
                        nested.schema(),
                        (Record) values.get(i),
                        itemPath + ".",
                        indent + INDENT + "- ",
                        indent + INDENT + INDENT);
            } else {
                Scalar scalar = ((Schema.One) element).scalar();
                String text =
                        key.setting().secret() ? MASKED : quoted(scalar.print().apply(values.get(i)));
                out.append(indent).append(INDENT).append("- ").append(text);
                origin(itemPath);
            }
        }
    }

    private void origin(Schema.Key key, Object value, String path) {
        if (value.equals(key.defaultValue())) {
            out.append('\n');
        } else {
            origin(path);
        }
    }

    private void origin(String path) {
        Place place = origins.get(path);
        // Nobody wrote it: a record's constructor worked it out from the other keys.
        out.append("  # ")
                .append(place == null ? "follows from other keys" : place)
                .append('\n');
    }

    private static String quoted(String text) {
        if (PLAIN.matcher(text).matches() && !text.equals("null")) {
            return text;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
