package io.barrage.loadtest;

import java.time.Duration;
import picocli.CommandLine.Option;

/** How long connections may take to stand. Used by one thread. */
final class CrowdOptions {
    @Option(
            names = "--connect-timeout",
            description = "For all connections together (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    Duration connectTimeout = Duration.ZERO;
}
