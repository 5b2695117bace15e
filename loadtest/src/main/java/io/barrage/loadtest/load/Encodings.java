package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.HostPort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * An {@code encodings} run: the same comments at the same rate to viewers that want them plain, in batches, compressed, or both;
 * what the bytes and the server's CPU time are. Used by one thread.
 */
public final class Encodings {
    private static final long TICK_NANOS = 10_000_000;
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final int CONNECTING_AT_ONCE = 128;
    private static final Map<String, String> COMPRESSED = Map.of("Sec-WebSocket-Extensions", "permessage-deflate");

    private final EncodingsPlan plan;
    private final ProgressLine progress;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
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

    /** One phase: all viewers' bytes, and the server's CPU time. */
    private record Phase(double bytes, double cpuSeconds) {}

    private Encodings(EncodingsPlan plan, ProgressLine progress) {
        this.plan = plan;
        this.progress = progress;
    }

    /** Runs it. */
    public static EncodingsResult run(EncodingsPlan plan, ProgressLine progress)
            throws LoadException, IOException, InterruptedException {
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
        double plainBytes =
                median(Arrays.stream(phases[0]).mapToDouble(Phase::bytes).toArray());
        List<EncodingsResult.Row> rows = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            Phase[] of = phases[kind.ordinal()];
            double bytes = median(Arrays.stream(of).mapToDouble(Phase::bytes).toArray());
            rows.add(new EncodingsResult.Row(
                    kind.label,
                    bytes / deliveries,
                    bytes / plainBytes,
                    median(Arrays.stream(of).mapToDouble(Phase::cpuSeconds).toArray()) * 1e6 / deliveries,
                    median(IntStream.range(0, of.length)
                            .mapToDouble(i -> of[i].cpuSeconds / phases[0][i].cpuSeconds)
                            .toArray())));
        }
        return new EncodingsResult(rows, messages, plan.viewers(), lost);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private Phase phase(Kind kind, int messages) throws LoadException, IOException, InterruptedException {
        List<RawViewer> viewers = new ArrayList<>();
        try (Loops loops = new Loops(1)) {
            String path = plan.target().subscribePath(plan.topic()) + kind.query;
            for (int i = 0; i < plan.viewers(); i++) {
                RawViewer viewer = new RawViewer(plan.target(), path, kind.deflated ? COMPRESSED : Map.of(), i == 0);
                viewers.add(viewer);
                loops.connect(0, plan.target().clients(), true, viewer);
                if (viewers.size() % CONNECTING_AT_ONCE == 0) {
                    await(viewers);
                }
            }
            await(viewers);
            ProcessUsage before = ProcessUsage.of(plan.pid(), false);
            publish(messages);
            RawViewer witness = viewers.get(0);
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (loops.ask(0, witness::messages) < messages && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(TICK_NANOS);
            }
            double cpu = ProcessUsage.of(plan.pid(), false).cpuSeconds() - before.cpuSeconds();
            lost += messages - loops.ask(0, witness::messages);
            double bytes = loops.ask(
                    0, () -> viewers.stream().mapToLong(RawViewer::bytes).sum());
            loops.tell(0, () -> viewers.forEach(RawViewer::close));
            return new Phase(bytes, cpu);
        }
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
    private void publish(int messages) throws LoadException, IOException, InterruptedException {
        CommentData data = new CommentData("encodings");
        URI uri = URI.create("http://" + HostPort.format(plan.target().backend()) + "/v1/publish");
        long start = System.nanoTime();
        int sent = 0;
        for (long tick = 1; sent < messages; tick++) {
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
