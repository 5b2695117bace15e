package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.nio.file.Path;
import java.util.ArrayList;
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
        jvm = fromRoot(jvm);
    }

    /** Servers run in directories of their own, so that the Java and files with arguments are named from the root. */
    private static List<String> fromRoot(List<String> jvm) {
        List<String> named = new ArrayList<>();
        for (String argument : jvm) {
            boolean program = named.isEmpty() && Path.of(argument).getParent() != null;
            if (program) {
                named.add(Path.of(argument).toAbsolutePath().toString());
            } else if (argument.startsWith("@")) {
                named.add("@" + Path.of(argument.substring(1)).toAbsolutePath());
            } else {
                named.add(argument);
            }
        }
        return List.copyOf(named);
    }

    Peer of(TargetKind kind) {
        return switch (kind) {
            case BARRAGE, BARRAGE_BATCH, BARRAGE_NDJSON ->
                JavaPeer.barrage(kind, kind.label(), jvm, gatewayJar, gatewayArguments);
            case CENTRIFUGO -> CentrifugoPeer.installed();
            case NATS -> NatsPeer.installed();
            case NETTY_GROUP -> JavaPeer.naive(jvm);
            case NCHAN -> NchanPeer.installed();
            case UWEBSOCKETS, UWEBSOCKETS_ENVELOPE -> UwsPeer.installed(kind, directory);
        };
    }

    Peer of(Variant variant) {
        List<String> command = new ArrayList<>(jvm);
        if (variant.java() != null) {
            command.set(0, variant.java());
        }
        command.addAll(variant.jvmArguments());
        return JavaPeer.barrage(
                TargetKind.BARRAGE,
                variant.name(),
                fromRoot(command),
                gatewayJar,
                variant.gatewayArguments(gatewayArguments));
    }
}
