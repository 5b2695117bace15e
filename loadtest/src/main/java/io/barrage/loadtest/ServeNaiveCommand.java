package io.barrage.loadtest;

import io.barrage.loadtest.naive.NaiveServer;
import io.barrage.loadtest.target.HostPort;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code serve-naive}: runs the baseline gateway until it is stopped. Used by one thread. */
@Command(
        name = "serve-naive",
        description = "Serves the baseline: a plain Netty gateway as tutorials write it, on loopback.",
        mixinStandardHelpOptions = true)
final class ServeNaiveCommand implements Callable<Integer> {
    @Option(names = "--clients.port", description = "Default: ${DEFAULT-VALUE}.", defaultValue = "8080")
    private int clientsPort;

    @Option(names = "--backend.port", description = "Default: ${DEFAULT-VALUE}.", defaultValue = "8081")
    private int backendPort;

    @Option(names = "--threads", description = "Event loops (default: ${DEFAULT-VALUE}).", defaultValue = "1")
    private int threads;

    @Override
    public Integer call() throws Exception {
        try (NaiveServer server = new NaiveServer(clientsPort, backendPort, threads)) {
            System.out.println("naive gateway: clients " + HostPort.format(server.clients()) + ", backend "
                    + HostPort.format(server.backend()) + ", pid "
                    + ProcessHandle.current().pid());
            server.awaitClose();
        }
        return 0;
    }
}
