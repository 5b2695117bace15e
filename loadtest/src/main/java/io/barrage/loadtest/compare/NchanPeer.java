package io.barrage.loadtest.compare;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.TargetKind;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * nginx with the Nchan module and one worker, by the configuration in {@code nchan.conf}. Immutable.
 *
 * @param nginx the program; null if there is none
 * @param module the module's file; null if there is none
 */
record NchanPeer(@Nullable Path nginx, @Nullable Path module) implements Peer {
    private static final List<String> MODULES = List.of(
            "/usr/lib/nginx/modules/ngx_nchan_module.so",
            "/usr/lib64/nginx/modules/ngx_nchan_module.so",
            "/usr/local/nginx/modules/ngx_nchan_module.so",
            "/etc/nginx/modules/ngx_nchan_module.so");

    /** Looks where distributions put them. */
    static NchanPeer installed() {
        String path = System.getenv().getOrDefault("PATH", "");
        @Nullable
        Path nginx = firstFile(Stream.concat(
                Arrays.stream(path.split(":", -1)).map(directory -> directory + "/nginx"),
                Stream.of("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx")));
        return new NchanPeer(nginx, firstFile(MODULES.stream()));
    }

    private static @Nullable Path firstFile(Stream<String> candidates) {
        return candidates.map(Path::of).filter(Files::isRegularFile).findFirst().orElse(null);
    }

    @Override
    public TargetKind kind() {
        return TargetKind.NCHAN;
    }

    @Override
    public Optional<String> missing() {
        if (nginx == null) {
            return Optional.of("no nginx on the PATH");
        }
        return module == null ? Optional.of("nginx is there, but no ngx_nchan_module.so") : Optional.empty();
    }

    /** The module doesn't tell its version; the package that brought it does, where there is dpkg. */
    @Override
    public String version() {
        return ask(List.of(String.valueOf(nginx), "-v")).replace("nginx version: ", "") + ", module "
                + ask(List.of("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"));
    }

    private static String ask(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String answer = new String(process.getInputStream().readNBytes(200), UTF_8).strip();
            return process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0 ? answer : "unknown";
        } catch (IOException ignored) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }

    @Override
    public boolean forks() {
        return true;
    }

    @Override
    public List<String> command(int clientsPort, int backendPort, Path directory) throws IOException {
        Path file = directory.resolve("nchan.conf");
        Files.writeString(file, configuration(clientsPort, backendPort, directory));
        return List.of(String.valueOf(nginx), "-p", directory.toString(), "-c", file.toString());
    }

    String configuration(int clientsPort, int backendPort, Path directory) throws IOException {
        try (InputStream in = NchanPeer.class.getResourceAsStream("/nchan.conf")) {
            if (in == null) {
                throw new FileNotFoundException("nchan.conf is missing from the jar");
            }
            return new String(in.readAllBytes(), UTF_8)
                    .replace("@MODULE@", String.valueOf(module))
                    .replace("@DIRECTORY@", directory.toString())
                    .replace("@CLIENTS@", String.valueOf(clientsPort))
                    .replace("@BACKEND@", String.valueOf(backendPort));
        }
    }
}
