package io.barrage.protocol;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How much of a topic a subscription wants. Immutable. */
public enum AttentionLevel {
    /** Everything. */
    FULL,
    /** Messages of priority high and critical, and how many were hidden. */
    DIGEST,
    /** How many are there, and how many messages were hidden. */
    COUNTS;

    private static final AttentionLevel[] VALUES = values();

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word on the wire. */
    public String wire() {
        return wire;
    }

    /** The level of a word on the wire, or null if there is none. */
    public static @Nullable AttentionLevel ofWire(String word) {
        for (AttentionLevel level : VALUES) {
            if (level.wire.equals(word)) {
                return level;
            }
        }
        return null;
    }
}
