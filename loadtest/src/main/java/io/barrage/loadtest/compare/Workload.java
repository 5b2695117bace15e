package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * A load that gateways are compared by. Immutable.
 *
 * <p>A lone message shows what one write costs, a window how well a gateway batches, many rooms what a room costs, and bursts
 * what a hot room does to it. The crowd shows who keeps up, the ingests what taking a publish costs.
 */
public enum Workload {
    LONE("lone", closed(1, 1000, 1, 1)),
    W32("w32", closed(1, 1000, 32, 1)),
    W128("w128", closed(1, 1000, 128, 1)),
    W256("w256", closed(1, 1000, 256, 1)),
    BURSTS("bursts", closed(1, 1000, 10, 10)),
    ROOMS("rooms", closed(1000, 10, 256, 1)),
    CROWD("crowd", open(10_000, 20)),
    RATE200("rate200", open(1000, 200)),
    COALESCE("coalesce", open(1000, 200)),
    INGEST("ingest", publishing(16)),
    INGEST_NDJSON("ingest-ndjson", publishing(16 * 64));

    /** How messages are let go, and to whom. Immutable. */
    private record Shape(
            int topics, int subscribers, int window, OptionalDouble rate, int burst, int publishConnections) {}

    private final String label;

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers
    private final Shape shape;

    Workload(String label, Shape shape) {
        this.label = label;
        this.shape = shape;
    }

    private static Shape closed(int topics, int subscribers, int window, int burst) {
        return new Shape(topics, subscribers, window, OptionalDouble.empty(), burst, 1);
    }

    private static Shape open(int subscribers, double rate) {
        return new Shape(1, subscribers, 0, OptionalDouble.of(rate), 1, 1);
    }

    /** Over 16 connections with a topic for each. */
    private static Shape publishing(int window) {
        return new Shape(16, 0, window, OptionalDouble.empty(), 1, 16);
    }

    /** The name on the command line and in tables. */
    public String label() {
        return label;
    }

    /**
     * The load of this name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Workload of(String label) {
        for (Workload workload : values()) {
            if (workload.label.equals(label)) {
                return workload;
            }
        }
        throw new IllegalArgumentException("'" + label + "' is not one of " + List.of(values()));
    }

    int topics() {
        return shape.topics;
    }

    /** Subscribers of each topic; none if publishing alone is the load. */
    int subscribers() {
        return shape.subscribers;
    }

    int window() {
        return shape.window;
    }

    OptionalDouble rate() {
        return shape.rate;
    }

    int burst() {
        return shape.burst;
    }

    /** The least number of connections to publish over. */
    int publishConnections() {
        return shape.publishConnections;
    }

    /** How to drive a gateway of this kind under this load. */
    Target target(TargetKind kind, InetSocketAddress clients, InetSocketAddress backend) {
        return (this == INGEST_NDJSON ? TargetKind.BARRAGE_NDJSON : kind).at(clients, backend);
    }

    /** The load beside whose figures this one's are printed, since it differs in one thing; null if there is none. */
    @Nullable
    Workload beside() {
        return switch (this) {
            case COALESCE -> RATE200;
            case INGEST_NDJSON -> INGEST;
            default -> null;
        };
    }

    /** Why a gateway of this kind isn't put under this load, in words; empty if it is. */
    Optional<String> unfit(TargetKind kind) {
        @Nullable
        TargetKind sameServer =
                switch (kind) {
                    case BARRAGE_BATCH -> TargetKind.BARRAGE;
                    case UWEBSOCKETS_ENVELOPE -> TargetKind.UWEBSOCKETS;
                    default -> null;
                };
        if (shape.subscribers == 0 && sameServer != null) {
            return Optional.of("it differs from " + sameServer + " in what subscribers get, and there are none");
        }
        boolean coalesces =
                switch (kind) {
                    case BARRAGE, BARRAGE_BATCH, BARRAGE_NDJSON -> true;
                    default -> false;
                };
        return switch (this) {
            case COALESCE -> coalesces ? Optional.empty() : Optional.of("it can't be told to wait and collect");
            case INGEST_NDJSON ->
                switch (kind) {
                    case BARRAGE -> Optional.empty();
                    case BARRAGE_NDJSON ->
                        Optional.of("it publishes as NDJSON under every load; " + TargetKind.BARRAGE + " does here");
                    default -> Optional.of("it takes no NDJSON; see its single publishes in ingest");
                };
            case INGEST ->
                kind == TargetKind.NATS
                        ? Optional.of("it takes publishes over TCP, many in a read and none answered: not comparable")
                        : Optional.empty();
            default -> Optional.empty();
        };
    }

    @Override
    public String toString() {
        return label;
    }
}
