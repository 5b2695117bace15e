package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the gateways are that this tool starts, and how it starts them. Immutable.
 *
 * @param gatewayJar Barrage's jar
 * @param gatewayArguments what Barrage is told besides its ports
 * @param directory where those that no distribution has were installed
 * @param jvm path and options of the Java that runs servers
 */
public record Peers(Path gatewayJar, List<String> gatewayArguments, Path directory, List<String> jvm) {
    public Peers {
        gatewayArguments = List.copyOf(gatewayArguments);
        jvm = List.copyOf(jvm);
    }

    Peer of(TargetKind kind) {
        return switch (kind) {
            case BARRAGE, BARRAGE_BATCH, BARRAGE_NDJSON -> JavaPeer.barrage(kind, jvm, gatewayJar, gatewayArguments);
            case CENTRIFUGO -> CentrifugoPeer.installed();
            case NATS -> NatsPeer.installed();
            case NETTY_GROUP -> JavaPeer.naive(jvm);
            case NCHAN -> NchanPeer.installed();
            case UWEBSOCKETS, UWEBSOCKETS_ENVELOPE -> UwsPeer.installed(kind, directory);
        };
    }
}
