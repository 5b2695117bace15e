package io.barrage.gateway.config;

import java.util.ArrayList;
import java.util.List;

/** What {@link Checked} records found wrong with themselves. Confined to the main thread. */
public final class Contradictions {

    /** One contradiction and the keys that it is about, as paths from the record. */
    record Contradiction(String sentence, List<String> keys) {}

    private final List<Contradiction> all = new ArrayList<>();

    /**
     * Adds a contradiction.
     *
     * @param sentence what is wrong and what to do about it, without the key's name in front
     * @param key the key to name and whose line to show, as a path from the record: {@code limits.messageBytes}
     * @param others further keys that it follows from. If one of them couldn't be read, nothing is reported: the default
     *     that stands in for it would make up a contradiction that nobody wrote
     */
    public void add(String sentence, String key, String... others) {
        List<String> keys = new ArrayList<>();
        keys.add(key);
        keys.addAll(List.of(others));
        all.add(new Contradiction(sentence, keys));
    }

    List<Contradiction> all() {
        return all;
    }
}
