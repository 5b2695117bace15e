package io.barrage.gateway.config;

import java.util.Map;

/** A configuration that was read without a mistake, and where its values came from. Immutable. */
public final class Loaded<T extends Record> {

    private final T value;
    private final Schema schema;
    private final Map<String, Place> origins;

    Loaded(T value, Schema schema, Map<String, Place> origins) {
        this.value = value;
        this.schema = schema;
        this.origins = Map.copyOf(origins);
    }

    /** The configuration. */
    public T value() {
        return value;
    }

    /** Whether a source gives what is at a path, rather than a default or what the record adds by itself. */
    public boolean isWritten(String path) {
        return origins.containsKey(path);
    }

    /**
     * The effective configuration as YAML: every key, secrets masked, and behind each value that isn't the default where
     * it came from.
     */
    public String print() {
        return new Printer(origins).print(schema, value);
    }
}
