package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a shell in a gateway's place, and somebody else who serves at its addresses. */
final class ServerProcessTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private HttpServer other;

    @BeforeEach
    void serveElsewhere() throws IOException {
        other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.start();
    }

    @AfterEach
    void stop() {
        other.stop(0);
    }

    /** Says that it serves once {@code before} has returned. */
    private Target servedElsewhere(Runnable before) {
        other.createContext("/readyz", exchange -> {
            before.run();
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        return TargetKind.NETTY_GROUP.at(other.getAddress(), other.getAddress());
    }

    private static ServerProcess start(String script, Path directory, Target target)
            throws IOException, InterruptedException {
        return ServerProcess.start(List.of("sh", "-c", script), directory, target, TIMEOUT);
    }

    private static void awaitChildren() {
        ProcessHandle.current().children().forEach(child -> child.onExit().join());
    }

    @Test
    void doesNotTakeAnotherServerForItsOwn(@TempDir Path directory) {
        Target target = servedElsewhere(ServerProcessTest::awaitChildren);
        IOException failed =
                assertThrows(IOException.class, () -> start("echo port is taken; exit 3", directory, target));
        assertEquals(
                "it ended with code 3, and another one serves at " + HostPort.format(target.clients())
                        + ": port is taken",
                failed.getMessage());
    }

    @Test
    void tellsHowAServerEndedByItself(@TempDir Path directory) throws Exception {
        String untilTold = "until [ -e go ]; do :; done; echo broken; exit 3";
        try (ServerProcess server = start(untilTold, directory, servedElsewhere(() -> {}))) {
            Files.createFile(directory.resolve("go"));
            assertEquals(
                    "it ended with code 3: broken",
                    assertThrows(IOException.class, server::awaitEnd).getMessage());
        }
    }

    @Test
    void saysNothingOfAServerThatItStoppedItself(@TempDir Path directory) throws Exception {
        ServerProcess server = start("exec sleep 60", directory, servedElsewhere(() -> {}));
        server.close();
        server.awaitEnd();
    }

    @Test
    void refusesToServeAPeerWhereAnotherServerListens() {
        Peers peers = new Peers(Path.of("no.jar"), List.of(), Path.of("no-peers"), List.of("no-java"));
        InetSocketAddress taken = other.getAddress();
        IOException refused =
                assertThrows(IOException.class, () -> ServedPeer.start(peers, TargetKind.NETTY_GROUP, taken, taken));
        assertTrue(
                refused.getMessage().equals("another server listens on " + HostPort.format(taken)),
                refused.getMessage());
    }
}
