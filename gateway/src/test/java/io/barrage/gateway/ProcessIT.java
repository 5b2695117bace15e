package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar as a process, as a supervisor sees it. */
class ProcessIT {
    private static final Path JAR = Path.of("target", "barrage.jar").toAbsolutePath();

    private static Process start(Path directory, String... arguments) throws IOException {
        assertTrue(Files.exists(JAR), () -> JAR + " isn't there: this test runs behind the package phase");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-jar",
                JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("BARRAGE_") || name.equals("JAVA_TOOL_OPTIONS"));
        return builder.start();
    }

    @Test
    void termLetsEverybodyGoAndExitsWithZero(@TempDir Path directory) throws Exception {
        Process process =
                start(directory, "serve", "--clients.host", "127.0.0.1", "--clients.port", "0", "--backend.port", "0");
        List<String> log = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            int clients = 0;
            int backend = 0;
            while (clients == 0 || backend == 0) {
                String line = out.readLine();
                assertTrue(line != null, () -> String.join("\n", log));
                log.add(line);
                if (line.contains("Listening listener=clients")) {
                    clients = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
                } else if (line.contains("Listening listener=backend")) {
                    backend = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
                }
            }
            try (RawWebSocket socket = RawWebSocket.open(clients, "?topic=process:1");
                    RawHttp http = new RawHttp(backend)) {
                socket.expect("welcome");
                socket.expect("subscribed");
                String body = "{\"topic\":\"process:1\",\"data\":1}";
                http.say("POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                        + body.length() + "\n\n" + body);
                assertEquals(200, http.answer().status());
                socket.expect("message");

                // SIGTERM; the process' own method would also close the pipe that its log comes through.
                process.toHandle().destroy();
                socket.expect("goaway");
                socket.expectClose(1001);
            }
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                log.add(line);
            }
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), () -> String.join("\n", log));
            assertTrue(
                    log.stream().anyMatch(line -> line.contains("DEVELOPMENT PROFILE")), () -> String.join("\n", log));
            assertTrue(log.stream().anyMatch(line -> line.contains("Stopped.")), () -> String.join("\n", log));
            assertTrue(
                    log.stream().noneMatch(line -> line.contains("ERROR") || line.contains("Exception")),
                    () -> String.join("\n", log));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void wrongConfigurationExitsWithTwo(@TempDir Path directory) throws Exception {
        Process process = start(directory, "serve", "--clients.port", "x");
        try {
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(2, process.exitValue(), out);
            assertTrue(out.contains("clients.port"), out);
        } finally {
            process.destroyForcibly();
        }
    }
}
