package io.barrage.loadtest;

import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import java.net.InetSocketAddress;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The gateway that a command loads. Used by one thread. */
final class TargetOptions {
    @Mixin
    private GatewayOptions gateway = new GatewayOptions();

    @Option(
            names = "--allow-remote",
            description = "Permit addresses that are not loopback. Load on somebody's gateway is an attack.")
    private boolean allowRemote;

    Target target() {
        InetSocketAddress clients = gateway.clients();
        InetSocketAddress backend = gateway.backend();
        check("--clients", clients);
        check("--backend", backend);
        return gateway.kind.at(clients, backend);
    }

    /** The same for scenarios that only Barrage knows. */
    BarrageTarget barrage() {
        if (target() instanceof BarrageTarget barrage) {
            return barrage;
        }
        throw new IllegalArgumentException("--target " + gateway.kind
                + ": this scenario needs plain barrage.v1, so barrage (or netty-group, as far as it speaks it)");
    }

    /** @throws IllegalArgumentException if it is another machine's, and nobody said that this is meant */
    void check(String option, InetSocketAddress address) {
        if (!allowRemote && !address.getAddress().isLoopbackAddress()) {
            throw new IllegalArgumentException(option + " " + HostPort.format(address)
                    + " is not on this machine; say --allow-remote if that is meant");
        }
    }
}
