package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.backend.BackendDoor;
import io.barrage.gateway.backend.BackendMetrics;
import io.barrage.gateway.backend.PublishHandler;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a publish costs the event loop, without a clock: allocated bytes from the request on the socket to the answer on it, to
 * a topic without subscriptions. In a JVM of its own, as {@link CostRig} says.
 */
@Timeout(120)
class PublishCostIT {
    private static final int ROUNDS = 400;
    private static final int PUBLISHES = 50;
    private static final String DATA = "\"" + "x".repeat(98) + "\"";
    private static final String BODY = "{\"topic\":\"cost:1\",\"data\":" + DATA + "}";

    // About 3,500 and 2,100 bytes were measured: these fail before the cost has doubled, and not for a field more.
    private static final long MOST_PER_REQUEST = 5_000;
    private static final long MOST_PER_LINE = 3_000;

    private static CostRig rig;
    private static int port;

    @BeforeAll
    static void start() {
        rig = new CostRig();
        BackendDoor door = new BackendDoor(
                () -> ApiKeys.of(List.of()),
                List.of(new PublishHandler(rig.broker, 1 << 20, 1 << 16, BackendMetrics.NOOP)));
        port = rig.open("backend", door, Map.of());
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    @Test
    void allocatesLittlePerRequest() throws Exception {
        byte[] request = (head("application/json", "Content-Length: " + BODY.length()) + BODY).getBytes(US_ASCII);
        try (Client client = new Client()) {
            long least = leastOfRounds(() -> {
                for (int i = 0; i < PUBLISHES; i++) {
                    client.send(request);
                    client.await('}', 1);
                }
            });
            check("a request", least, MOST_PER_REQUEST);
        }
    }

    @Test
    void allocatesLittlePerLine() throws Exception {
        String lines = (BODY + "\n").repeat(PUBLISHES);
        byte[] head = head("application/x-ndjson", "Transfer-Encoding: chunked").getBytes(US_ASCII);
        byte[] chunk = (Integer.toHexString(lines.length()) + "\r\n" + lines + "\r\n").getBytes(US_ASCII);
        try (Client client = new Client()) {
            client.send(head);
            long least = leastOfRounds(() -> {
                client.send(chunk);
                client.await('}', PUBLISHES);
            });
            check("a line", least, MOST_PER_LINE);
        }
    }

    private static String head(String type, String length) {
        return String.join(
                "\r\n", "POST /v1/publish HTTP/1.1", "Host: localhost", "Content-Type: " + type, length, "", "");
    }

    private static void check(String what, long leastOfRounds, long most) {
        long bytes = leastOfRounds / PUBLISHES;
        System.out.printf("publish: %d B for %s%n", bytes, what);
        assertTrue(bytes <= most, () -> what + " allocates " + bytes + " bytes; at most " + most + " are meant to be");
    }

    /** The work of one round. */
    private interface Round {
        void run() throws Exception;
    }

    /** Bytes that the loop allocates in the cheapest round: what the JVM allocates now and then for itself is in some only. */
    private static long leastOfRounds(Round round) throws Exception {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            long before = rig.allocatedBytes();
            round.run();
            least = Math.min(least, rig.allocatedBytes() - before);
        }
        return least;
    }

    /** A keep-alive connection. Used by the test's thread. */
    private static final class Client implements AutoCloseable {
        private final Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        private final InputStream in = socket.getInputStream();
        private final byte[] read = new byte[16 * 1024];

        Client() throws IOException {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(30_000);
        }

        void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
        }

        /** Reads until so many answers have ended: each ends with the only such byte in it. */
        void await(char end, int count) throws IOException {
            int found = 0;
            while (found < count) {
                int length = in.read(read);
                if (length < 0) {
                    throw new EOFException("the gateway closed");
                }
                String text = new String(read, 0, length, US_ASCII);
                assertEquals(-1, text.indexOf("\"code\""), text);
                found += (int) text.chars().filter(c -> c == end).count();
            }
            assertEquals(count, found);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
