package io.barrage.loadtest.load;

import java.util.concurrent.ThreadLocalRandom;

/** Names of a run's own: nothing that an earlier run left in a history can reach its subscribers. Thread-safe: no state. */
final class Topics {
    private static final long NAMES = 36L * 36 * 36 * 36 * 36 * 36;

    private Topics() {}

    /** A topic in the namespace {@code bench}. */
    static String fresh() {
        return fresh("bench");
    }

    static String fresh(String namespace) {
        return namespace + ":" + name();
    }

    /** Up to six letters and digits. */
    static String name() {
        return Long.toString(ThreadLocalRandom.current().nextLong(NAMES), 36);
    }
}
