package io.barrage.loadtest;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that {@code fanout} and {@code compare} share. Used by one thread. */
final class FanoutOptions {
    @Mixin
    MessageOptions message = new MessageOptions();

    @Mixin
    SpanOptions span;

    @Option(
            names = "--patience",
            description = "How long nothing may move before the run is given up (default: ${DEFAULT-VALUE}).",
            defaultValue = "10s")
    Duration patience = Duration.ZERO;

    @Mixin
    CrowdOptions crowd = new CrowdOptions();

    @Option(
            names = "--threads",
            description = "The generator's event loops (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    int threads;

    @Option(
            names = "--publish-connections",
            description = "Keep-alive connections to publish over (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    int publishConnections;

    @Option(
            names = "--max-outstanding",
            description = "Open loop: undelivered messages at which it withholds more (default: ${DEFAULT-VALUE}).",
            defaultValue = "100000")
    int maxOutstanding;

    @Option(
            names = "--samples",
            description = "Subscribers of each topic that read what they receive (default: up to 16 over all topics).")
    private @Nullable Integer samples;

    /** The defaults of how long it runs. */
    FanoutOptions(String warmup, String duration) {
        this.span = new SpanOptions(warmup, duration);
    }

    OptionalInt samples() {
        return samples == null ? OptionalInt.empty() : OptionalInt.of(samples);
    }
}
