package io.barrage.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** An HTTP server that does to each request what the next line of its script says, over real sockets. Thread-safe. */
final class FaultyServer implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;

    private final ServerSocket entrance;
    private final BlockingQueue<Fault> script = new LinkedBlockingQueue<>();
    private final BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    private final Semaphore gone = new Semaphore(0);
    private final Set<Socket> open = new HashSet<>();

    /** A request as it came. */
    record Seen(String head, String body) {
        String messageId() {
            return field("messageId");
        }

        String field(String name) {
            String before = "\"" + name + "\":\"";
            int from = body.indexOf(before) + before.length();
            return body.substring(from, body.indexOf('"', from));
        }
    }

    /** What is done to a connection on which a request has begun. */
    interface Fault {
        /** True if the connection goes on. */
        boolean act(Socket socket, InputStream in) throws IOException;
    }

    /** What is done when the request has been read. */
    interface Answer {
        boolean act(Socket socket) throws IOException;
    }

    FaultyServer() throws IOException {
        this.entrance = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        start("faulty-entrance", this::accept);
    }

    String uri() {
        return "http://127.0.0.1:" + entrance.getLocalPort();
    }

    /** The next request, which must come. */
    Seen next() throws InterruptedException {
        Seen request = seen.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (request == null) {
            throw new AssertionError("no request came");
        }
        return request;
    }

    /** Waits until somebody who was met with silence has closed the connection. */
    void awaitGone() throws InterruptedException {
        if (!gone.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the connection is still there");
        }
    }

    /** How many connections there have been. */
    int connections() {
        synchronized (open) {
            return open.size();
        }
    }

    /** How many requests have come that nobody has asked for. */
    int unseen() {
        return seen.size();
    }

    // ---------------------------------------------------------------- the script

    /** Resets the connection without reading the request. */
    FaultyServer resetUnread() {
        script.add((socket, in) -> {
            seen.add(new Seen("", ""));
            reset(socket);
            return false;
        });
        return this;
    }

    private FaultyServer then(Answer answer) {
        script.add((socket, in) -> {
            seen.add(read(in));
            return answer.act(socket);
        });
        return this;
    }

    /** Reads the request and resets the connection. */
    FaultyServer reset() {
        return then(socket -> {
            reset(socket);
            return false;
        });
    }

    /** Reads the request and says nothing, until the other side closes. */
    FaultyServer silence() {
        return then(socket -> {
            try {
                while (socket.getInputStream().read() >= 0) {}
            } finally {
                gone.release();
            }
            return false;
        });
    }

    /** Says these bytes and closes. */
    FaultyServer raw(String bytes) {
        return then(socket -> {
            socket.getOutputStream().write(bytes.getBytes(UTF_8));
            return false;
        });
    }

    /** Begins an answer, and closes in the middle of its body. */
    FaultyServer half(String body) {
        return raw(beginning(body));
    }

    /** Begins an answer, and says no more, until the other side closes. */
    FaultyServer stall(String body) {
        return then(socket -> {
            socket.getOutputStream().write(beginning(body).getBytes(UTF_8));
            while (socket.getInputStream().read() >= 0) {}
            return false;
        });
    }

    private static String beginning(String body) {
        return "HTTP/1.1 200 OK\r\ncontent-length: " + (body.length() + 10) + "\r\n\r\n" + body;
    }

    /** Answers as HTTP has it. */
    FaultyServer answer(String status, String body, String... headers) {
        return then(socket -> {
            byte[] bytes = body.getBytes(UTF_8);
            StringBuilder head =
                    new StringBuilder("HTTP/1.1 " + status + "\r\ncontent-length: " + bytes.length + "\r\n");
            for (String header : headers) {
                head.append(header).append("\r\n");
            }
            socket.getOutputStream().write((head + "\r\n" + body).getBytes(UTF_8));
            return true;
        });
    }

    /** Answers a publish to room:42. */
    FaultyServer accept(long offset) {
        return answer("200 OK", "{\"topic\":\"room:42\",\"epoch\":\"k3x9\",\"offset\":" + offset + "}");
    }

    /** Answers as the gateway does when a queue is full. */
    FaultyServer overloaded(String... headers) {
        return answer(
                "503 Service Unavailable",
                "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"overloaded\","
                        + "\"detail\":\"a queue is full\"}",
                headers);
    }

    // ---------------------------------------------------------------- the sockets

    private void accept() {
        try {
            while (true) {
                Socket socket = entrance.accept();
                synchronized (open) {
                    open.add(socket);
                }
                start("faulty", () -> serve(socket));
            }
        } catch (IOException ignored) {
            // The entrance is closed.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            boolean goesOn = true;
            while (goesOn && hasMore(in)) {
                goesOn = script.take().act(socket, in);
            }
        } catch (IOException ignored) {
            // The other side has gone.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean hasMore(InputStream in) throws IOException {
        in.mark(1);
        int first = in.read();
        in.reset();
        return first >= 0;
    }

    private static Seen read(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        int length = 0;
        boolean chunked = false;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            head.append(line).append('\n');
            String lower = line.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Integer.parseInt(lower.substring(15).trim());
            }
            chunked |= lower.startsWith("transfer-encoding:");
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (chunked) {
            for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
                body.writeBytes(in.readNBytes(size));
                line(in);
            }
            line(in);
        } else {
            body.writeBytes(in.readNBytes(length));
        }
        return new Seen(head.toString(), body.toString(UTF_8));
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("within a request's head");
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(UTF_8);
    }

    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        entrance.close();
        synchronized (open) {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
