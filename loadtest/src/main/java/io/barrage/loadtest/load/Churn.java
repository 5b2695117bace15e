package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code churn} run: some subscribers of a topic leave and come back all the time, under a stream of messages; each
 * subscription is held to an exact account. Confined to its event loop, but for {@link #run}, whose thread waits.
 */
public final class Churn {
    private static final int SAMPLES = 100;

    // any thread
    private final ChurnPlan plan;
    private final ProgressLine progressLine;
    private final Loops loops;
    // loop only
    private final String topic = Topics.fresh();
    private final ReceiveCounters received = new ReceiveCounters();
    private final List<Member> stayers = new ArrayList<>();
    private final List<Member> churners = new ArrayList<>();
    private final OpenLoopPublisher publisher;
    private final Handshakes handshakes;
    private final Schedule leaving;
    private final Histogram deliveryNanos = LatencySummary.histogram();
    private final Map<String, Integer> lost = new TreeMap<>();
    private final Accounts gone = new Accounts();
    private final AccountedStream stream;
    private final LoopLag lag;
    private long startNanos;
    private long measureFromNanos = Long.MAX_VALUE;
    private long untilNanos = Long.MAX_VALUE;
    private long turns;
    private int nextChurner;
    private long left;
    private long reset;
    private double resetDebt;
    private long comings;
    private String firstInexact = "";

    private Churn(ChurnPlan plan, ProgressLine progressLine, Loops loops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loops = loops;
        this.stream = new AccountedStream(plan.target(), topic, plan.bytes());
        this.publisher = new OpenLoopPublisher(loops.loop(0), plan.target(), plan.publishRate(), stream);
        this.handshakes = new Handshakes(loops);
        this.lag = new LoopLag(loops.loop(0));
        this.leaving = Schedule.steady(plan.rate(), 1);
        int sampleEvery = Math.max(1, (plan.connections() - plan.churning()) / SAMPLES);
        for (int i = 0; i < plan.connections(); i++) {
            // Evenly over the order of joining, since gateways walk their subscribers in an order.
            boolean churns = (long) (i + 1) * plan.churning() / plan.connections()
                    > (long) i * plan.churning() / plan.connections();
            if (churns) {
                churners.add(new Member(false));
            } else {
                stayers.add(new Member(stayers.size() % sampleEvery == 0));
            }
        }
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a publisher that lost its own
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static ChurnResult run(ChurnPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require(plan.connections() + 1L, plan.pid());
        // One loop: due times, departures and receipts then share one thread, and no record needs a lock.
        try (Loops loops = new Loops(1)) {
            return new Churn(plan, progressLine, loops).run();
        } finally {
            progressLine.end();
        }
    }

    private ChurnResult run() throws LoadException, InterruptedException {
        publisher.connect(loops, plan.connectTimeout());
        List<Member> all = new ArrayList<>(stayers);
        all.addAll(churners);
        Crowd.connect(loops, all, plan.connectTimeout());
        long start = System.nanoTime();
        long from = start + plan.warmup().toNanos();
        long until = from + plan.duration().toNanos();
        loops.tell(0, () -> {
            startNanos = start;
            measureFromNanos = from;
            untilNanos = until;
            lag.watch(from, until);
            publisher.start(start, from, until);
            churn();
        });
        hold(from, "warm-up");
        Gauges before = Gauges.read(loops, plan.pid(), false);
        hold(until, "measuring");
        Gauges after = Gauges.read(loops, plan.pid(), false);
        loops.tell(0, publisher::stop);
        publisher.settle(loops);
        settle();
        ProcessUsage end = Gauges.server(plan.pid(), false);
        return loops.ask(0, () -> finish(before, after, end));
    }

    private void hold(long atNanos, String phase) throws LoadException, InterruptedException {
        long now = System.nanoTime();
        while (now - atNanos < 0) {
            publisher.pause(Math.min(atNanos - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            double seconds = Math.max(0, (atNanos - now) / 1e9);
            progressLine.show(now, loops.ask(0, () -> line(phase, seconds)));
        }
    }

    /** Waits for the last messages and handshakes. */
    private void settle() throws LoadException, InterruptedException {
        long deadline = System.nanoTime() + plan.patience().toNanos();
        while (System.nanoTime() - deadline < 0
                && !loops.ask(
                        0,
                        () -> handshakes.inProgress() == 0
                                && stayers.stream().allMatch(Member::over)
                                && churners.stream().allMatch(Member::over))) {
            publisher.pause(progressLine.pause().toNanos() / 10);
            progressLine.show(System.nanoTime(), loops.ask(0, () -> line("settling", 0)));
        }
    }

    // ---- on the loop from here on

    private String line(String phase, double secondsLeft) {
        return String.format(
                Locale.ROOT,
                "%s: %,d published, %,d deliveries, %,d left, %,d came back, %,d failed, %.0f s left",
                phase,
                stream.accepted(),
                received.messages,
                left + reset,
                handshakes.opened(),
                handshakes.failed(),
                secondsLeft);
    }

    /** Lets those go that are due. */
    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void churn() {
        long now = System.nanoTime();
        long due = startNanos + leaving.dueNanos(turns);
        while (due - now <= 0 && due - untilNanos < 0 && turn(due)) {
            turns++;
            due = startNanos + leaving.dueNanos(turns);
            now = System.nanoTime();
        }
        if (due - untilNanos < 0 && now - untilNanos < 0) {
            // If nobody stands who could leave, somebody may a millisecond from now; the due time remains.
            loops.loop(0).schedule(this::churn, Math.max(due - now, 1_000_000), TimeUnit.NANOSECONDS);
        }
    }

    /** One leaves and comes back; false if nobody stands who could. */
    private boolean turn(long due) {
        for (int looked = 0; looked < churners.size(); looked++) {
            int slot = nextChurner;
            nextChurner = (nextChurner + 1) % churners.size();
            Member leaver = churners.get(slot);
            if (leaver.ready().isDone()) {
                leave(leaver);
                Member comer = new Member(false);
                churners.set(slot, comer);
                boolean counts = due - measureFromNanos >= 0;
                handshakes.open(comer, due, counts, () -> {
                    if (counts && System.nanoTime() - untilNanos < 0 && comer.connected()) {
                        comings++;
                    }
                });
                return true;
            }
        }
        return false;
    }

    private void leave(Member leaver) {
        if (leaver.connected()) {
            resetDebt += plan.resets();
            if (resetDebt >= 1) {
                resetDebt--;
                reset++;
                leaver.reset();
            } else {
                left++;
                leaver.leave();
            }
        }
        leaver.closeAccount();
        if (leaver.stood()) {
            gone.add(leaver, leaver.account().next() - 1);
        }
    }

    private ChurnResult finish(Gauges before, Gauges after, @Nullable ProcessUsage end) {
        Accounts stayed = new Accounts();
        stayers.forEach(member -> stayed.add(member, stream.lastOffset()));
        churners.stream().filter(Member::stood).forEach(member -> gone.add(member, stream.lastOffset()));
        double seconds = after.secondsSince(before);
        FanoutResult.Generator generator = after.generatorSince(before, lag.summary());
        long overdue = 0;
        while (leaving.dueNanos(turns + overdue) < untilNanos - startNanos) {
            overdue++;
        }
        Map<String, Integer> failures = handshakes.failures();
        if (handshakes.inProgress() > 0) {
            failures.put("no answer at the end", handshakes.inProgress());
        }
        ChurnResult.@Nullable Server server = null;
        if (before.server() != null && end != null) {
            server = new ChurnResult.Server(
                    after.serverCpuSince(before) / seconds,
                    before.server().rssBytes(),
                    end.rssBytes(),
                    end.rssBytes() - before.server().rssBytes(),
                    end.peakRssBytes());
        }
        List<String> notes = new ArrayList<>();
        if (!publisher.firstRefusal().isEmpty()) {
            notes.add("first refused publish: " + publisher.firstRefusal());
        }
        if (!firstInexact.isEmpty()) {
            notes.add("first inexact: " + firstInexact);
        }
        if (overdue > 0) {
            notes.add(
                    overdue + " departures were due when nobody of those that churn stood: handshakes take too long for"
                            + " this rate, or too few churn");
        }
        notes.addAll(generator.disturbances());
        ChurnResult result = new ChurnResult(
                plan.target().name(),
                plan.inWords(),
                seconds,
                comings / seconds,
                overdue,
                left,
                reset,
                failures,
                handshakes.latency(),
                LatencySummary.of(deliveryNanos),
                stream.accepted(),
                publisher.refused(),
                publisher.late(),
                stayed.sum(),
                gone.sum(),
                new TreeMap<>(lost),
                server,
                generator,
                generator.limits(publisher.late(), 0),
                notes);
        publisher.close();
        stayers.forEach(Subscriber::close);
        churners.forEach(Subscriber::close);
        return result;
    }

    /** Sums accounts. Confined to the run's event loop. */
    private final class Accounts {
        private int subscriptions;
        private long expected;
        private long delivered;
        private long told;
        private int inexact;

        /** @param owedTo the last offset that this subscription is owed */
        void add(Member member, long owedTo) {
            OffsetAccount account = member.account();
            subscriptions++;
            expected += Math.max(0, owedTo - member.position());
            delivered += account.delivered();
            told += account.missed();
            String objection = account.objection(owedTo);
            if (!objection.isEmpty()) {
                inexact++;
                firstInexact = firstInexact.isEmpty() ? objection : firstInexact;
            }
        }

        ChurnResult.Account sum() {
            return new ChurnResult.Account(
                    subscriptions, expected, delivered, Math.max(0, expected - delivered), told, inexact);
        }
    }

    /** One of the topic's subscribers. Confined to the run's event loop. */
    private final class Member extends AccountedSubscriber {
        private boolean closed;

        Member(boolean sampled) {
            super(plan.target(), topic, sampled, received);
        }

        @Override
        void onSample(long due) {
            if (due - measureFromNanos >= 0 && due - untilNanos < 0) {
                LatencySummary.record(deliveryNanos, System.nanoTime() - due);
            }
        }

        @Override
        void onClosed(String why) {
            closed = true;
            lost.merge(why, 1, Integer::sum);
        }

        boolean over() {
            return closed || !connected() || account().reached(stream.lastOffset());
        }
    }
}
