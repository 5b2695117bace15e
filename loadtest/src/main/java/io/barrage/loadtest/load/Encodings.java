package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.measure.Stats;
import io.barrage.loadtest.target.HostPort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * An {@code encodings} run: the same comments at the same rate to viewers that want them plain, in batches, compressed, or both;
 * what the bytes and the server's CPU time are. Used by one thread.
 */
public final class Encodings {
    private static final long TICK_NANOS = 10_000_000;
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    /** When nothing has come for so long behind the witness's last message, the other viewers have theirs. */
    private static final long STILL_NANOS = 100_000_000;

    private static final int CONNECTING_AT_ONCE = 128;
    private static final Map<String, String> COMPRESSED = Map.of("Sec-WebSocket-Extensions", "permessage-deflate");

    private final EncodingsPlan plan;
    private final ProgressLine progress;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<String> invalid = new ArrayList<>();
    private final Set<String> notes = new LinkedHashSet<>();
    private FanoutResult.@Nullable Generator busiest;
    private long lost;

    private enum Kind {
        PLAIN("plain", "", false),
        BATCH("batch", "&batch=1", false),
        DEFLATED("deflated", "", true),
        BATCH_DEFLATED("batch, deflated", "&batch=1", true);

        private final String label;
        private final String query;
        private final boolean deflated;

        Kind(String label, String query, boolean deflated) {
            this.label = label;
            this.query = query;
            this.deflated = deflated;
        }
    }

    /** One phase: all viewers' bytes, and the server's CPU time until all had them. */
    private record Phase(double bytes, double cpuSeconds) {}

    private Encodings(EncodingsPlan plan, ProgressLine progress) {
        this.plan = plan;
        this.progress = progress;
    }

    /** Runs it. */
    public static EncodingsResult run(EncodingsPlan plan, ProgressLine progress)
            throws LoadException, IOException, InterruptedException {
        Descriptors.require(plan.viewers() + 1L, plan.pid());
        return new Encodings(plan, progress).run();
    }

