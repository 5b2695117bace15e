package io.barrage.gateway.config;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A piece of configuration as it was written, before any type is known. Immutable. */
sealed interface Node {

    Place place();

    /** A single value; null where a key stands without one. */
    record Value(Place place, @Nullable String text) implements Node {}

    /** A list. */
    record Items(Place place, List<Node> items) implements Node {}

    /** Keys with their values, in the order of the file. */
    record Section(Place place, Map<String, Entry> entries) implements Node {}

    /** A key's value, and where the key itself stands. */
    record Entry(Place keyPlace, Node value) {}
}
