package io.barrage.loadtest.measure;

import java.util.List;
import java.util.function.Predicate;

/**
 * The runs of one gateway under one load, and of which of them its medians are. Immutable.
 *
 * <p>Runs don't become unusable by chance: the generator is the limit in just those in which the gateway was fast. So the
 * usable ones stand for all only where they are most of them; the medians of too few would be those of the slow ones.
 *
 * @param all every run that was made
 * @param finished those that gave figures
 * @param usable those whose figures may be used
 */
public record MedianRuns<R>(List<R> all, List<R> finished, List<R> usable) {
    public MedianRuns {
        all = List.copyOf(all);
        finished = List.copyOf(finished);
        usable = List.copyOf(usable);
    }

    /** Sorts runs by what they are. */
    public static <R> MedianRuns<R> of(List<R> all, Predicate<R> finished, Predicate<R> usable) {
        return new MedianRuns<>(
                all,
                all.stream().filter(finished).toList(),
                all.stream().filter(usable).toList());
    }

    /** Whether the medians may be used: most of the runs may. */
    public boolean counts() {
        return 2 * usable.size() > all.size();
    }

    /** Those that the medians are made of: the usable ones if they count, else all that gave figures, to be marked. */
    public List<R> shown() {
        return counts() ? usable : finished;
    }
}
