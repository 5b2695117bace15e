package io.barrage.loadtest;

import io.barrage.loadtest.compare.Peers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where the gateways are that a command starts itself, and how. Used by one thread. */
final class PeersOptions {
    @Option(
            names = "--gateway",
            paramLabel = "JAR",
            description = "Barrage's jar (default: ${DEFAULT-VALUE}).",
            defaultValue = "gateway/target/barrage.jar")
    private Path gateway = Path.of("");

    @Option(
            names = "--gateway-arg",
            paramLabel = "ARG",
            description = "An argument for Barrage, such as --server.transport=nio; repeatable.")
    private List<String> gatewayArguments = new ArrayList<>();

    @Option(
            names = "--peers",
            paramLabel = "DIR",
            description = "Where peers that no distribution has were installed (default: ${DEFAULT-VALUE}).",
            defaultValue = "loadtest/peers")
    private Path directory = Path.of("");

    @Option(names = "--java", description = "The Java that runs servers (default: the one that runs this).")
    private Path java = Path.of(System.getProperty("java.home"), "bin", "java");

    @Option(names = "--jvm-arg", description = "An option for the servers' Java, or @FILE with some; repeatable.")
    private List<String> jvmArgs = new ArrayList<>();

    Peers peers() {
        List<String> jvm = new ArrayList<>(List.of(java.toString()));
        jvm.addAll(jvmArgs);
        return new Peers(gateway, gatewayArguments, directory, jvm);
    }
}
