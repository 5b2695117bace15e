package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A gateway's process that this tool started, and will stop: nothing else is ever signalled. Used by one thread.
 *
 * <p>It dies with this JVM too, so that an interrupted comparison leaves nothing behind.
 */
final class ServerProcess implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int PROBE_TIMEOUT_MILLIS = 1_000;
    private static final long STOP_SECONDS = 10;
    private static final int LOG_TAIL_CHARS = 1_000;

    private final Process process;
    private final Path directory;
    private final Path log;
    private final Thread stopAtExit;
    /** Set on the thread that stops it, which may be the JVM's last. */
    private volatile boolean stopping;

    private ServerProcess(Process process, Path directory, Path log) {
        this.process = process;
        this.directory = directory;
        this.log = log;
        this.stopAtExit = new Thread(this::stop, "stop-server");
        Runtime.getRuntime().addShutdownHook(stopAtExit);
    }

    /**
     * Starts a server and waits until it says that it is ready.
     *
     * @param directory its working directory, away from configurations that lie about; its output goes to a log there. It is
     *     deleted when the process is ended
     * @param target tells where it will listen, and how it says that it serves
     * @throws IOException if it ends or isn't ready in time; with the end of its log
     */
    static ServerProcess start(List<String> command, Path directory, Target target, Duration timeout)
            throws IOException, InterruptedException {
        Path log = directory.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("BARRAGE_"));
        Process process = builder.start();
        ServerProcess server;
        try {
            server = new ServerProcess(process, directory, log);
        } catch (IllegalStateException e) {
            // This JVM is going down, so that nobody would stop it later.
            process.destroyForcibly();
            throw new IOException("this program is about to end", e);
        }
        boolean ready = false;
        try {
            server.awaitReady(target, System.nanoTime(), timeout);
            ready = true;
            return server;
        } finally {
            if (!ready) {
                server.close();
            }
        }
    }

    private void awaitReady(Target target, long since, Duration timeout) throws IOException, InterruptedException {
        while (!serves(target)) {
            if (process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("it ended at once with code " + process.exitValue() + ": " + logTail());
            }
            if (System.nanoTime() - since > timeout.toNanos()) {
                throw new IOException("it didn't serve within " + timeout.toSeconds() + " s: " + logTail());
            }
        }
        if (!process.isAlive()) {
            throw new IOException("it ended with code " + process.exitValue() + ", and another one serves at "
                    + HostPort.format(target.clients()) + ": " + logTail());
        }
    }

    private static boolean serves(Target target) {
        return listens(target.clients())
                && (target.readyPath().isEmpty()
                        ? listens(target.backend())
                        : answers(URI.create("http://" + HostPort.format(target.backend()) + target.readyPath())));
    }

    /** Whether anybody listens there. */
    static boolean listens(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            socket.connect(address, PROBE_TIMEOUT_MILLIS);
            return true;
        } catch (IOException ignored) {
            return false; // not there yet
        }
    }

    private static boolean answers(URI probe) {
        try {
            HttpURLConnection connection = (HttpURLConnection) probe.toURL().openConnection();
            connection.setConnectTimeout(PROBE_TIMEOUT_MILLIS);
            connection.setReadTimeout(PROBE_TIMEOUT_MILLIS);
            int status = connection.getResponseCode();
            connection.disconnect();
            return status == 200;
        } catch (IOException ignored) {
            return false; // not there yet
        }
    }

    long pid() {
        return process.pid();
    }

    /**
     * Waits until it ends.
     *
     * @throws IOException if it does so by itself; with the end of its log
     */
    void awaitEnd() throws IOException, InterruptedException {
        int code = process.waitFor();
        if (!stopping) {
            throw new IOException("it ended with code " + code + ": " + logTail());
        }
    }

    private String logTail() throws IOException {
        String text = Files.readString(log, StandardCharsets.ISO_8859_1).strip();
        return text.substring(Math.max(0, text.length() - LOG_TAIL_CHARS));
    }

    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(stopAtExit);
        } catch (IllegalStateException ignored) {
            // the JVM is going down already, and the hook does the same
        }
    }

    private void stop() {
        stopping = true;
        List<ProcessHandle> workers = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        // A master that was killed leaves its workers behind; they are ours as well.
        workers.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
        deleteDirectory();
    }

    private void deleteDirectory() {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException ignored) {
            // what stays in the directory for temporary files is no failure of a measurement
        }
    }
}
