package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A gateway on the JVM: Barrage's jar, or the naive baseline out of this tool's own. Immutable.
 *
 * @param kind which of the two, and how Barrage is used
 * @param name what it is called in tables
 * @param jvm path and options of the Java that runs it
 * @param launch what follows: {@code -jar ... serve}, or {@code -cp ... serve-naive}
 * @param jar the jar that must be there; null if the classes needn't be packaged
 */
record JavaPeer(
        TargetKind kind,
        String name,
        List<String> jvm,
        List<String> launch,
        @Nullable Path jar) implements Peer {
    private static final String COALESCE_FILE = "coalesce.yaml";
    private static final String HOST = "127.0.0.1";
    /** Where Barrage's own arguments begin: behind -jar, the jar and serve. */
    private static final int OWN_ARGUMENTS = 3;

    JavaPeer {
        jvm = List.copyOf(jvm);
        launch = List.copyOf(launch);
    }

    /** @param arguments what {@code serve} is told besides its addresses */
    static JavaPeer barrage(TargetKind kind, String name, List<String> jvm, Path jar, List<String> arguments) {
        List<String> launch =
                new ArrayList<>(List.of("-jar", jar.toAbsolutePath().toString(), "serve"));
        launch.addAll(arguments);
        return new JavaPeer(kind, name, jvm, launch, jar);
    }

    static JavaPeer naive(List<String> jvm) {
        return new JavaPeer(
                TargetKind.NETTY_GROUP,
                TargetKind.NETTY_GROUP.label(),
                jvm,
                List.of("-cp", absoluteClassPath(), "io.barrage.loadtest.Main", "serve-naive", "--threads", "1"),
                null);
    }

    /** Servers run in a directory of their own. */
    private static String absoluteClassPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Override
    public Optional<String> missing() {
        return jar == null || Files.isRegularFile(jar) ? Optional.empty() : Optional.of("no file " + jar);
    }

    @Override
    public String version() {
        String options = " " + jvm;
        if (jar == null) {
            return "of this tool" + options;
        }
        List<String> own = launch.subList(Math.min(OWN_ARGUMENTS, launch.size()), launch.size());
        options += own.isEmpty() ? "" : " " + own;
        try (JarFile file = new JarFile(jar.toFile())) {
            String version = file.getManifest() == null
                    ? null
                    : file.getManifest().getMainAttributes().getValue("Implementation-Version");
            return (version == null ? "unknown" : version) + " sha256=" + digest(jar) + options;
        } catch (IOException e) {
            return "unreadable: " + e.getMessage();
        }
    }

    private static String digest(Path jar) throws IOException {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar));
            return HexFormat.of().formatHex(digest, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public boolean compilesWhileRunning() {
        return true;
    }

    @Override
    public boolean forks() {
        return false;
    }

    @Override
    public List<String> command(Workload workload, int clientsPort, int backendPort, Path directory)
            throws IOException {
        List<String> command = new ArrayList<>(jvm);
        command.addAll(launch);
        if (workload == Workload.COALESCE) {
            Path file = directory.resolve(COALESCE_FILE);
            Files.writeString(file, Programs.configuration("barrage/" + COALESCE_FILE));
            command.addAll(List.of("--config", file.toString()));
        }
        if (jar != null) {
            // By default clients are listened for on every interface.
            command.addAll(List.of("--clients.host", HOST, "--backend.host", HOST));
        }
        command.addAll(
                List.of("--clients.port", String.valueOf(clientsPort), "--backend.port", String.valueOf(backendPort)));
        return command;
    }
}
