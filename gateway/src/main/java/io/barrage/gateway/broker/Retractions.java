package io.barrage.gateway.broker;

import io.barrage.protocol.Retraction;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Which of a topic's messages were retracted lately: for those who have shown them and weren't there to be told. It outlives
 * what is kept of the messages themselves, since screens do.
 *
 * <p>Not thread-safe: used under its topic's lock.
 */
final class Retractions {
    /** Most offsets that are remembered; of more, the oldest messages are forgotten. 80 KB. */
    static final int MAX_OFFSETS = 10_000;

    /** Most offsets that one who comes back is told of: more lines than a screen has, and little for a crowd that comes back. */
    static final int MAX_TOLD = Retraction.MAX_OFFSETS;

    /** Ascending. */
    private long[] offsets = {};

    private long lastNanos;

    void add(List<Long> more, long nowNanos) {
        long[] all = LongStream.concat(LongStream.of(offsets), more.stream().mapToLong(Long::longValue))
                .sorted()
                .distinct()
                .toArray();
        offsets = Arrays.copyOfRange(all, Math.max(0, all.length - MAX_OFFSETS), all.length);
        lastNanos = nowNanos;
    }

    boolean contains(long offset) {
        return Arrays.binarySearch(offsets, offset) >= 0;
    }

    /** Those up to an offset, ascending; of more than {@link #MAX_TOLD} the newest messages'. */
    List<Long> through(long offset) {
        int found = Arrays.binarySearch(offsets, offset);
        int end = found >= 0 ? found + 1 : -found - 1;
        return LongStream.of(Arrays.copyOfRange(offsets, Math.max(0, end - MAX_TOLD), end))
                .boxed()
                .toList();
    }

    /** Whether the last was so long ago that nobody needs to be told any more. */
    boolean isOver(long lifeNanos, long nowNanos) {
        return nowNanos - lastNanos > lifeNanos;
    }
}
