package io.barrage.loadtest.load;

/** Numbers by a growing index, of which the oldest are forgotten; doubles when it is full. Confined to its event loop. */
final class LongRing {
    private long[] values = new long[16];
    private long first;
    private long next;

    /** Stores the value of the next index. */
    void add(long value) {
        if (next - first == values.length) {
            long[] wider = new long[values.length * 2];
            for (long i = first; i < next; i++) {
                wider[(int) i & wider.length - 1] = values[(int) i & values.length - 1];
            }
            values = wider;
        }
        values[(int) next++ & values.length - 1] = value;
    }

    /** Takes the value of the oldest index out. */
    long remove() {
        if (first == next) {
            throw new IllegalStateException("empty");
        }
        return values[(int) first++ & values.length - 1];
    }

    int size() {
        return (int) (next - first);
    }
}
