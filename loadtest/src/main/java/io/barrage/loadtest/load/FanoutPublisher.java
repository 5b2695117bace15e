package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.Target;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a {@code fanout} run's messages: when the window or the schedule says so, to one topic after the other. Confined
 * to the first event loop, but for {@link #floorRaised} and {@link #failure}.
 */
final class FanoutPublisher implements PublishConnection.Listener {
    // any thread
    private static final int WARM_UP_WINDOW = 32;
    private static final long AS_MEASURED_NANOS = 1_000_000_000;

    private final EventLoop loop;
    private final FanoutPlan plan;
    private final RunFailure failure = new RunFailure();
    // loop only
    private final FanoutLoop measured;
    private final List<Topic> topics = new ArrayList<>();
    private final List<Outlet> connections = new ArrayList<>();
    private final Stamp stamp;
    private final byte[] tail;
    private final @Nullable Schedule schedule;
    /** Closed loop without subscribers: the topics of answered publishes, so that each connection has its share in flight. */
    private final ArrayDeque<Integer> idleTopics = new ArrayDeque<>();

    private final Histogram completeNanos = LatencySummary.histogram();
    private final Histogram answerNanos = LatencySummary.histogram();
    private final Histogram lateNanos = LatencySummary.histogram();
    private long startNanos;
    private boolean running;
    private boolean pumpQueued;
    private long timerDueNanos = Long.MAX_VALUE;
    private int nextTopic;
    private long sent;
    private long answered;
    private long shed;
    private long refused;
    private long completed;
    private String firstRefusal = "";

    FanoutPublisher(EventLoop loop, FanoutLoop measured, FanoutPlan plan, List<String> names, int loops) {
        this.loop = loop;
        this.measured = measured;
        this.plan = plan;
        this.stamp = new Stamp(plan.bytes());
        Target target = plan.target();
        this.tail = target.publishTail();
        this.schedule = plan.rate().isPresent() ? Schedule.steady(plan.rate().getAsDouble(), plan.burst()) : null;
        for (int i = 0; i < plan.connections(); i++) {
            connections.add(Outlet.of(target, this));
        }
        for (String name : names) {
            topics.add(new Topic(
                    target.publishHead(name, plan.bytes()),
                    connections.get(topics.size() % connections.size()),
                    loops));
        }
        for (int i = 0; schedule == null && plan.publishesOnly() && i < plan.window(); i++) {
            idleTopics.add(i % names.size());
        }
    }

    /** Before the run: which loops have subscribers of a topic. */
    void expectFloors(int topic, List<Boolean> onLoops) {
        for (int i = 0; i < onLoops.size(); i++) {
            topics.get(topic).floors[i] = onLoops.get(i) ? 0 : Long.MAX_VALUE;
        }
    }

    List<Outlet> connections() {
        return connections;
    }

    /** Any thread: whether the run can't go on. */
    RunFailure failure() {
        return failure;
    }

    void start(long startNanos) {
        assert loop.inEventLoop();
        this.startNanos = startNanos;
        running = true;
        pump();
    }

    /** Publishes nothing more. */
    void stop() {
        assert loop.inEventLoop();
        running = false;
    }

    /** Any thread: all of a topic's subscribers on one loop have {@code floor} messages. */
    void floorRaised(int topic, int onLoop, long floor) {
        if (loop.inEventLoop()) {
            onFloorRaised(topic, onLoop, floor);
        } else {
            loop.execute(() -> onFloorRaised(topic, onLoop, floor));
        }
    }

    private void onFloorRaised(int index, int onLoop, long floor) {
        assert loop.inEventLoop();
        Topic topic = topics.get(index);
        topic.floors[onLoop] = floor;
        long lowest = topic.sent;
        for (long other : topic.floors) {
            lowest = Math.min(lowest, other);
        }
        if (lowest > topic.floor) {
            long now = System.nanoTime();
            for (long level = topic.floor; level < lowest; level++) {
                // With a refused message the n-th delivery isn't the n-th publish any more.
                long due = topic.due.size() == 0 ? Long.MIN_VALUE : topic.due.remove();
                if (topic.undelivered == 0 && measured.counts(due)) {
                    LatencySummary.record(completeNanos, now - due);
                }
            }
            completed += lowest - topic.floor;
            topic.floor = lowest;
            pumpSoon();
        }
    }

    /**
     * Publishes after the sockets that are ready now have been read: several floors that rise in one pass cost one write. A
     * task of the loop's own runs behind its I/O and needs no wake-up.
     */
    private void pumpSoon() {
        if (running && !pumpQueued) {
            pumpQueued = true;
            loop.execute(() -> {
                pumpQueued = false;
                pump();
            });
        }
    }

    private void pump() {
        if (!running) {
            return;
        }
        if (schedule == null) {
            int window = window();
            while (outstanding() + plan.burst() <= window) {
                publishBurst(System.nanoTime());
            }
        } else {
            long due = startNanos + schedule.dueNanos(sent);
            long now = System.nanoTime();
            while (due - now <= 0 && outstanding() + plan.burst() <= plan.maxOutstanding()) {
                publishBurst(due);
                due = startNanos + schedule.dueNanos(sent);
                now = System.nanoTime();
            }
            if (due - now > 0) {
                wakeAt(due, now);
            }
        }
        connections.forEach(Outlet::flush);
    }

    /**
     * A closed loop warms up with at least {@value #WARM_UP_WINDOW} messages in flight, but for the last second before the measured
     * span, which is as the span itself: with one in flight a server that compiles while it runs sees so few publishes that it
     * wouldn't have compiled that way for minutes.
     */
    private int window() {
        boolean early = System.nanoTime() - startNanos < plan.warmup().toNanos() - AS_MEASURED_NANOS;
        return early && !plan.publishesOnly() ? Math.max(plan.window(), WARM_UP_WINDOW) : plan.window();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void wakeAt(long due, long now) {
        if (due != timerDueNanos) {
            timerDueNanos = due;
            loop.schedule(this::pump, due - now, TimeUnit.NANOSECONDS);
        }
    }

    private void publishBurst(long due) {
        Integer idle = idleTopics.poll();
        int index = idle == null ? nextTopic : idle;
        nextTopic = (index + 1) % topics.size();
        Topic topic = topics.get(index);
        for (int i = 0; i < plan.burst(); i++) {
            long now = System.nanoTime();
            byte[] data = stamp.write(due, topic.sent);
            Outlet connection = plan.spread() ? connections.get((int) (sent % connections.size())) : topic.connection;
            connection.publish(new Publication(index, topic.sent, due, now), topic.head, data, tail);
            if (!plan.publishesOnly()) {
                topic.due.add(due);
            }
            topic.sent++;
            sent++;
            if (measured.counts(due)) {
                LatencySummary.record(lateNanos, now - due);
            }
        }
    }

    private long outstanding() {
        return sent - shed - refused - completed;
    }

    @Override
    public void onAnswer(Publication publication, Answer answer, String detail) {
        answered++;
        if (measured.counts(publication.dueNanos())) {
            LatencySummary.record(answerNanos, System.nanoTime() - publication.sentNanos());
        }
        if (answer.verdict() != Answer.Verdict.ACCEPTED) {
            topics.get(publication.topic()).undelivered++;
            if (answer.verdict() == Answer.Verdict.SHED) {
                shed++;
            } else {
                refused++;
            }
            if (firstRefusal.isEmpty()) {
                firstRefusal = detail;
            }
            pumpSoon();
        }
        if (plan.publishesOnly()) {
            onDone(publication, answer);
        }
    }

    /** Nobody waits for the message: with its answer a publish is through. */
    private void onDone(Publication publication, Answer answer) {
        if (answer.verdict() == Answer.Verdict.ACCEPTED) {
            completed++;
            if (measured.counts(publication.dueNanos())) {
                LatencySummary.record(completeNanos, System.nanoTime() - publication.dueNanos());
            }
        }
        if (schedule == null) {
            idleTopics.add(publication.topic());
        }
        pumpSoon();
    }

    @Override
    public void onBroken(int unanswered, String why) {
        failure.tellBroken(unanswered, why);
    }

    /** The state at one moment, for the thread that drives the run. */
    Progress progress() {
        assert loop.inEventLoop();
        long overdue = 0;
        // Less than the bound outstanding: what is due now leaves with the next turn of the loop, and is only late.
        if (schedule != null && running && outstanding() + plan.burst() > plan.maxOutstanding()) {
            long elapsed = System.nanoTime() - startNanos;
            overdue = Math.max(0, (long) (elapsed / 1e9 * plan.rate().orElse(0)) - sent);
        }
        return new Progress(sent, answered, shed, refused, completed, overdue);
    }

    Histogram completeNanos() {
        return completeNanos;
    }

    Histogram answerNanos() {
        return answerNanos;
    }

    Histogram lateNanos() {
        return lateNanos;
    }

    String firstRefusal() {
        return firstRefusal;
    }

    /** How many messages of each topic its subscribers have to get. */
    long[] accepted() {
        return topics.stream()
                .mapToLong(topic -> topic.sent - topic.undelivered)
                .toArray();
    }

    /**
     * Where the publisher stands. Immutable.
     *
     * @param sent messages handed to the sockets
     * @param answered publishes answered
     * @param shed publishes that the gateway took and shed
     * @param refused publishes that it refused
     * @param completed messages that every subscriber has
     * @param overdue messages that are due, but withheld since too many are undelivered
     */
    record Progress(long sent, long answered, long shed, long refused, long completed, long overdue) {
        static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0);

        long accepted() {
            return sent - shed - refused;
        }

        boolean settled() {
            return answered == sent && completed == accepted();
        }
    }

    /** One topic's counts. */
    private static final class Topic {
        final byte[] head;
        final Outlet connection;
        final long[] floors;
        final LongRing due = new LongRing();
        long sent;
        long undelivered;
        long floor;

        Topic(byte[] head, Outlet connection, int loops) {
            this.head = head;
            this.connection = connection;
            this.floors = new long[loops];
        }
    }
}
