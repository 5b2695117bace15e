package io.barrage.loadtest.load;

import io.barrage.loadtest.load.FanoutPublisher.Progress;
import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.MachineUsage;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.measure.SelfUsage;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code fanout} run: topics x subscribers under one load, measured. Used by one thread, which waits while the event loops
 * work.
 */
public final class Fanout {
    private final FanoutPlan plan;
    private final ProgressLine progressLine;
    private final List<FanoutLoop> measured = new ArrayList<>();
    private final List<TopicSubscriber> subscribers = new ArrayList<>();
    private final List<Integer> topicOf = new ArrayList<>();

    private Fanout(FanoutPlan plan, ProgressLine progressLine) {
        this.plan = plan;
        this.progressLine = progressLine;
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a publisher that lost its own
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static FanoutResult run(FanoutPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require(plan.sockets(), plan.pid());
        Fanout fanout = new Fanout(plan, progressLine);
        try (Loops loops = new Loops(plan.threads())) {
            return fanout.run(loops);
        } finally {
            progressLine.end();
        }
    }

    /** What the generator's sockets run on. */
    public static String transport() {
        return Loops.transport();
    }

    private FanoutResult run(Loops loops) throws LoadException, InterruptedException {
        for (int i = 0; i < loops.size(); i++) {
            measured.add(new FanoutLoop(loops.loop(i)));
        }
        String run = Topics.fresh();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < plan.topics(); i++) {
            names.add(run + "." + i);
        }
        FanoutPublisher publisher = new FanoutPublisher(loops.loop(0), measured.get(0), plan, names, loops.size());
        makeSubscribers(loops.size(), names, publisher);
        Crowd.connect(loops, subscribers, plan.connectTimeout());
        // Last: a gateway may end a connection that sends no request while ten thousand subscribe.
        connectPublishers(loops, publisher);

        long start = System.nanoTime();
        long from = start + plan.warmup().toNanos();
        long until = from + plan.duration().toNanos();
        for (int i = 0; i < loops.size(); i++) {
            FanoutLoop loop = measured.get(i);
            loops.tell(i, () -> loop.measure(from, until));
        }
        loops.tell(0, () -> publisher.start(start));
        hold(loops, publisher, from, "warm-up");
        Reading before = read(loops, publisher);
        hold(loops, publisher, until, "measuring");
        Reading after = read(loops, publisher);
        long overdue = after.published.overdue();
        loops.tell(0, publisher::stop);
        drain(loops, publisher);
        FanoutResult result = sumUp(loops, publisher, before, after, overdue);
        closeAll(loops, publisher);
        return result;
    }

    private void makeSubscribers(int loops, List<String> names, FanoutPublisher publisher) {
        int samples = plan.samples();
        for (int topic = 0; topic < plan.topics(); topic++) {
            TopicPart[] parts = new TopicPart[loops];
            for (int i = 0; i < plan.subscribersPerTopic(); i++) {
                // Crowd connects by index, so a topic's first subscriber may sit on any loop; parts are by that loop.
                int loop = subscribers.size() % loops;
                TopicPart part = parts[loop];
                if (part == null) {
                    part = new TopicPart(topic, loop, measured.get(loop), publisher);
                    parts[loop] = part;
                }
                // Evenly over the order of joining: gateways walk their subscribers in an order, the first gets it
                // earlier.
                boolean sampled = (long) (i + 1) * samples / plan.subscribersPerTopic()
                        > (long) i * samples / plan.subscribersPerTopic();
                subscribers.add(new TopicSubscriber(plan.target(), names.get(topic), sampled, !plan.spread(), part));
                topicOf.add(topic);
            }
            publisher.expectFloors(
                    topic, Arrays.stream(parts).map(part -> part != null).toList());
        }
    }

    private void connectPublishers(Loops loops, FanoutPublisher publisher) throws LoadException, InterruptedException {
        for (Outlet connection : publisher.connections()) {
            loops.connect(0, plan.target().backend(), false, connection.handlers());
        }
        publisher
                .failure()
                .awaitConnected(
                        CompletableFuture.allOf(publisher.connections().stream()
                                .map(Outlet::ready)
                                .toArray(CompletableFuture<?>[]::new)),
                        plan.connectTimeout());
    }

