package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.TargetKind;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetSocketAddress;

/** A gateway started as a comparison does, for somebody else to measure; closing it ends it. Used by one thread. */
public final class ServedPeer implements AutoCloseable {
    private final Peer peer;
    private final PeerServer server;

    private ServedPeer(Peer peer, PeerServer server) {
        this.peer = peer;
        this.server = server;
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @throws IOException if it isn't installed, another server has its place, or it ends or isn't ready in time; it says which
     * @throws IllegalArgumentException for an address that isn't 127.0.0.1, where all of them listen
     */
    public static ServedPeer start(Peers peers, TargetKind kind, InetSocketAddress clients, InetSocketAddress backend)
            throws IOException, InterruptedException {
        for (InetSocketAddress address : new InetSocketAddress[] {clients, backend}) {
            if (!address.getAddress().getHostAddress().equals("127.0.0.1")) {
                throw new IllegalArgumentException(address + ": peers listen on 127.0.0.1 only");
            }
        }
        Peer peer = peers.of(kind);
        if (peer.missing().isPresent()) {
            throw new FileNotFoundException(
                    kind + " is missing: " + peer.missing().get());
        }
        for (InetSocketAddress address : new InetSocketAddress[] {clients, backend}) {
            if (ServerProcess.listens(address)) {
                throw new IOException("another server listens on " + HostPort.format(address));
            }
        }
        return new ServedPeer(peer, PeerServer.start(peer, Workload.LONE, clients, backend));
    }

    public long pid() {
        return server.pid();
    }

    /** Whether its workers are processes of their own. */
    public boolean forks() {
        return peer.forks();
    }

    /**
     * Waits until it ends.
     *
     * @throws IOException if it does so by itself; with the end of its log
     */
    public void awaitEnd() throws IOException, InterruptedException {
        server.awaitEnd();
    }

    @Override
    public void close() {
        server.close();
    }
}
