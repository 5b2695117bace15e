package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeersTest {
    @Test
    void startsBarrageOnItsPortsOfLoopbackAlone() throws IOException {
        JavaPeer peer = JavaPeer.barrage(
                TargetKind.BARRAGE,
                "barrage",
                List.of("/jdk/bin/java", "-Xmx1g"),
                Path.of("gateway.jar"),
                List.of("--server.transport=nio"));
        assertEquals(
                List.of(
                        "/jdk/bin/java",
                        "-Xmx1g",
                        "-jar",
                        Path.of("gateway.jar").toAbsolutePath().toString(),
                        "serve",
                        "--server.transport=nio",
                        "--clients.host",
                        "127.0.0.1",
                        "--backend.host",
                        "127.0.0.1",
                        "--clients.port",
                        "7001",
                        "--backend.port",
                        "7002"),
                peer.command(Workload.LONE, 7001, 7002, Path.of("/nowhere")));
    }

    private static JavaPeer barrage(Path jar) {
        return JavaPeer.barrage(TargetKind.BARRAGE, "barrage", List.of("java"), jar, List.of());
    }

    @Test
    void startsAVariantWithItsArgumentsBesideTheOthers(@TempDir Path directory) throws IOException {
        Path jar = Path.of("gateway.jar");
        Peers peers = new Peers(
                jar,
                List.of("--server.loops=1", "--memory.tail=2"),
                directory,
                List.of("/jdk/bin/java", "-Xmx1g", "@jvm.args"));
        Peer peer = peers.of(Variant.parse("two=other/bin/java -XX:+UseSerialGC --server.loops=2"));
        assertEquals("two", peer.name());
        assertEquals(TargetKind.BARRAGE, peer.kind());
        assertEquals(
                List.of(
                        Path.of("other/bin/java").toAbsolutePath().toString(),
                        "-Xmx1g",
                        "@" + Path.of("jvm.args").toAbsolutePath(),
                        "-XX:+UseSerialGC",
                        "-jar",
                        jar.toAbsolutePath().toString(),
                        "serve",
                        "--memory.tail=2",
                        "--server.loops=2"),
                peer.command(Workload.LONE, 7001, 7002, directory).subList(0, 9));
        assertEquals(
                "/jdk/bin/java",
                peers.of(Variant.parse("same="))
                        .command(Workload.LONE, 1, 2, directory)
                        .get(0));
    }

    @Test
    void letsBarrageCoalesceUnderThatLoadAlone(@TempDir Path directory) throws IOException {
        JavaPeer peer = barrage(Path.of("gateway.jar"));
        assertFalse(peer.command(Workload.RATE200, 1, 2, directory).contains("--config"));
        List<String> command = peer.command(Workload.COALESCE, 1, 2, directory);
        Path file = Path.of(command.get(command.indexOf("--config") + 1));
        assertTrue(Files.readString(file).contains("coalesce: 50ms"));
    }

    @Test
    void namesAJarThatIsNotThere() {
        assertEquals(
                Optional.of("no file nowhere.jar"),
                barrage(Path.of("nowhere.jar")).missing());
    }

    @Test
    void namesWhatIsMissingOfNchan() {
        assertEquals(Optional.of("no nginx on the PATH"), new NchanPeer(null, null).missing());
        assertEquals(
                Optional.of("nginx is there, but no ngx_nchan_module.so"),
                new NchanPeer(Path.of("nginx"), null).missing());
    }

    @Test
    void namesWhatIsMissingOfUWebSockets(@TempDir Path peers) {
        String module = peers.resolve("uwebsockets/node_modules/@trufflesuite/uws-js-unofficial")
                .toString();
        assertEquals(
                Optional.of("no " + module + ": run npm install in peers/uwebsockets"),
                UwsPeer.installed(TargetKind.UWEBSOCKETS, peers).missing());
    }

    @Test
    void doesNotTakeUWebSocketsWithoutABinaryForThisNode(@TempDir Path peers) throws IOException {
        UwsPeer peer = UwsPeer.installed(TargetKind.UWEBSOCKETS, peers);
        Path binaries = Files.createDirectories(peer.module().resolve("binaries"));
        Files.createFile(binaries.resolve("uws_plan9_vax_1.node"));
        String missing = peer.missing().orElseThrow();
        assertTrue(missing.matches("no node on the PATH|.*: uws_\\w+_\\d+\\.node"), missing);
    }

    @Test
    void tellsUWebSocketsWhetherToWriteAnEnvelope(@TempDir Path directory) throws IOException {
        for (TargetKind kind : List.of(TargetKind.UWEBSOCKETS, TargetKind.UWEBSOCKETS_ENVELOPE)) {
            List<String> command = UwsPeer.installed(kind, directory).command(Workload.LONE, 7001, 7002, directory);
            assertEquals(
                    List.of("7001", "7002", kind == TargetKind.UWEBSOCKETS ? "bare" : "envelope"),
                    command.subList(command.size() - 3, command.size()));
        }
    }

    @Test
    void namesWhatIsMissingOfCentrifugoAndNats() {
        assertTrue(new CentrifugoPeer(null).missing().orElseThrow().contains("go install"));
        assertEquals(Optional.of("no nats-server on the PATH"), new NatsPeer(null).missing());
    }

    @Test
    void fillsInTheConfigurationsOfCentrifugoAndNats(@TempDir Path directory) throws IOException {
        for (Peer peer : List.of(new CentrifugoPeer(Path.of("/c")), new NatsPeer(Path.of("/n")))) {
            List<String> command = peer.command(Workload.LONE, 7001, 7002, directory);
            assertEquals("--config", command.get(1));
            String configuration = Files.readString(Path.of(command.get(2)));
            assertTrue(configuration.contains("port: 7001"), configuration);
            assertTrue(configuration.matches("(?s).*port: \"?7002.*"), configuration);
            assertFalse(configuration.matches("(?s).*@[A-Z]+@.*"), configuration);
        }
    }

    @Test
    void fillsInNchansConfiguration(@TempDir Path directory) throws IOException {
        NchanPeer peer = new NchanPeer(Path.of("nginx"), Path.of("/modules/nchan.so"));
        String configuration = peer.configuration(7001, 7002, directory);
        assertTrue(configuration.contains("load_module /modules/nchan.so;"));
        assertTrue(configuration.contains("listen 127.0.0.1:7001 "));
        assertTrue(configuration.contains("listen 127.0.0.1:7002 "));
        assertTrue(configuration.contains("pid " + directory + "/nginx.pid;"));
        assertFalse(configuration.matches("(?s).*@[A-Z]+@.*"), configuration);
    }
}
