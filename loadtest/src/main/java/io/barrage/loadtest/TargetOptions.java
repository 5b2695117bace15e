package io.barrage.loadtest;

import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetSocketAddress;
import picocli.CommandLine.Option;

/** The options that name a gateway. Used by one thread. */
final class TargetOptions {
    @Option(
            names = "--target",
            description = "Kind of gateway: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
            defaultValue = "barrage",
            converter = KindConverter.class,
            completionCandidates = KindConverter.class)
    private TargetKind kind = TargetKind.BARRAGE;

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

    @Option(
            names = "--allow-remote",
            description = "Permit addresses that are not loopback. Load on somebody's gateway is an attack.")
    private boolean allowRemote;

    Target target() {
        return kind.at(address("--clients", clients), address("--backend", backend));
    }

    /** The same for scenarios that only Barrage knows. */
    BarrageTarget barrage() {
        if (target() instanceof BarrageTarget barrage) {
            return barrage;
        }
        throw new IllegalArgumentException("--target: this scenario needs a gateway that speaks barrage.v1");
    }

    private InetSocketAddress address(String option, String text) {
        InetSocketAddress address = HostPort.parse(text);
        check(option, address);
        return address;
    }

    /** @throws IllegalArgumentException if it is another machine's, and nobody said that this is meant */
    void check(String option, InetSocketAddress address) {
        if (!allowRemote && !address.getAddress().isLoopbackAddress()) {
            throw new IllegalArgumentException(option + " " + HostPort.format(address)
                    + " is not on this machine; say --allow-remote if that is meant");
        }
    }
}
