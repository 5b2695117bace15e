package io.barrage.loadtest.compare;

/**
 * A load that gateways are compared by. Immutable.
 *
 * <p>A lone message shows what one write costs, a window how well a gateway batches, many topics what a topic costs, and bursts
 * what a hot room does to it.
 */
public enum Workload {
    LONE("lone", 1, 1000, 1, 1),
    W32("w32", 1, 1000, 32, 1),
    W256("w256", 1, 1000, 256, 1),
    TOPICS("topics", 1000, 10, 32, 1),
    BURSTS("bursts", 1, 1000, 10, 10);

    private final String label;
    private final int topics;
    private final int subscribers;
    private final int window;
    private final int burst;

    Workload(String label, int topics, int subscribers, int window, int burst) {
        this.label = label;
        this.topics = topics;
        this.subscribers = subscribers;
        this.window = window;
        this.burst = burst;
    }

    /** The name on the command line and in tables. */
    public String label() {
        return label;
    }

    int topics() {
        return topics;
    }

    int subscribers() {
        return subscribers;
    }

    int window() {
        return window;
    }

    int burst() {
        return burst;
    }

    @Override
    public String toString() {
        return label;
    }
}