    /** Waits until a moment, shows progress, and gives up if nothing moves. */
    private void hold(Loops loops, FanoutPublisher publisher, long untilNanos, String phase)
            throws LoadException, InterruptedException {
        Watch watch = new Watch();
        long now = System.nanoTime();
        while (now - untilNanos < 0) {
            publisher
                    .failure()
                    .pause(Math.min(untilNanos - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            Progress progress = loops.ask(0, publisher::progress);
            if (watch.stuck(progress, now)) {
                throw new LoadException(stuckMessage(loops, progress));
            }
            progressLine.show(now, line(phase, progress, untilNanos - now));
        }
    }

    private void drain(Loops loops, FanoutPublisher publisher) throws LoadException, InterruptedException {
        Watch watch = new Watch();
        Progress progress = loops.ask(0, publisher::progress);
        while (!progress.settled()) {
            publisher.failure().pause(progressLine.pause().toNanos());
            progress = loops.ask(0, publisher::progress);
            long now = System.nanoTime();
            if (watch.stuck(progress, now)) {
                return; // what is missing now counts as lost
            }
            progressLine.show(now, line("draining", progress, 0));
        }
    }

    private String stuckMessage(Loops loops, Progress progress) throws InterruptedException {
        int closed = 0;
        String why = "";
        for (int i = 0; i < loops.size(); i++) {
            FanoutLoop loop = measured.get(i);
            closed += loops.ask(i, () -> loop.closedSubscribers);
            String first = loops.ask(i, () -> loop.firstClose + loop.firstNotice);
            why = why.isEmpty() ? first : why;
        }
        return "nothing moved for " + plan.patience().toSeconds() + " s: " + progress.sent() + " published, "
                + progress.answered() + " answered, " + progress.completed() + " delivered to everybody, " + closed
                + " subscribers closed" + (why.isEmpty() ? "" : " (" + why + ")");
    }

    private String line(String phase, Progress progress, long leftNanos) {
        return String.format(
                Locale.ROOT,
                "%s %s: %,d published, %,d delivered to everybody, %d refused, %.0f s left",
                plan.target().name(),
                phase,
                progress.sent(),
                progress.completed(),
                progress.refused(),
                Math.max(0, leftNanos / 1e9));
    }

    /** Notices when a run that should move doesn't. */
    private final class Watch {
        private Progress last = Progress.NONE;
        private long lastNanos = System.nanoTime();

        boolean stuck(Progress now, long nowNanos) {
            if (now.settled() || now.completed() != last.completed() || now.answered() != last.answered()) {
                last = now;
                lastNanos = nowNanos;
            }
            return nowNanos - lastNanos > plan.patience().toNanos();
        }
    }

    /** All gauges at one moment. */
    private record Reading(ReceiveCounters.Snapshot received, Progress published, Gauges gauges) {}

    /** Reads all gauges in one task of the first loop, so that deliveries and CPU time are of the same moment. */
    private Reading read(Loops loops, FanoutPublisher publisher) throws LoadException, InterruptedException {
        List<ReceiveCounters.Snapshot> received = new ArrayList<>();
        List<Long> loopCpu = new ArrayList<>();
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (int i = 1; i < loops.size(); i++) {
            FanoutLoop loop = measured.get(i);
            received.add(loops.ask(i, loop.received::snapshot));
            loopCpu.add(loops.ask(i, threads::getCurrentThreadCpuTime));
        }
        try {
            return loops.ask(0, () -> {
                long nanos = System.nanoTime();
                received.add(measured.get(0).received.snapshot());
                loopCpu.add(0, threads.getCurrentThreadCpuTime());
                return new Reading(
                        received.stream().reduce(ReceiveCounters.Snapshot.ZERO, ReceiveCounters.Snapshot::plus),
                        publisher.progress(),
                        new Gauges(
                                nanos,
                                Gauges.server(plan.pid(), plan.pidTree()),
                                SelfUsage.cpuSeconds(),
                                loopCpu,
                                MachineUsage.now()));
            });
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof LoadException noServer) {
                throw noServer;
            }
            throw e;
        }
    }

    private FanoutResult sumUp(Loops loops, FanoutPublisher publisher, Reading before, Reading after, long overdue)
            throws InterruptedException {
        double seconds = after.gauges.secondsSince(before.gauges);
        ReceiveCounters.Snapshot received = after.received.minus(before.received);
        Histogram sampled = LatencySummary.histogram();
        Histogram lag = LatencySummary.histogram();
        Tally tally = new Tally();
        for (int i = 0; i < loops.size(); i++) {
            FanoutLoop loop = measured.get(i);
            loops.tell(i, () -> {
                sampled.add(loop.sampledNanos);
                lag.add(loop.lag.nanos());
                tally.add(loop);
            });
        }
        FanoutResult.Totals totals = totals(loops, publisher, tally);

        FanoutResult.Generator generator = after.gauges.generatorSince(before.gauges, LatencySummary.of(lag));
        FanoutResult.@Nullable Server server = null;
        ProcessUsage used = after.gauges.server();
        if (used != null) {
            double cpu = after.gauges.serverCpuSince(before.gauges);
            server = new FanoutResult.Server(
                    cpu, cpu / seconds, cpu > 0 ? received.messages() / cpu : 0, used.rssBytes(), used.peakRssBytes());
        }
        LatencySummary late = LatencySummary.of(publisher.lateNanos());
        List<String> notes = new ArrayList<>(tally.notes(publisher.firstRefusal()));
        if (plan.spread()) {
            notes.add("each topic was published to over " + plan.connections()
                    + " connections, so order and repeats were not looked at");
        }
        notes.addAll(Gauges.uncounted(plan.pid(), plan.pidTree()));
        notes.addAll(generator.disturbances());
        List<String> invalid = new ArrayList<>(generator.limits(late, overdue));
        if (tally.unreadable > 0) {
            invalid.add(tally.unreadable + " sampled messages carried no readable stamp");
        }
        return new FanoutResult(
                plan.target().name(),
                plan.inWords(),
                seconds,
                (after.published.sent() - before.published.sent()) / seconds,
                received.messages() / seconds,
                received.reads() == 0 ? 0 : (double) received.messages() / received.reads(),
                received.reads() == 0 ? 0 : (double) received.bytes() / received.reads(),
                received.messages() == 0 ? 0 : (double) received.bytes() / received.messages(),
                server,
                generator,
                totals,
                LatencySummary.of(sampled),
                LatencySummary.of(publisher.completeNanos()),
                LatencySummary.of(publisher.answerNanos()),
                late,
                List.copyOf(invalid),
                List.copyOf(notes));
    }

    private FanoutResult.Totals totals(Loops loops, FanoutPublisher publisher, Tally tally)
            throws InterruptedException {
        long[] accepted = loops.ask(0, publisher::accepted);
        for (int i = 0; i < loops.size(); i++) {
            int onLoop = i;
            loops.tell(i, () -> {
                for (int s = onLoop; s < subscribers.size(); s += loops.size()) {
                    tally.add(subscribers.get(s), accepted[topicOf.get(s)]);
                }
            });
        }
        Progress progress = loops.ask(0, publisher::progress);
        return new FanoutResult.Totals(
                progress.sent(),
                progress.shed(),
                progress.refused(),
                tally.expected,
                tally.delivered,
                tally.lost,
                tally.told,
                tally.excess,
                tally.repeated,
                tally.disordered);
    }

    private void closeAll(Loops loops, FanoutPublisher publisher) throws InterruptedException {
        loops.tell(0, () -> publisher.connections().forEach(Outlet::close));
        for (int i = 0; i < loops.size(); i++) {
            int onLoop = i;
            loops.tell(i, () -> {
                for (int s = onLoop; s < subscribers.size(); s += loops.size()) {
                    subscribers.get(s).close();
                }
            });
        }
    }

    /** Sums over loops and subscribers. Filled on one event loop after the other, with the driving thread waiting. */
    static final class Tally {
        long expected;
        long delivered;
        long lost;
        long told;
        long excess;
        long repeated;
        long disordered;
        long unreadable;
        private int closed;
        private String firstClose = "";
        private String firstNotice = "";

        void add(FanoutLoop loop) {
            repeated += loop.repeated;
            disordered += loop.disordered;
            unreadable += loop.unreadable;
            closed += loop.closedSubscribers;
            firstClose = firstClose.isEmpty() ? loop.firstClose : firstClose;
            firstNotice = firstNotice.isEmpty() ? loop.firstNotice : firstNotice;
        }

        void add(TopicSubscriber subscriber, long owed) {
            add(owed, subscriber.delivered(), subscriber.told());
        }

        /** A gap admits loss, it doesn't undo it; one that admits more than is missing admits only what is. */
        void add(long owed, long got, long admitted) {
            expected += owed;
            delivered += got;
            long missing = Math.max(0, owed - got);
            lost += missing;
            told += Math.min(missing, admitted);
            excess += Math.max(0, got - owed);
        }

        List<String> notes(String firstRefusal) {
            List<String> notes = new ArrayList<>();
            if (!firstRefusal.isEmpty()) {
                notes.add("first refused or shed publish: " + firstRefusal);
            }
            if (closed > 0) {
                notes.add(closed + " subscribers lost their connection, the first because " + firstClose);
            }
            if (!firstNotice.isEmpty()) {
                notes.add("frames that are no delivery came too, the first: " + firstNotice);
            }
            return notes;
        }
    }
}
