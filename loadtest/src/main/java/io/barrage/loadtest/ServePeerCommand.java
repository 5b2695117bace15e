package io.barrage.loadtest;

import io.barrage.loadtest.compare.ServedPeer;
import io.barrage.loadtest.target.HostPort;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code serve-peer}: one of the gateways that {@code compare} starts, for other commands. Used by one thread. */
@Command(
        name = "serve-peer",
        description =
                "Starts a gateway as compare does, for another command to measure, on 127.0.0.1; ends it when this is ended.",
        mixinStandardHelpOptions = true)
final class ServePeerCommand implements Callable<Integer> {
    @Mixin
    private GatewayOptions gateway = new GatewayOptions();

    @Mixin
    private PeersOptions peers = new PeersOptions();

    @Override
    public Integer call() throws Exception {
        InetSocketAddress clients = gateway.clients();
        InetSocketAddress backend = gateway.backend();
        try (ServedPeer served = ServedPeer.start(peers.peers(), gateway.kind, clients, backend)) {
            System.out.println(gateway.kind + ": clients " + HostPort.format(clients) + ", backend "
                    + HostPort.format(backend) + ", pid " + served.pid()
                    + (served.forks() ? " and its children" : ""));
            System.out.flush();
            served.awaitEnd();
        }
        return 0;
    }
}
