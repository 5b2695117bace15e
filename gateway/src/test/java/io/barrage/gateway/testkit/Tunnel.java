package io.barrage.gateway.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Set;

/** A network between clients and a gateway's port, which a test can cut. Thread-safe. */
public final class Tunnel implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 * 1024;

    private final int target;
    private final ServerSocket entrance;

    // under the lock
    private final Set<Socket> open = new HashSet<>();
    private boolean cut;

    /** Opens an entrance on a free port of the loopback. */
    public Tunnel(int target) throws IOException {
        this.target = target;
        this.entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start("tunnel-entrance", this::accept);
    }

    /** The entrance's port. */
    public int port() {
        return entrance.getLocalPort();
    }

    /** Cuts all connections without a goodbye, and lets no new ones through. */
    public synchronized void cut() {
        cut = true;
        open.forEach(Tunnel::reset);
        open.clear();
    }

    /** Lets connections through again. */
    public synchronized void mend() {
        cut = false;
    }

    private synchronized boolean admit(Socket socket) {
        if (!cut) {
            open.add(socket);
        }
        return !cut;
    }

    private void accept() {
        try {
            while (true) {
                Socket client = entrance.accept();
                if (!admit(client)) {
                    reset(client);
                    continue;
                }
                Socket gateway = new Socket(InetAddress.getLoopbackAddress(), target);
                if (!admit(gateway)) {
                    reset(client);
                    reset(gateway);
                    continue;
                }
                start("tunnel-in", () -> carry(client, gateway));
                start("tunnel-out", () -> carry(gateway, client));
            }
        } catch (IOException ignored) {
            // The entrance is closed.
        }
    }

    private void carry(Socket from, Socket to) {
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                out.write(buffer, 0, read);
            }
        } catch (IOException ignored) {
            // One of the two has gone, and both are closed now.
        } finally {
            synchronized (this) {
                open.remove(from);
                open.remove(to);
            }
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException ignored) {
            // It was closed already.
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        entrance.close();
        cut();
    }
}
