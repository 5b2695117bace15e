package io.barrage.loadtest.compare;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The peers' programs on this machine, and their configurations in {@code peers}. Thread-safe: no state. */
final class Programs {
    private Programs() {}

    /** The program of this name on the PATH or in one of {@code others}; null if there is none. */
    static @Nullable Path find(String name, String... others) {
        String path = System.getenv().getOrDefault("PATH", "");
        return firstFile(Stream.concat(Arrays.stream(path.split(":", -1)), Arrays.stream(others))
                .map(directory -> directory + "/" + name));
    }

    static @Nullable Path firstFile(Stream<String> candidates) {
        return candidates.map(Path::of).filter(Files::isRegularFile).findFirst().orElse(null);
    }

    /** What a command says, on either stream; "unknown" if it can't be asked. */
    static String ask(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String answer;
            try (InputStream said = process.getInputStream()) {
                answer = new String(said.readAllBytes(), UTF_8).strip();
            }
            return process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0 ? answer : "unknown";
        } catch (IOException ignored) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }

    /**
     * Reads a file of {@code peers} out of this tool's jar.
     *
     * @param file such as {@code nats/nats.conf}
     */
    static String configuration(String file) throws IOException {
        try (InputStream in = Programs.class.getResourceAsStream("/peers/" + file)) {
            if (in == null) {
                throw new FileNotFoundException("peers/" + file + " is missing from the jar");
            }
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    /** The same with the ports that are free now. */
    static String configuration(String file, int clientsPort, int backendPort) throws IOException {
        return configuration(file)
                .replace("@CLIENTS@", String.valueOf(clientsPort))
                .replace("@BACKEND@", String.valueOf(backendPort));
    }
}
