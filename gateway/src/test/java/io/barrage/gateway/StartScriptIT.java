package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script that starts a gateway with the measured flags, and the archive of classes that it makes. */
@Timeout(120)
class StartScriptIT {
    private static final Path JAR = Path.of("target", "barrage.jar").toAbsolutePath();
    private static final Path SCRIPT = Path.of("ops", "barrage").toAbsolutePath();

    private static Process start(Path jar, String jvmArgs, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("BARRAGE_") || name.equals("JAVA_TOOL_OPTIONS"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("BARRAGE_JAR", jar.toString());
        builder.environment().put("BARRAGE_JVM_ARGS", jvmArgs);
        return builder.start();
    }

    @Test
    void startsWithAnArchiveOfItsClasses(@TempDir Path directory) throws Exception {
        Path jar = Files.copy(JAR, directory.resolve("barrage.jar"));
        Path loaded = directory.resolve("classes.log");
        Process process = start(
                jar,
                "-Xlog:class+load:file=" + loaded,
                "serve",
                "--clients.host=127.0.0.1",
                "--clients.port=0",
                "--backend.port=0");
        List<String> log = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            while (log.stream().filter(line -> line.contains("Listening")).count() < 2) {
                String line = out.readLine();
                assertTrue(line != null, () -> String.join("\n", log));
                log.add(line);
            }
            process.toHandle().destroy();
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                log.add(line);
            }
        }
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), () -> String.join("\n", log));
        assertTrue(Files.size(directory.resolve("barrage.jar.jsa")) > 0);
        assertTrue(
                Files.readAllLines(loaded).stream()
                        .anyMatch(
                                line -> line.contains(Gateway.class.getName() + " source: shared objects file (top)")),
                () -> String.join("\n", log));
    }

    @Test
    void saysWhatIsMissing(@TempDir Path directory) throws Exception {
        Process process = start(directory.resolve("none.jar"), "", "serve");
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(1, process.waitFor());
        assertTrue(said.contains("there is no " + directory.resolve("none.jar")), said);
    }
}
