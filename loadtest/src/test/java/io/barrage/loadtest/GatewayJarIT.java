package io.barrage.loadtest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The packaged tool against the packaged gateway, as their users run them. */
@Timeout(120)
final class GatewayJarIT {
    /** A file of real comments, if the machine has one: its path is in this variable. */
    private static final String REAL_FILE = "REPLAY_FILE";

    private static final Path GATEWAY =
            Path.of("..", "gateway", "target", "barrage.jar").toAbsolutePath().normalize();
    private static final Path TOOL = Path.of("target", "loadtest.jar").toAbsolutePath();
    private static final Pattern LISTENING = Pattern.compile("Listening listener=(\\w+) address=\\S+:(\\d+)");

    private final Map<String, String> ports = new HashMap<>();
    private Process gateway;

    @TempDir
    private Path directory;

    @BeforeEach
    void startGateway() throws Exception {
        assertTrue(Files.isRegularFile(GATEWAY), "build the gateway first: mvn verify does, in order: " + GATEWAY);
        gateway = java(GATEWAY, "serve", "--clients.port", "0", "--backend.port", "0")
                .redirectErrorStream(true)
                .start();
        BufferedReader out = new BufferedReader(new InputStreamReader(gateway.getInputStream(), UTF_8));
        while (ports.size() < 2) {
            String line = out.readLine();
            assertTrue(line != null, "the gateway ended");
            Matcher listening = LISTENING.matcher(line);
            if (listening.find()) {
                ports.put(listening.group(1), "127.0.0.1:" + listening.group(2));
            }
        }
        // The rest of its log is of no use here, but a full pipe would block it.
        Thread drain = new Thread(() -> out.lines().forEach(line -> {}), "gateway-output");
        drain.setDaemon(true);
        drain.start();
    }

    @AfterEach
    void stopGateway() throws Exception {
        gateway.destroy();
        assertTrue(gateway.waitFor(30, TimeUnit.SECONDS), "the gateway didn't end");
        assertEquals(0, gateway.exitValue());
    }

    private ProcessBuilder java(Path jar, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-jar",
                jar.toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).directory(directory.toFile());
    }

    private JsonNode run(String command, String... arguments) throws Exception {
        Path json = directory.resolve(command + ".json");
        Path output = directory.resolve(command + ".out");
        List<String> all = new ArrayList<>(List.of(
                command,
                "--clients",
                ports.get("clients"),
                "--backend",
                ports.get("backend"),
                "--json",
                json.toString()));
        all.addAll(List.of(arguments));
        Process process = java(TOOL, all.toArray(String[]::new))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(90, TimeUnit.SECONDS), "still running");
            // 3 says that this machine was too busy to measure speed, which isn't asked here; the counts stand.
            assertTrue(Set.of(0, 3).contains(process.exitValue()), Files.readString(output));
        } finally {
            process.destroyForcibly();
        }
        return new JsonMapper().readTree(Files.readString(json));
    }

    @Test
    void replaysItsOwnSampleWithoutLoss() throws Exception {
        JsonNode result = run("replay", "--speed", "50", "--subscribers", "50");
        assertEquals(42, result.path("published").asInt());
        assertEquals(42 * 50, result.path("delivered").asInt());
        assertEquals(0, result.path("lost").asInt());
    }

    @Test
    void replaysRealCommentsWithoutLoss() throws Exception {
        String file = System.getenv(REAL_FILE);
        // The sample above goes the same way; this one is for machines that have a recording.
        assumeTrue(file != null, REAL_FILE + " isn't set: no recording to replay");
        JsonNode result =
                run("replay", Path.of(file).toAbsolutePath().toString(), "--speed", "100", "--subscribers", "200");
        int published = result.path("published").asInt();
        assertTrue(published > 100, "a recording of " + published + " comments");
        assertEquals(published * 200, result.path("delivered").asInt());
        assertEquals(0, result.path("lost").asInt());
    }

    @Test
    void fansOutWithoutLoss() throws Exception {
        JsonNode totals = run(
                        "fanout",
                        "--window",
                        "32",
                        "--topics",
                        "3",
                        "--subscribers",
                        "20",
                        "--warmup",
                        "200ms",
                        "--duration",
                        "1s")
                .path("totals");
        assertTrue(totals.path("sent").asLong() > 0);
        assertEquals(totals.path("sent").asLong() * 20, totals.path("delivered").asLong());
    }

    @Test
    void drawsWhatItMeasured() throws Exception {
        JsonNode result =
                run("connect", "--connections", "20", "--hold", "100ms", "--pid", Long.toString(gateway.pid()));
        assertEquals(20, result.path("held").asInt());
        assertEquals("connect", result.path("measured").path("command").asString(""));
        Process report = java(TOOL, "report", "connect.json", "--html", "page.html", "--svg", "plots")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("report.out").toFile())
                .start();
        assertTrue(report.waitFor(60, TimeUnit.SECONDS), "still running");
        assertEquals(0, report.exitValue(), Files.readString(directory.resolve("report.out")));
        String page = Files.readString(directory.resolve("page.html"));
        assertTrue(page.contains("memory per connection") && page.contains("--connections 20"), page);
        assertTrue(
                Files.readString(directory.resolve("plots/connect-latency.svg")).startsWith("<svg "));
    }
}
