package io.barrage.loadtest;

import io.barrage.loadtest.compare.ServedPeer;
import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.TargetKind;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code serve-peer}: one of the gateways that {@code compare} starts, for other commands. Used by one thread. */
@Command(
        name = "serve-peer",
        description = "Starts a gateway as compare does, for another command to measure; ends it when this is ended.",
        mixinStandardHelpOptions = true)
final class ServePeerCommand implements Callable<Integer> {
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
            description = "Where subscribers connect, on 127.0.0.1 (default: ${DEFAULT-VALUE}).",
            defaultValue = "127.0.0.1:8080")
    private String clients = "";

    @Option(
            names = "--backend",
            paramLabel = "HOST:PORT",
            description = "Where publishes go, on 127.0.0.1 (default: ${DEFAULT-VALUE}).",
            defaultValue = "127.0.0.1:8081")
    private String backend = "";

    @Mixin
    private PeersOptions peers = new PeersOptions();

    @Override
    public Integer call() throws Exception {
        try (ServedPeer served =
                ServedPeer.start(peers.peers(), kind, HostPort.parse(clients), HostPort.parse(backend))) {
            System.out.println(kind + ": clients " + clients + ", backend " + backend + ", pid " + served.pid()
                    + (served.forks() ? " and its children" : ""));
            System.out.flush();
            served.awaitEnd();
        }
        return 0;
    }
}
