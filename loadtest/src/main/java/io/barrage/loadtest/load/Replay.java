package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.Gap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * A {@code replay}: publishes a recording at its own times and checks every delivery to every subscriber. Confined to its
 * event loop, but for {@link #run}, whose thread waits.
 */
public final class Replay implements PublishConnection.Listener {
    /** What is known of a comment's publish. */
    private enum State {
        WAITING,
        SENT,
        ACCEPTED,
        SHED,
        REFUSED
    }

    // any thread
    private final EventLoop loop;
    private final ReplayPlan plan;
    private final RunFailure failure = new RunFailure();
    private final CompletableFuture<Boolean> complete = new CompletableFuture<>();
    // loop only
    private final CommentData commentData;
    private final Schedule schedule;
    private final Outlet connection;
    private final List<Watcher> watchers = new ArrayList<>();
    private final ReceiveCounters received = new ReceiveCounters();
    private final Histogram fromDue = LatencySummary.histogram();
    private final Histogram fromSent = LatencySummary.histogram();
    private final Histogram answerNanos = LatencySummary.histogram();
    private final Histogram lateNanos = LatencySummary.histogram();
    private final LoopLag lag;
    private final State[] states;
    private final long[] sentNanos;
    private final long[] offsets;
    private long startNanos;
    private long lastEventNanos;
    private long timerDueNanos = Long.MAX_VALUE;
    private int next;
    private int answered;
    private int accepted;
    private int shed;
    private int refused;
    private long delivered;
    private long repeated;
    private long disordered;
    private long foreign;
    private boolean gapSeen;
    private int closedWatchers;
    private String firstClose = "";
    private String firstRefusal = "";

    private Replay(ReplayPlan plan, EventLoop loop) {
        this.plan = plan;
        this.loop = loop;
        this.commentData = new CommentData(Topics.name());
        this.schedule = plan.schedule();
        this.lag = new LoopLag(loop);
        this.connection = Outlet.of(plan.target(), this);
        int comments = plan.comments().size();
        this.states = new State[comments];
        Arrays.fill(states, State.WAITING);
        this.sentNanos = new long[comments];
        this.offsets = new long[comments];
        for (int i = 0; i < plan.subscribers(); i++) {
            watchers.add(new Watcher());
        }
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if nothing can be said about deliveries: no connection, or no answer
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static ReplayResult run(ReplayPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require(plan.subscribers() + 1L, plan.pid());
        // One loop: due times, send times and receipts then share one thread, and no record needs a lock.
        try (Loops loops = new Loops(1)) {
            Replay replay = new Replay(plan, loops.loop(0));
            return replay.run(loops, progressLine);
        } finally {
            progressLine.end();
        }
    }

    private ReplayResult run(Loops loops, ProgressLine progressLine) throws LoadException, InterruptedException {
        loops.connect(0, plan.target().backend(), false, connection.handlers());
        failure.awaitConnected(connection.ready(), plan.connectTimeout());
        Crowd.connect(loops, watchers, plan.connectTimeout());
        Gauges before = Gauges.read(loops, plan.pid(), plan.pidTree());
        loops.tell(0, () -> {
            startNanos = System.nanoTime();
            lastEventNanos = startNanos;
            lag.watch(startNanos, Long.MAX_VALUE);
            pump();
        });
        while (!failure.await(complete, progressLine.pause().toNanos())) {
            if (loops.ask(0, this::over)) {
                break;
            }
            progressLine.show(System.nanoTime(), loops.ask(0, this::progress));
        }
        loops.tell(0, lag::end);
        Gauges after = Gauges.read(loops, plan.pid(), plan.pidTree());
        return loops.ask(0, () -> finish(before, after));
    }

    // ---- on the loop from here on

    private void pump() {
        assert loop.inEventLoop();
        int count = states.length;
        long now = System.nanoTime();
        while (next < count && connection.unanswered() < plan.inFlight()) {
            long due = startNanos + schedule.dueNanos(next);
            if (due - now > 0) {
                wakeAt(due, now);
                break;
            }
            byte[] data = commentData.write(plan.comments().get(next), next);
            now = System.nanoTime();
            sentNanos[next] = now;
            LatencySummary.record(lateNanos, now - due);
            states[next] = State.SENT;
            connection.publish(
                    new Publication(0, next, due, now),
                    plan.target().publishHead(plan.topic(), data.length),
                    data,
                    plan.target().publishTail());
            next++;
            lastEventNanos = now;
        }
        connection.flush();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the replay with it
    private void wakeAt(long due, long now) {
        if (due != timerDueNanos) {
            timerDueNanos = due;
            loop.schedule(this::pump, due - now, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void onAnswer(Publication publication, Answer answer, String detail) {
        int index = (int) publication.sequence();
        long now = System.nanoTime();
        lastEventNanos = now;
        answered++;
        LatencySummary.record(answerNanos, now - publication.sentNanos());
        offsets[index] = answer.offset();
        switch (answer.verdict()) {
            case ACCEPTED -> {
                states[index] = State.ACCEPTED;
                accepted++;
            }
            case SHED -> {
                states[index] = State.SHED;
                shed++;
            }
            case REFUSED -> {
                states[index] = State.REFUSED;
                refused++;
            }
        }
        if (firstRefusal.isEmpty()) {
            firstRefusal = detail;
        }
        pump();
        completeIfAllCame();
    }

    @Override
    public void onBroken(int unanswered, String why) {
        failure.tellBroken(unanswered, why);
    }

    private void completeIfAllCame() {
        if (answered == states.length && delivered >= (long) accepted * watchers.size()) {
            complete.complete(true);
        }
    }

    /** Whether waiting on is pointless: all is delivered or admitted as lost, or nothing has moved for too long. */
    private boolean over() {
        assert loop.inEventLoop();
        boolean silent = System.nanoTime() - lastEventNanos > plan.patience().toNanos();
        boolean waitingForAnswers = connection.unanswered() > 0;
        if (waitingForAnswers || next < states.length) {
            if (silent && waitingForAnswers) {
                failure.tell(connection.unanswered() + " publishes got no answer for "
                        + plan.patience().toSeconds() + " s");
            }
            return false;
        }
        return silent || (gapSeen && missing().untold() == 0);
    }

    private String progress() {
        assert loop.inEventLoop();
        double elapsed = (System.nanoTime() - startNanos) / 1e9;
        double total = schedule.dueNanos(states.length - 1) / 1e9;
        long owed = (long) (next - shed - refused) * watchers.size();
        return String.format(
                Locale.ROOT,
                "%5.1f/%.1f s  published %,d/%,d  refused %,d  delivered %,d/%,d  repeated %,d  p50 %s  p99 %s ms",
                Math.min(elapsed, total),
                total,
                next,
                states.length,
                refused,
                delivered,
                owed,
                repeated,
                LatencySummary.millis(fromDue.getValueAtPercentile(50) / 1000.0),
                LatencySummary.millis(fromDue.getValueAtPercentile(99) / 1000.0));
    }

    private ReplayResult finish(Gauges before, Gauges after) {
        assert loop.inEventLoop();
        Missing missing = missing();
        double seconds = after.secondsSince(before);
        FanoutResult.Generator generator = after.generatorSince(before, lag.summary());
        LatencySummary late = LatencySummary.of(lateNanos);
        connection.close();
        watchers.forEach(Subscriber::close);
        List<String> notes = new ArrayList<>();
        if (!firstRefusal.isEmpty()) {
            notes.add("first refused or shed publish: " + firstRefusal);
        }
        if (closedWatchers > 0) {
            notes.add(closedWatchers + " subscribers lost their connection, the first because " + firstClose);
        }
        notes.addAll(Gauges.uncounted(plan.pid(), plan.pidTree()));
        notes.addAll(generator.disturbances());
        return new ReplayResult(
                plan.target().name(),
                plan.topic(),
                states.length,
                plan.subscribers(),
                seconds,
                accepted,
                shed,
                refused,
                (long) accepted * watchers.size(),
                delivered,
                missing.untold() + missing.told(),
                missing.toldByReason(),
                repeated,
                disordered,
                foreign,
                LatencySummary.of(fromDue),
                LatencySummary.of(fromSent),
                LatencySummary.of(answerNanos),
                late,
                after.serverCoresSince(before),
                generator,
                generator.limits(late, 0),
                List.copyOf(notes));
    }

    private Missing missing() {
        long untold = 0;
        Map<String, Long> told = new TreeMap<>();
        for (Watcher watcher : watchers) {
            for (int i = 0; i < states.length; i++) {
                if (states[i] == State.ACCEPTED && !watcher.has(i)) {
                    String reason = watcher.gaps.reasonOf(offsets[i]);
                    if (reason == null) {
                        untold++;
                    } else {
                        told.merge(reason, 1L, Long::sum);
                    }
                }
            }
        }
        return new Missing(untold, told);
    }

    /** Deliveries that didn't come. */
    private record Missing(long untold, Map<String, Long> toldByReason) {
        long told() {
            return toldByReason.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /** A subscriber that checks each comment. Confined to the replay's event loop. */
    private final class Watcher extends Subscriber {
        private final long[] seen = new long[(states.length + 63) / 64];
        private final Gaps gaps = new Gaps();
        private int highest = -1;

        Watcher() {
            super(plan.target(), plan.topic(), true, received);
        }

        boolean has(int comment) {
            return (seen[comment >> 6] & 1L << comment) != 0;
        }

        @Override
        public void onMessage(ByteBuf payload, int index, int length) {
            long number = commentData.number(payload, index, length);
            if (number < 0 || number >= next) {
                foreign++;
                return;
            }
            int comment = (int) number;
            long now = System.nanoTime();
            lastEventNanos = now;
            if (has(comment)) {
                repeated++;
                return;
            }
            seen[comment >> 6] |= 1L << comment;
            delivered++;
            if (comment < highest) {
                disordered++;
            }
            highest = Math.max(highest, comment);
            LatencySummary.record(fromDue, now - startNanos - schedule.dueNanos(comment));
            LatencySummary.record(fromSent, now - sentNanos[comment]);
        }

        @Override
        void onDelivered(int messages) {
            completeIfAllCame();
        }

        @Override
        void onNotice(String text) {
            Gap gap = target.gap(text);
            if (gap != null) {
                gaps.add(gap);
                gapSeen = true;
                lastEventNanos = System.nanoTime();
            }
        }

        @Override
        void onClosed(String why) {
            if (closedWatchers++ == 0) {
                firstClose = why;
            }
        }
    }
}
