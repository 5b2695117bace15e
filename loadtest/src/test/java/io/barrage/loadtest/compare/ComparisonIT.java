package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.target.TargetKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ComparisonIT {
    private static final Path PEERS = Path.of("peers");
    private static final int SUBSCRIBERS = 10;

    private static final Path GATEWAY = Path.of("..", "gateway", "target", "barrage.jar");
    private static final Path NO_JAR = Path.of("there-is-no-such.jar");

    private static ComparisonResult compare(
            List<TargetKind> kinds, Path jar, int rounds, int starts, Comparison.Watcher watcher, Workload... workloads)
            throws Exception {
        return compare(kinds, List.of(), jar, rounds, starts, watcher, workloads);
    }

    private static ComparisonResult compare(
            List<TargetKind> kinds,
            List<Variant> variants,
            Path jar,
            int rounds,
            int starts,
            Comparison.Watcher watcher,
            Workload... workloads)
            throws Exception {
        InetSocketAddress none = InetSocketAddress.createUnresolved("none", 1);
        FanoutPlan load = new FanoutPlan(
                TargetKind.BARRAGE.at(none, none),
                1,
                1,
                1,
                OptionalDouble.empty(),
                1,
                100,
                Duration.ofMillis(100),
                Duration.ofMillis(300),
                Duration.ofSeconds(5),
                Duration.ofSeconds(20),
                1,
                1,
                OptionalInt.empty(),
                1_000,
                OptionalLong.empty(),
                false);
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ComparePlan plan = new ComparePlan(
                kinds,
                variants,
                List.of(workloads),
                rounds,
                starts,
                new Peers(jar, List.of(), PEERS, List.of(java)),
                Duration.ZERO,
                Duration.ofMillis(50),
                load,
                1000 / SUBSCRIBERS);
        return Comparison.run(
                plan, new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8), watcher);
    }

    private static void assertDelivered(ComparisonResult.Run run) {
        assertEquals("", run.failure());
        assertTrue(run.result() != null && run.result().clean(), String.valueOf(run.result()));
        assertEquals(
                run.result().totals().sent() * SUBSCRIBERS,
                run.result().totals().delivered());
        assertTrue(run.result().server() != null && run.result().server().rssBytes() > 0);
    }

    /** This JVM's children: nothing here starts others. */
    private static long servers() {
        return ProcessHandle.current().children().filter(ProcessHandle::isAlive).count();
    }

    @Test
    void startsTheNaiveGatewayAnewForEachPartAndNamesWhatIsMissing() throws Exception {
        List<List<Long>> seen = new ArrayList<>();
        ComparisonResult result = compare(
                List.of(TargetKind.BARRAGE, TargetKind.NETTY_GROUP),
                NO_JAR,
                3,
                2,
                soFar -> seen.add(List.of((long) soFar.runs().size(), (long) soFar.planned(), servers())),
                Workload.W32);
        assertEquals("no file there-is-no-such.jar", result.missing().get("barrage"));
        result.runs().forEach(ComparisonIT::assertDelivered);
        // The first part is one round, the second two: its server is kept behind the first of them.
        assertEquals(
                List.of(1, 2, 2),
                result.runs().stream().map(ComparisonResult.Run::start).toList());
        assertEquals(List.of(List.of(1L, 3L, 0L), List.of(2L, 3L, 1L), List.of(3L, 3L, 0L)), seen);
    }

    /** A load of each shape once, as small as it gets. */
    private static void assertTakesPart(TargetKind kind, Optional<String> missing) throws Exception {
        assertTakesPart(
                kind, missing, Workload.W32, Workload.BURSTS, Workload.ROOMS, Workload.RATE200, Workload.INGEST);
    }

    private static void assertTakesPart(TargetKind kind, Optional<String> missing, Workload... workloads)
            throws Exception {
        // On a CI machine no check is lost unseen.
        assertTrue(missing.isEmpty() || System.getenv("CI") == null, () -> "this test needs " + kind + ": " + missing);
        assumeTrue(missing.isEmpty(), () -> "this test needs " + kind + ": " + missing);
        Workload[] fit = Arrays.stream(workloads)
                .filter(workload -> workload.unfit(kind).isEmpty())
                .toArray(Workload[]::new);
        ComparisonResult result = compare(List.of(kind), GATEWAY, 1, 1, soFar -> {}, fit);
        assertEquals(fit.length, result.runs().size());
        assertFalse(result.versions().get(kind.label()).contains("unknown"), () -> String.valueOf(result.versions()));
        for (ComparisonResult.Run run : result.runs()) {
            assertEquals("", run.failure(), run.workload());
            assertTrue(run.result() != null && run.result().clean(), run.toString());
            FanoutResult.Totals totals = run.result().totals();
            assertTrue(totals.sent() > 0, run.toString());
            assertEquals(totals.expected(), totals.delivered(), run.toString());
            Workload workload = Workload.of(run.workload());
            assertEquals(workload.subscribers() > 0, totals.delivered() > 0, run.toString());
            assertEquals(run.result().deliveriesPerSecond() > 0, run.result().bytesPerDelivery() > 100, run.toString());
            assertTrue(run.result().server() != null && run.result().server().rssBytes() > 0);
        }
    }

    @Test
    void putsBarrageUnderEachKindOfLoad() throws Exception {
        assertTrue(Files.isRegularFile(GATEWAY), "build the gateway first: mvn verify does, in order: " + GATEWAY);
        // A JVM for each takes its time.
        assertTakesPart(
                TargetKind.BARRAGE, Optional.empty(), Workload.COALESCE, Workload.INGEST, Workload.INGEST_NDJSON);
    }

    @Test
    void runsBarrageWithOtherArgumentsAsOneMoreGateway() throws Exception {
        assertTrue(Files.isRegularFile(GATEWAY), "build the gateway first: mvn verify does, in order: " + GATEWAY);
        ComparisonResult result = compare(
                List.of(TargetKind.BARRAGE),
                List.of(Variant.parse("serial=-XX:+UseSerialGC --server.transport=nio")),
                GATEWAY,
                1,
                1,
                soFar -> {},
                Workload.W32);
        assertEquals(
                List.of("barrage", "serial"),
                result.runs().stream().map(ComparisonResult.Run::target).toList());
        result.runs().forEach(ComparisonIT::assertDelivered);
        assertEquals("barrage", result.measure());
        assertTrue(result.versions().get("serial").contains("UseSerialGC"), () -> String.valueOf(result.versions()));
    }

    @Test
    void countsWhatComesInBatches() throws Exception {
        assertTrue(Files.isRegularFile(GATEWAY), "build the gateway first: mvn verify does, in order: " + GATEWAY);
        assertTakesPart(TargetKind.BARRAGE_BATCH, Optional.empty(), Workload.BURSTS);
    }

    @Test
    void putsUWebSocketsUnderEachShapeOfLoadThatSuitsIt() throws Exception {
        assertTakesPart(
                TargetKind.UWEBSOCKETS,
                UwsPeer.installed(TargetKind.UWEBSOCKETS, PEERS).missing());
    }

    @Test
    void writesBarragesEnvelopeAroundWhatUWebSocketsDelivers() throws Exception {
        UwsPeer peer = UwsPeer.installed(TargetKind.UWEBSOCKETS_ENVELOPE, PEERS);
        assertTakesPart(peer.kind(), peer.missing(), Workload.W32);
        InetSocketAddress clients = freeAddress();
        InetSocketAddress backend = freeAddress();
        Peers peers = new Peers(NO_JAR, List.of(), PEERS, List.of());
        try (ServedPeer served = ServedPeer.start(peers, peer.kind(), clients, backend)) {
            assertFalse(served.forks());
            HttpClient http =
                    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            BlockingQueue<String> delivered = new LinkedBlockingQueue<>();
            WebSocket subscriber = http.newWebSocketBuilder()
                    .buildAsync(
                            URI.create("ws://127.0.0.1:" + clients.getPort() + "/sub?id=bench:x"),
                            new WebSocket.Listener() {
                                @Override
                                public @Nullable CompletionStage<?> onText(
                                        WebSocket webSocket, CharSequence data, boolean last) {
                                    delivered.add(data.toString());
                                    webSocket.request(1);
                                    return null;
                                }
                            })
                    .get(10, TimeUnit.SECONDS);
            for (int offset = 1; offset <= 2; offset++) {
                http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + backend.getPort() + "/pub?id=bench:x"))
                                .POST(HttpRequest.BodyPublishers.ofString("{\"a\":[]}"))
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
                String message = String.valueOf(delivered.poll(10, TimeUnit.SECONDS));
                assertEquals(
                        "{\"type\":\"message\",\"topic\":\"bench:x\",\"offset\":" + offset
                                + ",\"time\":T,\"data\":{\"a\":[]}}",
                        message.replaceFirst("(?<=\"time\":)\\d{13}", "T"));
            }
            subscriber.abort();
        }
    }

    private static InetSocketAddress freeAddress() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
        }
    }

    @Test
    void putsNginxWithNchanUnderEachShapeOfLoadThatSuitsItAndCountsItsWorker() throws Exception {
        assertTakesPart(TargetKind.NCHAN, NchanPeer.installed().missing());
    }

    @Test
    void putsCentrifugoUnderEachShapeOfLoadThatSuitsIt() throws Exception {
        assertTakesPart(TargetKind.CENTRIFUGO, CentrifugoPeer.installed().missing());
    }

    @Test
    void putsNatsUnderEachShapeOfLoadThatSuitsIt() throws Exception {
        assertTakesPart(TargetKind.NATS, NatsPeer.installed().missing());
    }
}
