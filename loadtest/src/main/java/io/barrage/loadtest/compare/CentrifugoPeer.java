package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Centrifugo, by the configuration in {@code peers/centrifugo}. Immutable.
 *
 * @param program the program; null if there is none
 */
record CentrifugoPeer(@Nullable Path program) implements Peer {
    private static final String FILE = "centrifugo.yaml";
    private static final Pattern MODULE =
            Pattern.compile("mod\\s+github\\.com/centrifugal/centrifugo/v\\d+\\s+v(\\S+)");

    /** Looks where {@code go install} puts it, too. */
    static CentrifugoPeer installed() {
        return new CentrifugoPeer(Programs.find(
                "centrifugo",
                System.getenv().getOrDefault("GOBIN", "/usr/local/bin"),
                System.getProperty("user.home") + "/go/bin"));
    }

    @Override
    public TargetKind kind() {
        return TargetKind.CENTRIFUGO;
    }

    @Override
    public Optional<String> missing() {
        return program == null
                ? Optional.of("no centrifugo on the PATH or in ~/go/bin:"
                        + " go install github.com/centrifugal/centrifugo/v6@v6.9.1")
                : Optional.empty();
    }

    /** Built by {@code go install} it calls itself v0.0.0, but Go has put the module's version into the file. */
    @Override
    public String version() {
        String said = Programs.ask(List.of(String.valueOf(program), "version"));
        Matcher module = MODULE.matcher(Programs.ask(List.of("go", "version", "-m", String.valueOf(program))));
        return module.find() ? said.replace("v0.0.0", "v" + module.group(1)) : said;
    }

    @Override
    public boolean forks() {
        return false;
    }

    @Override
    public List<String> command(Workload workload, int clientsPort, int backendPort, Path directory)
            throws IOException {
        Path file = directory.resolve(FILE);
        Files.writeString(file, Programs.configuration("centrifugo/" + FILE, clientsPort, backendPort));
        return List.of(String.valueOf(program), "--config", file.toString());
    }
}
