package io.barrage.loadtest;

import java.time.Duration;
import picocli.CommandLine.Option;

/** How long a load runs; each command has its own defaults. Used by one thread. */
final class SpanOptions {
    // Texts, since the help shows a default as the field writes itself, and a Duration writes PT10S.
    @Option(
            names = "--warmup",
            paramLabel = "DURATION",
            description = "Load before anything counts (default: ${DEFAULT-VALUE}).")
    private String warmup;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            description = "Load while everything counts (default: ${DEFAULT-VALUE}).")
    private String duration;

    SpanOptions(String warmup, String duration) {
        this.warmup = warmup;
        this.duration = duration;
    }

    Duration warmup() {
        return Durations.parse(warmup);
    }

    Duration duration() {
        return Durations.parse(duration);
    }
}
