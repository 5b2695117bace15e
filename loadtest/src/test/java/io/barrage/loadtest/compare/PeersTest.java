package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeersTest {
    @Test
    void startsBarrageWithItsPorts() {
        JavaPeer peer = JavaPeer.barrage(List.of("/jdk/bin/java", "-Xmx1g"), Path.of("gateway.jar"));
        assertEquals(
                List.of(
                        "/jdk/bin/java",
                        "-Xmx1g",
                        "-jar",
                        Path.of("gateway.jar").toAbsolutePath().toString(),
                        "serve",
                        "--clients.port",
                        "7001",
                        "--backend.port",
                        "7002"),
                peer.command(7001, 7002, Path.of("/nowhere")));
    }

    @Test
    void namesAJarThatIsNotThere() {
        assertEquals(
                Optional.of("no file nowhere.jar"),
                JavaPeer.barrage(List.of("java"), Path.of("nowhere.jar")).missing());
    }

    @Test
    void namesWhatIsMissingOfNchan() {
        assertEquals(Optional.of("no nginx on the PATH"), new NchanPeer(null, null).missing());
        assertEquals(
                Optional.of("nginx is there, but no ngx_nchan_module.so"),
                new NchanPeer(Path.of("nginx"), null).missing());
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
