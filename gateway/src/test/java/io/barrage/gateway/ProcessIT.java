package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.KeyServer;
import io.barrage.gateway.testkit.HookBackend;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar as a process, as a supervisor sees it. */
class ProcessIT {
    private static final Path JAR = Path.of("target", "barrage.jar").toAbsolutePath();

    /** How long a process lives at most, whatever its test does: a little less than that has. */
    private static final long LIFE_SECONDS = 50;

    /** What the gateway needs of the JDK, but for its HTTP client. */
    private static final String MODULES =
            "java.base,java.desktop,java.logging,java.management,java.naming,java.sql,java.xml,jdk.management,jdk.unsupported";

    private static Process start(Path directory, String... arguments) throws IOException {
        return start(directory, List.of(), arguments);
    }

    private static Process start(Path directory, List<String> jvm, String... arguments) throws IOException {
        return run(directory, command(jvm, arguments));
    }

    private static List<String> command(List<String> jvm, String... arguments) {
        assertTrue(Files.exists(JAR), () -> JAR + " isn't there: this test runs behind the package phase");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m"));
        command.addAll(jvm);
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static Process run(Path directory, List<String> command) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("BARRAGE_") || name.equals("JAVA_TOOL_OPTIONS"));
        Process process = builder.start();
        // Who waits for a line that doesn't come can't be interrupted, and would never get to end the process.
        CompletableFuture.delayedExecutor(LIFE_SECONDS, TimeUnit.SECONDS).execute(process::destroyForcibly);
        return process;
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

