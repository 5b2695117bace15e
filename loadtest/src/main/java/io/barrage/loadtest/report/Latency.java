package io.barrage.loadtest.report;

import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The percentiles of one latency, as a result has them. Immutable. In microseconds.
 *
 * @param name what it is the latency of
 * @param colour which colour its curve has: one for each gateway, in all plots of a page
 */
record Latency(String name, int colour, long count, double p50, double p90, double p99, double p999, double max) {
    /** Whether an object of a result is one. */
    static boolean is(JsonNode node) {
        return node.isObject() && node.has("count") && node.has("p50") && node.has("p999") && node.has("max");
    }

    static Latency of(String name, int colour, JsonNode node) {
        return new Latency(
                name,
                colour,
                node.path("count").asLong(0),
                node.path("p50").asDouble(0),
                node.path("p90").asDouble(0),
                node.path("p99").asDouble(0),
                node.path("p999").asDouble(0),
                node.path("max").asDouble(0));
    }

    /** The median of each percentile: a curve that stands for several runs. */
    static Latency median(String name, int colour, List<Latency> runs) {
        return new Latency(
                name,
                colour,
                runs.stream().mapToLong(Latency::count).sum(),
                Stats.median(runs.stream().mapToDouble(Latency::p50)),
                Stats.median(runs.stream().mapToDouble(Latency::p90)),
                Stats.median(runs.stream().mapToDouble(Latency::p99)),
                Stats.median(runs.stream().mapToDouble(Latency::p999)),
                Stats.median(runs.stream().mapToDouble(Latency::max)));
    }

    /** From the median to the worst. */
    double[] points() {
        return new double[] {p50, p90, p99, p999, max};
    }
}
