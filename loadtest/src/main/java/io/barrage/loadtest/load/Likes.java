package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code likes} run: a flood of changes to one value, and what its viewers are told. Confined to its event loop, but for
 * {@link #run}, whose thread waits.
 */
public final class Likes {
    private static final byte[] VALUE = "{\"type\":\"value\",".getBytes(US_ASCII);
    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(30);
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int MAX_CHUNK_LINES = 4096;
    /** More lines than this without an answer, and the generator withholds others: its memory isn't what is measured. */
    private static final long MAX_UNANSWERED = 1_000_000;

    // any thread
    private final LikesPlan plan;
    private final ProgressLine progressLine;
    private final Loops loops;
    private final RunFailure failure = new RunFailure();
    // loop only
    private final List<StreamConnection> streams = new ArrayList<>();
    private final List<Viewer> viewers = new ArrayList<>();
    private final ReceiveCounters received = new ReceiveCounters();
    private final LoopLag lag;
    private final Histogram lateNanos = LatencySummary.histogram();
    private long startNanos;
    private boolean running;
    private long sent;
    private long withheld;
    private int nextStream;
    private int closed;
    private String firstClose = "";

    private Likes(LikesPlan plan, ProgressLine progressLine, Loops loops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loops = loops;
        this.lag = new LoopLag(loops.loop(0));
        String topic = Topics.fresh();
        byte[] line =
                ("{\"topic\":\"" + topic + "\",\"key\":\"likes\",\"merge\":\"sum\",\"data\":1}\n").getBytes(US_ASCII);
        for (int i = 0; i < plan.connections(); i++) {
            streams.add(new StreamConnection(plan.target().backend(), line, failure::tell));
        }
        for (int i = 0; i < plan.viewers(); i++) {
            viewers.add(new Viewer(topic));
        }
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a stream that broke
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static LikesResult run(LikesPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require((long) plan.viewers() + plan.connections(), plan.pid());
        try (Loops loops = new Loops(1)) {
            return new Likes(plan, progressLine, loops).run();
        } finally {
            progressLine.end();
        }
    }

    private LikesResult run() throws LoadException, InterruptedException {
        Crowd.connect(loops, viewers, plan.connectTimeout());
        connectStreams();
        Gauges before = read();
        long start = System.nanoTime();
        long end = start + plan.duration().toNanos();
        loops.tell(0, () -> {
            startNanos = start;
            running = true;
            lag.watch(start, end);
            pump();
        });
        for (long now = start; now - end < 0; now = System.nanoTime()) {
            failure.pause(Math.min(end - now, progressLine.pause().toNanos()));
            progressLine.show(System.nanoTime(), loops.ask(0, this::progress));
        }
        long withheldAtEnd = loops.ask(0, () -> {
            running = false;
            streams.forEach(StreamConnection::end);
            viewers.forEach(viewer -> viewer.framesInLoad = viewer.frames);
            return withheld;
        });
        await(ANSWER_PATIENCE, () -> unanswered() == 0);
        if (loops.ask(0, this::unanswered) > 0) {
            throw new LoadException("lines got no answer for " + ANSWER_PATIENCE.toSeconds() + " s");
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        Gauges after = read();
        await(plan.patience(), () -> exact() == viewers.size());
        return loops.ask(0, () -> finish(seconds, withheldAtEnd, before, after));
    }

    private void connectStreams() throws LoadException, InterruptedException {
        for (StreamConnection stream : streams) {
            loops.connect(0, plan.target().backend(), false, stream.handlers());
        }
        failure.awaitConnected(
                CompletableFuture.allOf(
                        streams.stream().map(StreamConnection::ready).toArray(CompletableFuture<?>[]::new)),
                plan.connectTimeout());
    }

    private Gauges read() throws LoadException, InterruptedException {
        return Gauges.read(loops, plan.pid(), false);
    }

    private void await(Duration patience, Callable<Boolean> over) throws LoadException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!loops.ask(0, over) && System.nanoTime() - deadline < 0) {
            failure.pause(progressLine.pause().toNanos() / 10);
        }
    }

    // ---- on the loop from here on

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void pump() {
        if (!running) {
            return;
        }
        long elapsed = Math.min(System.nanoTime() - startNanos, plan.duration().toNanos());
        long due = (long) (elapsed / 1e9 * plan.rate());
        while (due > sent && unanswered() < MAX_UNANSWERED) {
            LatencySummary.record(lateNanos, elapsed - (long) (sent / plan.rate() * 1e9));
            int lines = (int) Math.min(due - sent, MAX_CHUNK_LINES);
            streams.get(nextStream).send(lines);
            nextStream = (nextStream + 1) % streams.size();
            sent += lines;
        }
        withheld = due - sent;
        loops.loop(0).schedule(this::pump, TICK_NANOS, TimeUnit.NANOSECONDS);
    }

    private long accepted() {
        return streams.stream().mapToLong(stream -> stream.answers().accepted()).sum();
    }

    private long refused() {
        return streams.stream().mapToLong(stream -> stream.answers().refused()).sum();
    }

    private long unanswered() {
        return streams.stream().mapToLong(StreamConnection::unanswered).sum();
    }

    private int exact() {
        long accepted = accepted();
        return (int) viewers.stream().filter(viewer -> viewer.last == accepted).count();
    }

    private String progress() {
        return String.format(
                Locale.ROOT,
                "likes: %,d sent, %,d accepted, %,d refused, %,d values told",
                sent,
                accepted(),
                refused(),
                received.messages);
    }

    private LikesResult finish(double seconds, long withheldAtEnd, Gauges before, Gauges after) {
        FanoutResult.Generator generator = after.generatorSince(before, lag.summary());
        LatencySummary late = LatencySummary.of(lateNanos);
        List<String> notes = new ArrayList<>();
        streams.stream()
                .map(stream -> stream.answers().firstRefusal())
                .filter(text -> !text.isEmpty())
                .findFirst()
                .ifPresent(text -> notes.add("first refused line: " + text));
        if (closed > 0) {
            notes.add(closed + " viewers lost their connection, the first because " + firstClose);
        }
        long accepted = accepted();
        viewers.stream()
                .filter(viewer -> viewer.last != accepted)
                .findFirst()
                .ifPresent(
                        viewer -> notes.add("the first inexact viewer ended with " + viewer.last + " of " + accepted));
        notes.addAll(generator.disturbances());
        double loadSeconds = plan.duration().toNanos() / 1e9;
        LikesResult.@Nullable Server server = null;
        ProcessUsage used = after.server();
        if (used != null) {
            double cpu = after.serverCpuSince(before);
            server = new LikesResult.Server(
                    cpu / seconds, accepted == 0 ? 0 : cpu * 1e6 / accepted, used.rssBytes(), used.peakRssBytes());
        }
        LikesResult result = new LikesResult(
                plan.target().name(),
                plan.inWords(),
                sent,
                accepted,
                refused(),
                accepted / seconds,
                viewers.stream()
                                .mapToLong(viewer -> viewer.framesInLoad)
                                .average()
                                .orElse(0)
                        / loadSeconds,
                viewers.stream().mapToLong(viewer -> viewer.framesInLoad).max().orElse(0) / loadSeconds,
                viewers.size(),
                exact(),
                closed,
                late,
                server,
                generator,
                generator.limits(late, withheldAtEnd),
                notes);
        streams.forEach(StreamConnection::close);
        viewers.forEach(Subscriber::close);
        return result;
    }

    /** A viewer that remembers the last value. Confined to the run's event loop. */
    private final class Viewer extends Subscriber {
        private long frames;
        private long framesInLoad;
        private long last;

        Viewer(String topic) {
            super(plan.target(), topic, VALUE, true, received);
        }

        @Override
        public void onMessage(ByteBuf payload, int index, int length) {
            int data = Bytes.indexOf(payload, index, index + length, OffsetFrames.DATA);
            frames++;
            last = data < 0 ? -1 : Bytes.decimal(payload, data + OffsetFrames.DATA.length);
        }

        @Override
        void onDelivered(int messages) {}

        @Override
        void onNotice(String text) {}

        @Override
        void onClosed(String why) {
            if (closed++ == 0) {
                firstClose = why;
            }
        }
    }
}
