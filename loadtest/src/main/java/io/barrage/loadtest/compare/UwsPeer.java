package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * uWebSockets.js in an unofficial build, on one event loop, by the server in {@code peers/uwebsockets}. Immutable.
 *
 * @param kind whether it delivers bare data, or the data in an envelope as Barrage's
 * @param module the directory of its npm package, which brings the binary
 */
record UwsPeer(TargetKind kind, Path module) implements Peer {
    private static final String SCRIPT = "server.js";
    /** What the package calls the binary for the Node that is asked. */
    private static final String BINARY = "`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`";

    private static final Pattern VERSION = Pattern.compile("\"version\"\\s*:\\s*\"([^\"]+)\"");

    /** Looks where {@code npm install} in {@code peers/uwebsockets} puts it. */
    static UwsPeer installed(TargetKind kind, Path peers) {
        return new UwsPeer(kind, peers.resolve("uwebsockets/node_modules/@trufflesuite/uws-js-unofficial"));
    }

    @Override
    public Optional<String> missing() {
        if (Programs.find("node") == null) {
            return Optional.of("no node on the PATH");
        }
        if (!Files.isDirectory(module)) {
            return Optional.of("no " + module + ": run npm install in peers/uwebsockets");
        }
        // The package would fall back to JavaScript.
        String binary = Programs.ask(List.of("node", "-p", BINARY));
        return Files.isRegularFile(module.resolve("binaries").resolve(binary))
                ? Optional.empty()
                : Optional.of(module + " has no binary for this node: " + binary);
    }

    @Override
    public String version() {
        try {
            Matcher found = VERSION.matcher(Files.readString(module.resolve("package.json")));
            return (found.find() ? found.group(1) : "unknown") + ", node " + Programs.ask(List.of("node", "--version"));
        } catch (IOException e) {
            return "unreadable: " + e.getMessage();
        }
    }

    @Override
    public boolean forks() {
        return false;
    }

    @Override
    public List<String> command(Workload workload, int clientsPort, int backendPort, Path directory)
            throws IOException {
        Path script = directory.resolve(SCRIPT);
        Files.writeString(script, Programs.configuration("uwebsockets/" + SCRIPT));
        return List.of(
                "node",
                script.toString(),
                module.toAbsolutePath().toString(),
                String.valueOf(clientsPort),
                String.valueOf(backendPort),
                kind == TargetKind.UWEBSOCKETS_ENVELOPE ? "envelope" : "bare");
    }
}
