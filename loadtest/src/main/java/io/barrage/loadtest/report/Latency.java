package io.barrage.loadtest.report;

import io.barrage.loadtest.measure.Stats;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import tools.jackson.databind.JsonNode;

/**
 * The percentiles of one latency, as a result has them. Immutable. In microseconds.
 *
 * @param name what it is the latency of
 * @param colour which colour its curve has: one for each gateway, in all plots of a page
 * @param counts whether it may be used
 * @param count how many values it was made of; of several runs, the fewest
 */
record Latency(
        String name,
        int colour,
        boolean counts,
        long count,
        double p50,
        double p90,
        double p99,
        double p999,
        double max) {
    /** So many values have one beyond p50, p90, p99, p99.9; and the greatest of as many as the last is rarer than that. */
    private static final long[] LEAST_VALUES = {1, 10, 100, 1_000, 1_000};

    /** Whether an object of a result is one. */
    static boolean is(JsonNode node) {
        return node.isObject() && node.has("count") && node.has("p50") && node.has("p999") && node.has("max");
    }

    static Latency of(String name, int colour, JsonNode node) {
        return new Latency(
                name,
                colour,
                true,
                node.path("count").asLong(0),
                node.path("p50").asDouble(0),
                node.path("p90").asDouble(0),
                node.path("p99").asDouble(0),
                node.path("p999").asDouble(0),
                node.path("max").asDouble(0));
    }

    /** The median of each percentile: a curve that stands for several runs. */
    static Latency median(String name, int colour, boolean counts, List<Latency> runs) {
        return new Latency(
                name,
                colour,
                counts,
                runs.stream().mapToLong(Latency::count).min().orElse(0),
                Stats.median(runs.stream().mapToDouble(Latency::p50)),
                Stats.median(runs.stream().mapToDouble(Latency::p90)),
                Stats.median(runs.stream().mapToDouble(Latency::p99)),
                Stats.median(runs.stream().mapToDouble(Latency::p999)),
                Stats.median(runs.stream().mapToDouble(Latency::max)));
    }

    /** From the median to the worst, as far as there are values enough to tell. */
    double[] points() {
        int enough = (int)
                LongStream.of(LEAST_VALUES).filter(least -> least <= count).count();
        return Arrays.copyOf(new double[] {p50, p90, p99, p999, max}, enough);
    }
}
