package io.barrage.protocol;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How a value's publishes become one value. Immutable. */
public enum Merge {
    /** The last one. */
    LAST,
    /** The greatest number. */
    MAX,
    /** The exact sum of numbers. */
    SUM,
    /** The entries with the greatest scores. */
    TOP;

    private static final Merge[] VALUES = values();

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word on the wire. */
    public String wire() {
        return wire;
    }

    /** The merge of a word on the wire, or null if there is none. */
    public static @Nullable Merge ofWire(String word) {
        for (Merge merge : VALUES) {
            if (merge.wire.equals(word)) {
                return merge;
            }
        }
        return null;
    }
}
