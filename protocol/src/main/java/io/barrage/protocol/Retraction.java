package io.barrage.protocol;

import java.util.List;

/**
 * Messages of a topic that aren't to be shown any more. Immutable.
 *
 * @param offsets theirs, ascending, at most {@link #MAX_OFFSETS}
 */
public record Retraction(TopicName topic, List<Long> offsets) implements TopicEvent {
    /** Most offsets that one tells of: so its frame has at most some 17 KiB. */
    public static final int MAX_OFFSETS = 1_000;

    /** Bytes of an offset, as an object and as text. */
    private static final int OFFSET_BYTES = 40;

    public Retraction {
        offsets = List.copyOf(offsets);
    }

    @Override
    public int weight() {
        return OFFSET_BYTES * offsets.size() + 128;
    }
}
