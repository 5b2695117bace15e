package io.barrage.gateway.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The gateway's jar, run as its user would run it. */
public final class GatewayProcess implements AutoCloseable {
    private static final Path JAR = Path.of("target", "barrage.jar").toAbsolutePath();
    private static final Pattern LISTENING = Pattern.compile("Listening listener=(\\w+) address=\\S+:(\\d+)");
    private static final long PATIENCE_SECONDS = 30;

    private final Process process;
    private final CountDownLatch listening = new CountDownLatch(2);
    private final List<String> lines = new ArrayList<>();
    private volatile int clientsPort;
    private volatile int backendPort;

    /** Starts {@code serve} with these ports, 0 for free ones, and returns when both doors are open. */
    public GatewayProcess(int clientsPort, int backendPort, String... flags) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-jar",
                JAR.toString(),
                "serve",
                "--clients.port",
                Integer.toString(clientsPort),
                "--backend.port",
                Integer.toString(backendPort)));
        command.addAll(List.of(flags));
        try {
            process = new ProcessBuilder(command)
                    .directory(Path.of("target").toFile())
                    .redirectErrorStream(true)
                    .start();
            Thread reader = new Thread(this::read, "gateway-output");
            reader.setDaemon(true);
            reader.start();
            if (!listening.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the gateway didn't start:\n" + output());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void read() {
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                }
                Matcher port = LISTENING.matcher(line);
                if (port.find()) {
                    if (port.group(1).equals("clients")) {
                        clientsPort = Integer.parseInt(port.group(2));
                    } else {
                        backendPort = Integer.parseInt(port.group(2));
                    }
                    listening.countDown();
                }
            }
        } catch (IOException ignored) {
            // The process has ended; what it said is kept.
        }
    }

    /** All that it has printed. */
    public String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    /** The port of the clients' door. */
    public int clientsPort() {
        return clientsPort;
    }

    /** The port of the backend's door. */
    public int backendPort() {
        return backendPort;
    }

    /** The process's number. */
    public long pid() {
        return process.pid();
    }

    /** Ends it as a crash would: no goodbye. */
    public void kill() {
        process.destroyForcibly();
        awaitExit();
    }

    /** Asks it to end, as a supervisor does (SIGTERM), and gives its exit code. */
    public int terminate() {
        process.destroy();
        return awaitExit();
    }

    private int awaitExit() {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("the gateway didn't end:\n" + output());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
