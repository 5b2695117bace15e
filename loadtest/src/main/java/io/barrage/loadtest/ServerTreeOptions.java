package io.barrage.loadtest;

import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The same for gateways that fork workers. Used by one thread. */
final class ServerTreeOptions {
    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--pid-children", description = "Count the processes that the server started, too.")
    private boolean children;

    OptionalLong pid() {
        return server.pid();
    }

    boolean tree() {
        return children;
    }
}
