package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Gap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The offsets that a gateway told one subscriber it won't get. Confined to its event loop. */
final class Gaps {
    private final TreeMap<Long, Gap> byFirst = new TreeMap<>();

    /** Adds a gap; one that follows another for the same reason extends it, so a long stall stays small. */
    void add(Gap gap) {
        if (gap.from() < 1 || gap.to() < gap.from()) {
            return; // names no offset, so it excuses none
        }
        Map.Entry<Long, Gap> before = byFirst.lowerEntry(gap.from());
        if (before != null
                && before.getValue().to() == gap.from() - 1
                && before.getValue().reason().equals(gap.reason())) {
            Gap first = before.getValue();
            byFirst.put(first.from(), new Gap(first.from(), gap.to(), first.count() + gap.count(), gap.reason()));
        } else {
            byFirst.put(gap.from(), gap);
        }
    }

    /** Why {@code offset} is missing, or null if nobody said that it would be. */
    @Nullable
    String reasonOf(long offset) {
        Map.Entry<Long, Gap> at = byFirst.floorEntry(offset);
        return at != null && offset <= at.getValue().to() ? at.getValue().reason() : null;
    }
}
