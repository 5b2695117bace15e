package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.measure.Quiet;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code connect} run: opens connections, holds them without a word, and looks at the server's memory. Confined to its event
 * loop, but for {@link #run}, whose thread waits.
 */
public final class Connect {
    private static final Duration GOODBYE_PATIENCE = Duration.ofSeconds(10);

    /** What a server may open besides connections while it gets to work. */
    private static final int OTHER_FILES = 16;

    // any thread
    private final ConnectPlan plan;
    private final ProgressLine progressLine;
    private final Loops loops;
    private final String topics = Topics.fresh();
    private final List<String> notes = new ArrayList<>();
    private int warmed;
    // loop only
    private final ReceiveCounters received = new ReceiveCounters();
    private final Map<String, Integer> lost = new TreeMap<>();
    private int lostCount;

    private Connect(ConnectPlan plan, ProgressLine progressLine, Loops loops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loops = loops;
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if not one connection stood
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many
     */
    public static ConnectResult run(ConnectPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require(Math.max(plan.connections(), plan.warmupConnections()), plan.pid());
        // One loop: due times and answers then share one thread, and no record needs a lock.
        try (Loops loops = new Loops(1)) {
            return new Connect(plan, progressLine, loops).run();
        } finally {
            progressLine.end();
        }
    }

    private ConnectResult run() throws LoadException, InterruptedException {
        Gauges cold = read();
        warmUp();
        Opening opening = new Opening("");
        Gauges before = read();
        loops.tell(0, () -> opening.lag.watch(before.nanos(), Long.MAX_VALUE));
        Half half = firstHalf(opening, before);
        open(opening, plan.connections(), "opening");
        loops.tell(0, opening.lag::end);
        Gauges opened = read();
        hold(opening, opened.nanos() + plan.hold().toNanos());
        Gauges held = read();
        ConnectResult result = loops.ask(0, () -> sumUp(opening, cold, before, half, opened, held));
        closeAll(opening);
        return result;
    }

    private Gauges read() throws LoadException, InterruptedException {
        return Gauges.read(loops, plan.pid(), plan.pidTree());
    }

    /**
     * What the server had when the first half stood: memory that was resident before and unused, such as a JVM's young generation,
     * is filled at no charge until then.
     */
    private record Half(Gauges gauges, int standing) {}

    private Half firstHalf(Opening opening, Gauges before) throws LoadException, InterruptedException {
        int connections = plan.connections() / 2;
        if (connections == 0) {
            return new Half(before, 0);
        }
        open(opening, connections, "opening the first half");
        Gauges gauges = read();
        return new Half(gauges, loops.ask(0, () -> opening.handshakes.opened() - lostCount));
    }

    /**
     * Opens and closes connections until the server has worked: one that hasn't would take memory for its code, its buffers and,
     * on a JVM, a whole young generation while the connections are opened, and all of that would be counted as theirs.
     */
    private void warmUp() throws LoadException, InterruptedException {
        long openFiles = openFiles();
        while (warmed < plan.warmupHandshakes()) {
            int connections = Math.min(plan.warmupConnections(), plan.warmupHandshakes() - warmed);
            Opening some = new Opening("w");
            open(
                    some,
                    connections,
                    String.format(Locale.ROOT, "warm-up, %,d of %,d done", warmed, plan.warmupHandshakes()));
            closeAll(some);
            warmed += connections;
        }
        if (warmed > 0 && plan.pid().isPresent()) {
            long deadline = System.nanoTime() + GOODBYE_PATIENCE.toNanos();
            while (openFiles() > openFiles + OTHER_FILES && System.nanoTime() - deadline < 0) {
                TimeUnit.NANOSECONDS.sleep(progressLine.pause().toNanos());
            }
            if (openFiles() > openFiles + OTHER_FILES) {
                notes.add("the server has " + (openFiles() - openFiles)
                        + " more open files than before the warm-up: it may hold some of its connections still");
            }
            try {
                Quiet.await(plan.pid().getAsLong(), plan.pidTree(), GOODBYE_PATIENCE);
            } catch (IOException e) {
                throw new LoadException("cannot read the CPU time of the server: " + e, e);
            }
        }
    }

    private long openFiles() {
        return plan.pid().isPresent() ? Descriptors.open(plan.pid().getAsLong(), plan.pidTree()) : -1;
    }

    private void open(Opening opening, int upTo, String phase) throws LoadException, InterruptedException {
        int more = loops.ask(0, () -> opening.open(upTo));
        long scheduled = plan.rate().isPresent() ? (long) (more / plan.rate().getAsDouble() * 1e9) : 0;
        long deadline = System.nanoTime() + scheduled + plan.connectTimeout().toNanos();
        long now = System.nanoTime();
        while (now - deadline < 0 && !loops.ask(0, opening::over)) {
            TimeUnit.NANOSECONDS.sleep(progressLine.pause().toNanos() / 10);
            now = System.nanoTime();
            progressLine.show(now, loops.ask(0, () -> opening.line(phase)));
        }
        loops.tell(0, opening::stop);
        if (opening.handshakes.opened() == 0) {
            throw new LoadException("no connection stood: " + opening.handshakes.failures());
        }
    }

    private void hold(Opening opening, long untilNanos) throws InterruptedException {
        long now = System.nanoTime();
        while (now - untilNanos < 0) {
            TimeUnit.NANOSECONDS.sleep(
                    Math.min(untilNanos - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            double left = Math.max(0, (untilNanos - now) / 1e9);
            progressLine.show(
                    now,
                    loops.ask(
                            0,
                            () -> String.format(
                                    Locale.ROOT,
                                    "holding: %,d stand, %,d lost, %,d pings answered, %.0f s left",
                                    opening.handshakes.opened() - lostCount,
                                    lostCount,
                                    received.pings,
                                    left)));
        }
    }

    /** Closes all and waits for the server's goodbyes, so that what follows finds it idle. */
    private void closeAll(Opening opening) throws InterruptedException {
        loops.tell(0, () -> opening.visitors.forEach(Subscriber::leave));
        long deadline = System.nanoTime() + GOODBYE_PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0
                && !loops.ask(0, () -> opening.visitors.stream().noneMatch(Subscriber::connected))) {
            TimeUnit.NANOSECONDS.sleep(progressLine.pause().toNanos() / 10);
        }
        loops.tell(0, () -> opening.visitors.forEach(Subscriber::close));
    }

    // ---- on the loop from here on

    private ConnectResult sumUp(Opening opening, Gauges cold, Gauges before, Half half, Gauges opened, Gauges held) {
        Handshakes handshakes = opening.handshakes;
        Map<String, Integer> failures = handshakes.failures();
        int unanswered = plan.connections() - handshakes.opened() - handshakes.failed();
        if (unanswered > 0) {
            failures.put("no answer within " + plan.connectTimeout().toSeconds() + " s", unanswered);
        }
        double seconds = Math.max(1, handshakes.lastNanos() - opening.startNanos) / 1e9;
        int standing = handshakes.opened() - lostCount;
        LatencySummary late = LatencySummary.of(opening.lateNanos);
        FanoutResult.Generator generator = opened.generatorSince(before, opening.lag.summary());
        ConnectResult.@Nullable Server server = null;
        if (cold.server() != null
                && before.server() != null
                && half.gauges.server() != null
                && opened.server() != null
                && held.server() != null) {
            double cpu = opened.serverCpuSince(before);
            server = new ConnectResult.Server(
                    cpu,
                    cpu > 0 ? handshakes.opened() / cpu : 0,
                    held.serverCpuSince(opened) / Math.max(1e-9, held.secondsSince(opened)),
                    cold.server().rssBytes(),
                    before.server().rssBytes(),
                    half.gauges.server().rssBytes(),
                    opened.server().rssBytes(),
                    held.server().rssBytes(),
                    held.server().peakRssBytes(),
                    perConnection(half.gauges.server(), held.server(), standing - half.standing),
                    perConnection(before.server(), held.server(), standing),
                    perConnection(cold.server(), held.server(), standing));
        }
        notes.addAll(Gauges.uncounted(plan.pid(), plan.pidTree()));
        notes.addAll(generator.disturbances());
        return new ConnectResult(
                plan.target().name(),
                plan.inWords(),
                plan.connections(),
                handshakes.opened(),
                failures,
                seconds,
                handshakes.opened() / seconds,
                handshakes.latency(),
                late,
                warmed,
                plan.warmupConnections(),
                standing,
                new TreeMap<>(lost),
                received.pings,
                server,
                generator,
                generator.limits(late, 0),
                List.copyOf(notes));
    }

    private static double perConnection(ProcessUsage before, ProcessUsage held, int connections) {
        return connections <= 0 ? 0 : (double) (held.rssBytes() - before.rssBytes()) / connections;
    }

    /** Opens connections, by the plan, in one step or several. Confined to the run's event loop. */
    private final class Opening {
        private final String prefix;
        private final Handshakes handshakes = new Handshakes(loops);
        private final List<Visitor> visitors = new ArrayList<>();
        private final Histogram lateNanos = LatencySummary.histogram();
        private final @Nullable Schedule schedule;
        private final LoopLag lag = new LoopLag(loops.loop(0));
        private int wanted;
        private long startNanos;
        private long stepNanos;
        private int firstOfStep;
        private boolean stopped;
        private boolean pumping;

        Opening(String prefix) {
            this.prefix = prefix;
            this.schedule =
                    plan.rate().isPresent() ? Schedule.steady(plan.rate().getAsDouble(), 1) : null;
        }

        /** Opens more, until there are so many; returns how many more. */
        int open(int upTo) {
            stepNanos = System.nanoTime();
            firstOfStep = visitors.size();
            startNanos = firstOfStep == 0 ? stepNanos : startNanos;
            wanted = upTo;
            stopped = false;
            pump();
            return upTo - firstOfStep;
        }

        void stop() {
            stopped = true;
        }

        boolean over() {
            return visitors.size() == wanted && handshakes.inProgress() == 0;
        }

        /** Begins what is due; in a closed loop, as many as may be in progress. */
        private void pump() {
            // A refused connection may fail inside of open() and come back here: it must not recurse 20,000 deep.
            if (pumping) {
                return;
            }
            pumping = true;
            while (!stopped && visitors.size() < wanted) {
                long now = System.nanoTime();
                long due = schedule == null ? now : stepNanos + schedule.dueNanos(visitors.size() - firstOfStep);
                if (schedule == null && handshakes.inProgress() >= plan.inProgress()) {
                    break;
                }
                if (due - now > 0) {
                    pumpAt(due - now);
                    break;
                }
                LatencySummary.record(lateNanos, now - due);
                int topic = plan.topics() == 0 ? visitors.size() : visitors.size() % plan.topics();
                Visitor visitor = new Visitor(topics + prefix + "." + topic);
                visitors.add(visitor);
                handshakes.open(visitor, due, true, this::pumpIfClosedLoop);
            }
            pumping = false;
        }

        private void pumpIfClosedLoop() {
            if (schedule == null) {
                pump();
            }
        }

        @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
        private void pumpAt(long nanos) {
            loops.loop(0).schedule(this::pump, nanos, TimeUnit.NANOSECONDS);
        }

        String line(String phase) {
            return String.format(
                    Locale.ROOT,
                    "%s: %,d of %,d stand, %,d in progress, %,d failed",
                    phase,
                    handshakes.opened(),
                    wanted,
                    handshakes.inProgress(),
                    handshakes.failed());
        }
    }

    /** A connection that only stays. Confined to the run's event loop. */
    private final class Visitor extends Subscriber {
        Visitor(String topic) {
            super(plan.target(), topic, false, received);
        }

        @Override
        void onDelivered(int messages) {}

        @Override
        void onNotice(String text) {}

        @Override
        void onClosed(String why) {
            lostCount++;
            lost.merge(why, 1, Integer::sum);
        }

        @Override
        public void onMessage(ByteBuf payload, int index, int length) {}
    }
}
