package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.HostPort;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The packaged gateway as a process of its own; closing it ends it. Used by one thread. */
final class GatewayProcess implements AutoCloseable {
    private static final Path JAR =
            Path.of("..", "gateway", "target", "barrage.jar").toAbsolutePath().normalize();
    private static final Pattern LISTENING = Pattern.compile("Listening listener=(\\w+) address=\\S+:(\\d+)");

    private static final long PATIENCE_SECONDS = 30;

    private final Process process;
    private final Map<String, String> ports = new HashMap<>();

    /** Starts it in the development profile, or with a configuration in {@code directory}. */
    GatewayProcess(Path directory, String configuration) throws Exception {
        assertTrue(Files.isRegularFile(JAR), "build the gateway first: mvn verify does, in order: " + JAR);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-jar",
                JAR.toString(),
                "serve"));
        if (!configuration.isEmpty()) {
            command.addAll(List.of(
                    "--config",
                    Files.writeString(directory.resolve("barrage.yml"), configuration)
                            .toString()));
        }
        command.addAll(List.of("--clients.port", "0", "--backend.port", "0"));
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        CompletableFuture<Void> started = new CompletableFuture<>();
        // Who waits for a line that doesn't come can't be interrupted: the end of the process ends that.
        started.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).exceptionally(late -> {
            process.destroyForcibly();
            return null;
        });
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        StringBuilder said = new StringBuilder();
        while (ports.size() < 2) {
            String line = out.readLine();
            assertTrue(line != null, "the gateway ended: " + said);
            said.append(line).append('\n');
            Matcher listening = LISTENING.matcher(line);
            if (listening.find()) {
                ports.put(listening.group(1), "127.0.0.1:" + listening.group(2));
            }
        }
        started.complete(null);
        // The rest of its log is of no use here, but a full pipe would block it.
        Thread drain = new Thread(() -> out.lines().forEach(line -> {}), "gateway-output");
        drain.setDaemon(true);
        drain.start();
    }

    BarrageTarget target() {
        return new BarrageTarget("barrage", HostPort.parse(ports.get("clients")), HostPort.parse(ports.get("backend")));
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            assertEquals(
                    0,
                    process.onExit()
                            .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                            .join()
                            .exitValue());
        } finally {
            process.destroyForcibly();
        }
    }
}
