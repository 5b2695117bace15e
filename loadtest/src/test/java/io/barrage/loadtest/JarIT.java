package io.barrage.loadtest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The packaged tool against its own packaged baseline, as processes. */
final class JarIT {
    private static final Pattern ADDRESSES = Pattern.compile("clients (\\S+), backend (\\S+), pid (\\d+)");

    private static ProcessBuilder jar(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-jar",
                Path.of("target", "loadtest.jar").toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** The tool's own word that this machine was too busy to measure is no failure of the tool. */
    private static void assertMeasures(ProcessBuilder command, Path output) throws Exception {
        Process process = command.redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(50, TimeUnit.SECONDS), "still running");
            int code = process.exitValue();
            boolean busy = code == Main.EXIT_INVALID && Files.readString(output).contains("INVALID");
            assertTrue(code == 0 || busy, () -> code + ": " + said(output));
        } finally {
            process.destroyForcibly();
        }
    }

    private static String said(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void replaysItsSampleAndFansOut(@TempDir Path directory) throws Exception {
        Process server = jar("serve-naive", "--clients.port", "0", "--backend.port", "0")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(server.getInputStream(), UTF_8))) {
            Matcher addresses = ADDRESSES.matcher(String.valueOf(out.readLine()));
            assertTrue(addresses.find());
            String clients = addresses.group(1);
            String backend = addresses.group(2);

            Path replay = directory.resolve("replay.json");
            assertMeasures(
                    jar(
                            "replay",
                            "--speed",
                            "50",
                            "--subscribers",
                            "10",
                            "--clients",
                            clients,
                            "--backend",
                            backend,
                            "--json",
                            replay.toString()),
                    directory.resolve("replay.out"));
            JsonNode replayed = read(replay);
            assertEquals(42, replayed.path("published").asInt());
            assertEquals(420, replayed.path("delivered").asInt());
            assertEquals(0, replayed.path("lost").asInt());
            assertTrue(Files.readString(directory.resolve("replay.out")).contains("delivered          420 of 420"));

            Path fanout = directory.resolve("fanout.json");
            assertMeasures(
                    jar(
                            "fanout",
                            "--target",
                            "netty-group",
                            "--rate",
                            "100",
                            "--subscribers",
                            "10",
                            "--warmup",
                            "200ms",
                            "--duration",
                            "1s",
                            "--pid",
                            addresses.group(3),
                            "--clients",
                            clients,
                            "--backend",
                            backend,
                            "--json",
                            fanout.toString()),
                    directory.resolve("fanout.out"));
            JsonNode totals = read(fanout).path("totals");
            assertEquals(
                    totals.path("sent").asLong() * 10, totals.path("delivered").asLong());
        } finally {
            server.destroy();
            if (!server.waitFor(10, TimeUnit.SECONDS)) {
                server.destroyForcibly();
            }
        }
    }

    @Test
    void comparisonThatIsInterruptedLeavesWhatItHas(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("results.json");
        Path output = directory.resolve("compare.out");
        Process process = jar(
                        "compare",
                        "--targets",
                        "netty-group",
                        "--workloads",
                        "w32",
                        "--rounds",
                        "100",
                        "--starts",
                        "1",
                        "--divide-subscribers-by",
                        "100",
                        "--jvm-warmup",
                        "0s",
                        "--warmup",
                        "50ms",
                        "--rewarmup",
                        "50ms",
                        "--duration",
                        "200ms",
                        "--json",
                        json.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(output.toFile())
                .start();
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(50);
            while (!Files.exists(json)) {
                assertTrue(process.isAlive() && System.nanoTime() - deadline < 0, "no result");
                Thread.sleep(20);
            }
            List<ProcessHandle> servers = process.descendants().toList();
            process.destroy(); // as Ctrl-C, it runs the JVM's shutdown hooks
            assertTrue(process.waitFor(20, TimeUnit.SECONDS), "still running");
            assertTrue(servers.size() == 1 && servers.stream().noneMatch(ProcessHandle::isAlive), servers.toString());
        } finally {
            process.destroyForcibly();
        }
        JsonNode result = read(json);
        assertEquals(100, result.path("planned").asInt());
        int runs = result.path("runs").size();
        assertTrue(runs >= 1 && runs < 100, result.toString());
        String printed = Files.readString(output);
        assertTrue(printed.contains("CUT OFF after " + runs + " of 100 runs"), printed);
        assertTrue(printed.contains("| netty-group | "), printed);
    }

    private static JsonNode read(Path json) throws IOException {
        return new JsonMapper().readTree(Files.readString(json));
    }
}
