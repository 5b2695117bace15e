package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * nats-server with its WebSocket listener, by the configuration in {@code peers/nats}. Immutable.
 *
 * @param program the program; null if there is none
 */
record NatsPeer(@Nullable Path program) implements Peer {
    private static final String FILE = "nats.conf";

    /** Looks where distributions put it, which isn't on every user's PATH. */
    static NatsPeer installed() {
        return new NatsPeer(Programs.find("nats-server", "/usr/sbin", "/usr/local/sbin"));
    }

    @Override
    public TargetKind kind() {
        return TargetKind.NATS;
    }

    @Override
    public Optional<String> missing() {
        return program == null ? Optional.of("no nats-server on the PATH") : Optional.empty();
    }

    @Override
    public String version() {
        return Programs.ask(List.of(String.valueOf(program), "--version"));
    }

    @Override
    public boolean forks() {
        return false;
    }

    @Override
    public List<String> command(Workload workload, int clientsPort, int backendPort, Path directory)
            throws IOException {
        Path file = directory.resolve(FILE);
        Files.writeString(file, Programs.configuration("nats/" + FILE, clientsPort, backendPort));
        return List.of(String.valueOf(program), "--config", file.toString());
    }
}
