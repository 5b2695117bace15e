package io.barrage.loadtest.compare;

import io.barrage.loadtest.measure.Quiet;
import io.barrage.loadtest.target.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A gateway that this tool has started for a load, on ports and in a directory of its own; closing it ends it. Used by one
 * thread.
 */
final class PeerServer implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration QUIET_PATIENCE = Duration.ofSeconds(10);

    private final Peer peer;
    private final Target target;
    private final ServerProcess process;

    private PeerServer(Peer peer, Target target, ServerProcess process) {
        this.peer = peer;
        this.target = target;
        this.process = process;
    }

    /**
     * Starts it on free ports and waits until it is ready.
     *
     * @throws IOException if it ends or isn't ready in time; with the end of its log
     */
    static PeerServer start(Peer peer, Workload workload) throws IOException, InterruptedException {
        return start(peer, workload, freePort(), freePort());
    }

    /** The same on ports of the caller's choice. */
    static PeerServer start(Peer peer, Workload workload, InetSocketAddress clients, InetSocketAddress backend)
            throws IOException, InterruptedException {
        Target target = workload.target(peer.kind(), clients, backend);
        Path directory = Files.createTempDirectory("loadtest-");
        ServerProcess process = ServerProcess.start(
                peer.command(workload, clients.getPort(), backend.getPort(), directory),
                directory,
                target,
                START_TIMEOUT);
        return new PeerServer(peer, target, process);
    }

    Target target() {
        return target;
    }

    long pid() {
        return process.pid();
    }

    /**
     * Waits until it takes hardly any CPU time, at most ten seconds: what the last run left it to do must not be done during
     * another's.
     *
     * @throws IOException if it has ended
     */
    void awaitQuiet() throws IOException, InterruptedException {
        Quiet.await(pid(), peer.forks(), QUIET_PATIENCE);
    }

    /**
     * Waits until it ends.
     *
     * @throws IOException if it does so by itself; with the end of its log
     */
    void awaitEnd() throws IOException, InterruptedException {
        process.awaitEnd();
    }

    @Override
    public void close() {
        process.close();
    }

    /** Free a moment ago; whoever takes it meanwhile makes the server's start fail, in words. */
    private static InetSocketAddress freePort() throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket socket = new ServerSocket(0, 1, loopback)) {
            return new InetSocketAddress(loopback, socket.getLocalPort());
        }
    }
}