    /** Reads what the process prints up to a line with {@code text}, and gives that line. */
    private static String await(String text, BufferedReader out, List<String> log) throws IOException {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            log.add(line);
            if (line.contains(text)) {
                return line;
            }
        }
        throw new AssertionError("ended without '" + text + "':\n" + String.join("\n", log));
    }

    @Test
    void termDrainsFromTheFirstOpenDoorOn(@TempDir Path directory) throws Exception {
        Process process =
                start(directory, "serve", "--clients.host", "127.0.0.1", "--clients.port", "0", "--backend.port", "0");
        List<String> log = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            await("Listening", out, log);
            process.toHandle().destroy();
            await("Stopped.", out, log);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), () -> String.join("\n", log));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void hangUpReadsTheConfigurationAnewAndClosesNothing(@TempDir Path directory) throws Exception {
        assertFalse(
                ignoresHangUp(),
                "SIGHUP is ignored here, as behind nohup, and so by what this starts: nobody would hear it");
        Path file = directory.resolve("barrage.yaml");
        String rules = """
                auth: none
                clients: {host: 127.0.0.1, port: 0}
                backend: {port: 0}
                namespaces: [{name: room, publish: %s}]
                """;
        Files.writeString(file, rules.formatted("none"));
        Process process = start(directory, "serve");
        List<String> log = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line = await("Listening listener=clients", out, log);
            int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
            try (RawWebSocket socket = RawWebSocket.open(port, "?topic=room:1")) {
                socket.expect("welcome");
                socket.expect("subscribed");
                hangUp(process);
                assertTrue(await("read anew", out, log).contains("changed=none"), () -> String.join("\n", log));

                Files.writeString(file, rules.formatted("anyone"));
                hangUp(process);
                assertTrue(await("read anew", out, log).contains("changed=namespaces"), () -> String.join("\n", log));
                socket.say("{\"type\":\"publish\",\"id\":1,\"topic\":\"room:1\",\"data\":1}");
                socket.expect("published");
                socket.expect("message");

                Files.writeString(file, rules.formatted("everybody"));
                hangUp(process);
                String told = await("namespaces[0].publish", out, log);
                assertTrue(told.contains("barrage.yaml:4:"), told);
                socket.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"room:1\",\"data\":1}");
                socket.expect("published");

                process.toHandle().destroy();
                socket.expect("message");
                socket.expect("goaway");
                socket.expectClose(1001);
            }
            await("Stopped.", out, log);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), () -> String.join("\n", log));
        } finally {
            process.destroyForcibly();
        }
    }

    private static boolean ignoresHangUp() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                && Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("SigIgn:"))
                        .anyMatch(line ->
                                (Long.parseUnsignedLong(line.substring(8).strip(), 16) & 1) != 0);
    }

    private static void hangUp(Process process) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("kill", "-HUP", Long.toString(process.pid()))
                        .inheritIO()
                        .start()
                        .waitFor());
    }

    /** Starts one that may have so many files open: the shell's limit is one that the JVM can't raise. */
    private static Process startWithFiles(int files, Path directory, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "serve",
                "--clients.host",
                "127.0.0.1",
                "--clients.port",
                "0",
                "--backend.port",
                "0",
                "--server.loops",
                "2"));
        arguments.addAll(List.of(more));
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n " + files + " && exec \"$@\"", "sh"));
        command.addAll(command(List.of(), arguments.toArray(String[]::new)));
        return run(directory, command);
    }

    private static int port(String line) {
        return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    @Test
    void aNodeWithoutDescriptorsLeftTellsTheNextClient(@TempDir Path directory) throws Exception {
        Process process = startWithFiles(160, directory);
        List<String> log = new ArrayList<>();
        List<RawWebSocket> sockets = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            int backend = port(await("Listening listener=backend", out, log));
            int clients = port(await("Listening listener=clients", out, log));
            int room = Integer.parseInt(GatewayUnderTest.find(
                    "connections=(\\d+) descriptors=160", await("There is room for clients", out, log)));
            for (int i = 0; i < room; i++) {
                RawWebSocket socket = RawWebSocket.open(clients, "");
                sockets.add(socket);
                socket.expect("welcome");
            }
            try (RawWebSocket next = RawWebSocket.open(clients, "")) {
                String reason = next.expectClose(4429);
                assertTrue(reason.startsWith("too_many_connections "), reason);
            }
            try (RawHttp http = new RawHttp(backend)) {
                String metrics = http.say("GET /metrics HTTP/1.1\nHost: localhost\n\n")
                        .answer()
                        .body();
                assertTrue(metrics.contains("barrage_limited_total{limit=\"connections\",} 1.0\n"), metrics);
            }
            sockets.get(0).close();
            GatewayUnderTest.await("one has left", () -> {
                try (RawWebSocket socket = RawWebSocket.open(clients, "")) {
                    return socket.frame().opcode() == RawWebSocket.TEXT;
                }
            });
        } finally {
            process.destroyForcibly();
            for (RawWebSocket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void aNodeThatRunsOutOfDescriptorsGoesOnWithThoseItHas(@TempDir Path directory) throws Exception {
        Process process = startWithFiles(100, directory, "--limits.connections", "1000");
        List<String> log = new ArrayList<>();
        List<RawHttp> sockets = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            int clients = port(await("Listening listener=clients", out, log));
            assertTrue(await("limits.connections is more", out, log).contains("connections=1000"));
            try (RawWebSocket early = RawWebSocket.open(clients, "")) {
                early.expect("welcome");
                for (int i = 0; i < 120; i++) {
                    sockets.add(new RawHttp(clients));
                }
                await("Can't accept connections", out, log);
                early.say("{\"type\":\"ping\",\"id\":1}").expect("pong");
                for (RawHttp socket : sockets) {
                    socket.close();
                }
                // Those that it couldn't accept stand before this one.
                try (RawWebSocket late = RawWebSocket.open(clients, "")) {
                    late.expect("welcome");
                    early.say("{\"type\":\"ping\",\"id\":2}").expect("pong");
                    process.toHandle().destroy();
                    late.expect("goaway");
                }
            }
            await("Stopped.", out, log);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), () -> String.join("\n", log));
            assertEquals(
                    1,
                    log.stream()
                            .filter(line -> line.contains("Can't accept connections"))
                            .count(),
                    () -> String.join("\n", log));
        } finally {
            process.destroyForcibly();
            for (RawHttp socket : sockets) {
                socket.close();
            }
        }
    }

    /** Backends close a connection that was idle for 5 s, and a request that meets that on its way is lost. */
    @Test
    void givesUpAnIdleConnectionToTheBackendBeforeTheBackendDoes(@TempDir Path directory) throws Exception {
        try (ServerSocket backend = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                KeyServer provider = new KeyServer()) {
            backend.setSoTimeout(20_000);
            // The provider's keys are fetched first, by a client of their own.
            Files.writeString(directory.resolve("barrage.yaml"), """
                    auth: {anonymous: true, jwks: {url: "%s"}}
                    clients: {host: 127.0.0.1, port: 0}
                    backend: {port: 0}
                    hooks: {secret: "%s", connect: {url: "http://127.0.0.1:%d/", timeout: 20s}}
                    """.formatted(
                            provider.url(), HookBackend.SECRET, backend.getLocalPort()));
            Process process = start(directory, "serve");
            List<String> log = new ArrayList<>();
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                String line = await("Listening listener=clients", out, log);
                int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
                try (RawWebSocket socket = RawWebSocket.open(port, "");
                        Socket call = backend.accept()) {
                    call.setSoTimeout(20_000);
                    readRequest(call.getInputStream());
                    call.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"allow\":true}"
                                    .getBytes(StandardCharsets.UTF_8));
                    socket.expect("welcome");
                    assertEquals(-1, call.getInputStream().read());
                }
            } finally {
                process.destroyForcibly();
            }
        }
    }

    private static void readRequest(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            assertTrue(next >= 0, head::toString);
            head.append((char) next);
        }
        in.skipNBytes(Integer.parseInt(GatewayUnderTest.find("(?i)content-length: (\\d+)", head.toString())));
    }

    @Test
    void anErrorAtTheStartEndsTheProcess(@TempDir Path directory) throws Exception {
        // Fetching keys takes a class that isn't there.
        Files.writeString(directory.resolve("barrage.yaml"), """
                auth: {jwks: {url: "http://127.0.0.1:1/"}}
                clients: {host: 127.0.0.1, port: 0}
                backend: {port: 0}
                """);
        Process process = start(directory, List.of("--limit-modules", MODULES), "serve");
        List<String> log = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            await("java/net/http", out, log);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS), () -> String.join("\n", log));
            assertEquals(1, process.exitValue(), () -> String.join("\n", log));
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
