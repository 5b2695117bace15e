package io.barrage.gateway.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A bad network before a gateway's backend port: it loses some requests before they arrive, and some answers, whole or from
 * somewhere within, when what they answer has been done. Thread-safe.
 */
public final class LossyTunnel implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 * 1024;

    private final int target;
    private final double lossOfAnswers;
    private final ServerSocket entrance;
    private final AtomicInteger lostAnswers = new AtomicInteger();
    private final AtomicInteger lostRequests = new AtomicInteger();

    // under the lock
    private final Set<Socket> open = new HashSet<>();
    private final Random random;

    /**
     * Opens an entrance on a free port of the loopback.
     *
     * @param lossOfAnswers which part of all answers is lost; of requests it is a quarter of that
     */
    public LossyTunnel(int target, double lossOfAnswers, long seed) throws IOException {
        this.target = target;
        this.lossOfAnswers = lossOfAnswers;
        this.random = new Random(seed);
        this.entrance = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        start("lossy-entrance", this::accept);
    }

    /** Where backends connect to. */
    public String uri() {
        return "http://127.0.0.1:" + entrance.getLocalPort();
    }

    /** How many answers were lost, in part at least. */
    public int lostAnswers() {
        return lostAnswers.get();
    }

    /** How many requests were lost, in part at least. */
    public int lostRequests() {
        return lostRequests.get();
    }

    private synchronized boolean happens(double chance) {
        return random.nextDouble() < chance;
    }

    private synchronized int below(int bound) {
        return random.nextInt(bound);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = entrance.accept();
                Socket gateway = new Socket(InetAddress.getLoopbackAddress(), target);
                synchronized (this) {
                    open.add(client);
                    open.add(gateway);
                }
                start("lossy-in", () -> carry(client, gateway, this::carryRequests));
                start("lossy-out", () -> carry(gateway, client, this::carryAnswers));
            }
        } catch (IOException ignored) {
            // The entrance is closed.
        }
    }

    private interface Carrier {
        void carry(Socket from, Socket to) throws IOException;
    }

    private void carry(Socket from, Socket to, Carrier carrier) {
        try (from;
                to) {
            carrier.carry(from, to);
        } catch (IOException ignored) {
            // One of the two has gone, and both are closed now.
        } finally {
            synchronized (this) {
                open.remove(from);
                open.remove(to);
            }
        }
    }

    private void carryRequests(Socket client, Socket gateway) throws IOException {
        InputStream in = client.getInputStream();
        OutputStream out = gateway.getOutputStream();
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (happens(lossOfAnswers / 4)) {
                lostRequests.incrementAndGet();
                out.write(buffer, 0, below(read));
                return;
            }
            out.write(buffer, 0, read);
        }
    }

    private void carryAnswers(Socket gateway, Socket client) throws IOException {
        InputStream in = gateway.getInputStream();
        OutputStream out = client.getOutputStream();
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (happens(lossOfAnswers)) {
                lostAnswers.incrementAndGet();
                if (happens(0.5)) {
                    out.write(buffer, 0, below(read));
                } else {
                    client.setSoLinger(true, 0);
                }
                return;
            }
            out.write(buffer, 0, read);
        }
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public synchronized void close() throws IOException {
        entrance.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