    private EncodingsResult run() throws LoadException, IOException, InterruptedException {
        int messages = (int) (plan.perSecond() * plan.duration().toMillis() / 1000);
        Phase[][] phases = new Phase[Kind.values().length][plan.rounds()];
        for (int round = 0; round < plan.rounds(); round++) {
            for (Kind kind : Kind.values()) {
                progress.show(System.nanoTime(), "round " + (round + 1) + " of " + plan.rounds() + ": " + kind.label);
                phases[kind.ordinal()][round] = phase(kind, messages);
            }
        }
        double deliveries = (double) messages * plan.viewers();
        double plainBytes = Stats.median(Arrays.stream(phases[0]).mapToDouble(Phase::bytes));
        List<EncodingsResult.Row> rows = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            Phase[] of = phases[kind.ordinal()];
            double bytes = Stats.median(Arrays.stream(of).mapToDouble(Phase::bytes));
            rows.add(new EncodingsResult.Row(
                    kind.label,
                    bytes / deliveries,
                    bytes / plainBytes,
                    Stats.median(Arrays.stream(of).mapToDouble(Phase::cpuSeconds)) * 1e6 / deliveries,
                    Stats.median(IntStream.range(0, of.length)
                            .mapToDouble(i -> of[i].cpuSeconds / phases[0][i].cpuSeconds))));
        }
        return new EncodingsResult(
                rows,
                messages,
                plan.viewers(),
                lost,
                Objects.requireNonNull(busiest, "there is at least one phase"),
                invalid,
                List.copyOf(notes));
    }

    private Phase phase(Kind kind, int messages) throws LoadException, IOException, InterruptedException {
        List<RawViewer> viewers = new ArrayList<>();
        try (Loops loops = new Loops(1)) {
            String path = plan.target().subscribePath(plan.topic()) + kind.query;
            for (int i = 0; i < plan.viewers(); i++) {
                boolean last = i == plan.viewers() - 1;
                RawViewer viewer = new RawViewer(plan.target(), path, kind.deflated ? COMPRESSED : Map.of(), last);
                viewers.add(viewer);
                loops.connect(0, plan.target().clients(), true, viewer);
                if (viewers.size() % CONNECTING_AT_ONCE == 0) {
                    await(viewers);
                }
            }
            await(viewers);
            LoopLag lag = new LoopLag(loops.loop(0));
            Histogram lateNanos = LatencySummary.histogram();
            Gauges before = Gauges.read(loops, plan.pid(), false);
            loops.tell(0, () -> lag.watch(before.nanos(), Long.MAX_VALUE));
            publish(messages, lateNanos);
            long missing = messages - awaitWitness(loops, viewers.get(viewers.size() - 1), messages);
            long bytes = awaitStill(loops, viewers);
            loops.tell(0, lag::end);
            Gauges after = Gauges.read(loops, plan.pid(), false);
            loops.tell(0, () -> viewers.forEach(RawViewer::close));
            lost += missing;
            watch(kind, after.generatorSince(before, lag.summary()), LatencySummary.of(lateNanos));
            return new Phase(bytes, after.serverCpuSince(before));
        }
    }

    private void watch(Kind kind, FanoutResult.Generator generator, LatencySummary late) {
        generator.limits(late, 0).forEach(reason -> invalid.add(kind.label + ": " + reason));
        notes.addAll(generator.disturbances());
        if (busiest == null || generator.busiestLoop() > busiest.busiestLoop()) {
            busiest = generator;
        }
    }

    /** Waits for the last message of all at the last viewer; returns how many came to it. */
    private static long awaitWitness(Loops loops, RawViewer witness, int messages) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        long came = loops.ask(0, witness::messages);
        while (came < messages && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TICK_NANOS);
            came = loops.ask(0, witness::messages);
        }
        return came;
    }

    /** Waits until nothing comes to anybody any more; returns all that came. */
    private static long awaitStill(Loops loops, List<RawViewer> viewers) throws InterruptedException {
        long bytes = -1;
        long since = System.nanoTime();
        long deadline = since + PATIENCE_NANOS;
        while (System.nanoTime() - since < STILL_NANOS && System.nanoTime() - deadline < 0) {
            long now = loops.ask(
                    0, () -> viewers.stream().mapToLong(RawViewer::bytes).sum());
            if (now != bytes) {
                bytes = now;
                since = System.nanoTime();
            }
            LockSupport.parkNanos(TICK_NANOS);
        }
        return bytes;
    }

    private static void await(List<RawViewer> viewers) throws LoadException, InterruptedException {
        try {
            CompletableFuture.allOf(viewers.stream().map(RawViewer::ready).toArray(CompletableFuture<?>[]::new))
                    .get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new LoadException("cannot subscribe: " + LoadException.reason(e), e);
        } catch (TimeoutException e) {
            throw new LoadException("cannot subscribe: no answer", e);
        }
    }

    /** Publishes so many comments at the rate, some with each tick, as a stream of lines. */
    private void publish(int messages, Histogram lateNanos) throws LoadException, IOException, InterruptedException {
        CommentData data = new CommentData("encodings");
        URI uri = URI.create("http://" + HostPort.format(plan.target().backend()) + "/v1/publish");
        long start = System.nanoTime();
        int sent = 0;
        for (long tick = 1; sent < messages; tick++) {
            LatencySummary.record(lateNanos, System.nanoTime() - start - (tick - 1) * TICK_NANOS);
            long due = Math.min(messages, tick * TICK_NANOS * plan.perSecond() / 1_000_000_000L);
            StringBuilder lines = new StringBuilder();
            for (; sent < due; sent++) {
                lines.append("{\"topic\":\"")
                        .append(plan.topic())
                        .append("\",\"sender\":\"viewer-")
                        .append(sent * 7919L % 10_000)
                        .append("\",\"data\":")
                        .append(new String(
                                data.write(
                                        plan.comments()
                                                .get(sent % plan.comments().size()),
                                        sent),
                                java.nio.charset.StandardCharsets.UTF_8))
                        .append("}\n");
            }
            if (lines.length() > 0) {
                HttpResponse<String> answer = http.send(
                        HttpRequest.newBuilder(uri)
                                .header("content-type", "application/x-ndjson")
                                .POST(HttpRequest.BodyPublishers.ofString(lines.toString()))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() != 200 || answer.body().contains("\"error\"")) {
                    throw new LoadException("a publish was refused: " + answer.statusCode() + " " + answer.body());
                }
            }
            LockSupport.parkNanos(start + tick * TICK_NANOS - System.nanoTime());
        }
    }
}
