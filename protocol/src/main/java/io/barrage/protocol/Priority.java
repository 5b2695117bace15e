package io.barrage.protocol;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How much a message matters when not all can be shown, from chatter to what must never be lost. Immutable. */
public enum Priority {
    /** Shed first. */
    LOW,
    /** The default. */
    NORMAL,
    /** Passes a room's budget; has a reserved share. */
    HIGH,
    /** Gifts, orders, moderation: as {@link #HIGH}, and never sampled. */
    CRITICAL;

    private static final Priority[] VALUES = values();

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The word on the wire. */
    public String wire() {
        return wire;
    }

    /** The priority of a word on the wire, or null if there is none. */
    public static @Nullable Priority ofWire(String word) {
        for (Priority priority : VALUES) {
            if (priority.wire.equals(word)) {
                return priority;
            }
        }
        return null;
    }
}
