package io.barrage.loadtest.load;

/**
 * How far a group of subscribers has come: how many of them stand at each count of received messages. Confined to its
 * event loop.
 *
 * <p>Answers "which messages has everybody?" in constant time per read, whatever the number of subscribers and of messages
 * in the read. The counts between the slowest and the fastest subscriber live in a ring that doubles when they part further.
 */
final class Levels {
    /** Subscribers this far apart mean that the run is lost, not that memory should be. */
    static final int MAX_SPREAD = 1 << 24;

    private int[] standing = new int[16];
    private int subscribers;
    private long floor;

    /** Adds a subscriber that has received nothing yet; only before the first {@link #advance}. */
    void join() {
        standing[0]++;
        subscribers++;
    }

    /** Removes a subscriber, so that the others no longer wait for it. */
    void leave(long level) {
        standing[index(level)]--;
        subscribers--;
        raiseFloor();
    }

    /** Moves a subscriber from {@code level} up by {@code messages}. */
    void advance(long level, long messages) {
        if (level + messages - floor >= standing.length) {
            grow(level + messages - floor + 1);
        }
        standing[index(level)]--;
        standing[index(level + messages)]++;
        raiseFloor();
    }

    /** The number of messages that every subscriber has received. Stays where it is once nobody is left. */
    long floor() {
        return floor;
    }

    int subscribers() {
        return subscribers;
    }

    private void raiseFloor() {
        while (subscribers > 0 && standing[index(floor)] == 0) {
            floor++;
        }
    }

    private int index(long level) {
        return (int) level & standing.length - 1;
    }

    private void grow(long spread) {
        if (spread > MAX_SPREAD) {
            throw new IllegalStateException("subscribers of one topic are " + spread + " messages apart");
        }
        int[] old = standing;
        int[] wider = new int[Math.max(Integer.highestOneBit((int) spread - 1) << 1, old.length * 2)];
        for (long level = floor; level < floor + old.length; level++) {
            wider[(int) level & wider.length - 1] = old[(int) level & old.length - 1];
        }
        standing = wider;
    }
}
