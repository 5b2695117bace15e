package io.barrage.gateway.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The reference of all keys for the docs, made from the records so that it can't drift. */
public final class ConfigReference {

    private ConfigReference() {}

    /** A Markdown table of every key that the record stands for. */
    public static String markdown(Class<? extends Record> type) {
        StringBuilder table = new StringBuilder("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        List<String> restarting = new ArrayList<>();
        Schema.of(type).forEach((path, key) -> {
            if (key.setting().restart()) {
                restarting.add(path);
            }
            if (key.shape() instanceof Schema.Nested && key.word() == null) {
                return;
            }
            table.append("| `").append(path).append("`");
            table.append(" | ").append(label(key));
            table.append(" | ").append(defaultOf(key));
            table.append(" | ").append(key.setting().doc().replace("|", "\\|"));
            if (restarting.stream().anyMatch(other -> path.equals(other) || path.startsWith(other + "."))) {
                table.append(" A change needs a restart.");
            }
            table.append(" |\n");
        });
        return table.toString();
    }

    private static String label(Schema.Key key) {
        if (key.shape() instanceof Schema.Many many) {
            return many.element() instanceof Schema.One one
                    ? (key.setting().single() ? "one or a list of " : "list of ")
                            + one.scalar().label()
                    : "list of sections";
        }
        return Objects.requireNonNull(key.word(), key.name()).label();
    }

    private static String defaultOf(Schema.Key key) {
        if (key.shape() instanceof Schema.Many) {
            return "none";
        }
        return key.setting().value().isEmpty()
                ? key.nullable() ? "none" : "must be given"
                : "`" + key.setting().value() + "`";
    }
}
