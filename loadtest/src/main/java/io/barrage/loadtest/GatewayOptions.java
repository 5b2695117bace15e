package io.barrage.loadtest;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetSocketAddress;
import picocli.CommandLine.Option;

/** Which gateway, and where. Used by one thread. */
final class GatewayOptions {
    @Option(
            names = "--target",
            description = "Kind of gateway: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
            defaultValue = "barrage",
            converter = KindConverter.class,
            completionCandidates = KindConverter.class)
    TargetKind kind = TargetKind.BARRAGE;

    @Option(
            names = "--clients",
            paramLabel = "HOST:PORT",
            description = "Where subscribers connect (default: ${DEFAULT-VALUE}).",
            defaultValue = "127.0.0.1:8080")
    private String clients = "";

    @Option(
            names = "--backend",
            paramLabel = "HOST:PORT",
            description = "Where publishes go (default: ${DEFAULT-VALUE}).",
            defaultValue = "127.0.0.1:8081")
    private String backend = "";

    InetSocketAddress clients() {
        return address("--clients", clients);
    }

    InetSocketAddress backend() {
        return address("--backend", backend);
    }

    /** @throws IllegalArgumentException if the text is no address; it names the option */
    private static InetSocketAddress address(String option, String text) {
        try {
            return HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }
}
