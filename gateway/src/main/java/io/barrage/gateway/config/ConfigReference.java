package io.barrage.gateway.config;

/** The reference of all keys for the docs, made from the records so that it can't drift. */
public final class ConfigReference {

    private ConfigReference() {}

    /** A Markdown table of every key that the record stands for. */
    public static String markdown(Class<? extends Record> type) {
        StringBuilder table = new StringBuilder("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        Schema.of(type).forEach((path, key) -> {
            if (key.shape() instanceof Schema.Nested) {
                return;
            }
            table.append("| `").append(path).append("`");
            table.append(" | ").append(label(key.shape()));
            table.append(" | ").append(defaultOf(key));
            table.append(" | ").append(key.setting().doc().replace("|", "\\|")).append(" |\n");
        });
        return table.toString();
    }

    private static String label(Schema.Shape shape) {
        if (shape instanceof Schema.Many many) {
            return many.element() instanceof Schema.One one
                    ? "list of " + one.scalar().label()
                    : "list of sections";
        }
        return ((Schema.One) shape).scalar().label();
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
