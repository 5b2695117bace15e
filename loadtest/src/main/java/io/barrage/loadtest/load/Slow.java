package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.ProgressLine;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code slow} run: some subscribers of a topic stop reading under load and go on later; each is held to an exact account.
 * Confined to its event loop, but for {@link #run}, whose thread waits.
 */
public final class Slow {
    private static final int SAMPLES = 100;

    // any thread
    private final SlowPlan plan;
    private final ProgressLine progressLine;
    private final Loops loops;
    // loop only
    private final List<Reader> readers = new ArrayList<>();
    private final OpenLoopPublisher publisher;
    private final ReceiveCounters received = new ReceiveCounters();
    private final Histogram calmNanos = LatencySummary.histogram();
    private final Histogram stallNanos = LatencySummary.histogram();
    private final AccountedStream stream;
    private final LoopLag lag;
    private long calmFrom = Long.MAX_VALUE;
    private long stallFrom = Long.MAX_VALUE;
    private long stallUntil = Long.MAX_VALUE;

    private Slow(SlowPlan plan, ProgressLine progressLine, Loops loops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loops = loops;
        String topic = Topics.fresh();
        this.stream = new AccountedStream(plan.target(), topic, plan.bytes());
        this.publisher = new OpenLoopPublisher(loops.loop(0), plan.target(), plan.rate(), stream);
        this.lag = new LoopLag(loops.loop(0));
        int sampleEvery = Math.max(1, (plan.subscribers() - plan.stalled()) / SAMPLES);
        int healthy = 0;
        for (int i = 0; i < plan.subscribers(); i++) {
            // Evenly over the order of joining, since gateways walk their subscribers in an order.
            boolean stalls = (long) (i + 1) * plan.stalled() / plan.subscribers()
                    > (long) i * plan.stalled() / plan.subscribers();
            boolean sampled = !stalls && healthy++ % sampleEvery == 0;
            readers.add(new Reader(topic, stalls, sampled));
        }
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a publisher that lost its own
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static SlowResult run(SlowPlan plan, ProgressLine progressLine) throws LoadException, InterruptedException {
        Descriptors.require(plan.subscribers() + 1L, plan.pid());
        // One loop: due times, stalls and receipts then share one thread, and no record needs a lock.
        try (Loops loops = new Loops(1)) {
            return new Slow(plan, progressLine, loops).run();
        } finally {
            progressLine.end();
        }
    }

    private SlowResult run() throws LoadException, InterruptedException {
        publisher.connect(loops, plan.connectTimeout());
        Crowd.connect(loops, readers, plan.connectTimeout());
        long rssStart = rss();
        long start = System.nanoTime();
        long calm = start + plan.warmup().toNanos();
        long stall = calm + plan.calm().toNanos();
        long end = stall + plan.stall().toNanos();
        loops.tell(0, () -> {
            calmFrom = calm;
            stallFrom = stall;
            stallUntil = end;
            lag.watch(calm, end);
            publisher.start(start, calm, end);
        });
        hold(calm, "warm-up");
        Gauges before = Gauges.read(loops, plan.pid(), false);
        hold(stall, "calm");
        long rssCalm = rss();
        loops.tell(0, () -> readers.stream().filter(reader -> reader.stalls).forEach(reader -> reader.read(false)));
        long rssStall = hold(end, "stall");
        Gauges after = Gauges.read(loops, plan.pid(), false);
        loops.tell(0, publisher::stop);
        publisher.settle(loops);
        loops.tell(0, () -> readers.stream().filter(reader -> reader.stalls).forEach(reader -> reader.read(true)));
        resume();
        long rssEnd = rss();
        return loops.ask(
                0,
                () -> finish(
                        plan.pid().isPresent() ? new SlowResult.Rss(rssStart, rssCalm, rssStall, rssEnd) : null,
                        before,
                        after));
    }

    private long rss() throws LoadException {
        ProcessUsage server = Gauges.server(plan.pid(), false);
        return server == null ? 0 : server.rssBytes();
    }

    /** Waits until a moment, shows progress; returns the most memory that the server had meanwhile. */
    private long hold(long untilNanos, String phase) throws LoadException, InterruptedException {
        long highest = rss();
        long now = System.nanoTime();
        while (now - untilNanos < 0) {
            publisher.pause(Math.min(untilNanos - now, progressLine.pause().toNanos()));
            highest = Math.max(highest, rss());
            now = System.nanoTime();
            progressLine.show(now, line(phase, untilNanos - now));
        }
        return highest;
    }

    private String line(String phase, long leftNanos) throws InterruptedException {
        return loops.ask(
                0,
                () -> String.format(
                        Locale.ROOT,
                        "%s: %,d published, %,d deliveries, %.0f s left",
                        phase,
                        stream.accepted(),
                        received.messages,
                        Math.max(0, leftNanos / 1e9)));
    }

    private void resume() throws LoadException, InterruptedException {
        long deadline = System.nanoTime() + plan.resume().toNanos();
        long now = System.nanoTime();
        while (now - deadline < 0 && !loops.ask(0, () -> readers.stream().allMatch(Reader::over))) {
            publisher.pause(Math.min(deadline - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            progressLine.show(now, line("resume", deadline - now));
        }
    }

    // ---- on the loop from here on

    private SlowResult finish(SlowResult.@Nullable Rss rss, Gauges before, Gauges after) {
        FanoutResult.Generator generator = after.generatorSince(before, lag.summary());
        List<String> notes = new ArrayList<>();
        if (!publisher.firstRefusal().isEmpty()) {
            notes.add("first refused publish: " + publisher.firstRefusal());
        }
        readers.stream()
                .filter(reader -> reader.verdict() == Verdict.INEXACT)
                .findFirst()
                .ifPresent(
                        reader -> notes.add("first inexact: " + reader.account().objection(stream.lastOffset())));
        notes.addAll(generator.disturbances());
        SlowResult result = new SlowResult(
                plan.target().name(),
                plan.inWords(),
                stream.accepted(),
                publisher.refused(),
                LatencySummary.of(calmNanos),
                LatencySummary.of(stallNanos),
                publisher.late(),
                after.serverCoresSince(before),
                rss,
                accounts(reader -> !reader.stalls),
                accounts(reader -> reader.stalls),
                generator,
                generator.limits(publisher.late(), 0),
                notes);
        publisher.close();
        readers.forEach(Subscriber::close);
        return result;
    }

    private SlowResult.Accounts accounts(Predicate<Reader> which) {
        int[] verdicts = new int[Verdict.values().length];
        Map<String, Integer> closedBy = new TreeMap<>();
        int count = 0;
        long delivered = 0;
        long missed = 0;
        long gaps = 0;
        for (Reader reader : readers) {
            if (which.test(reader)) {
                count++;
                verdicts[reader.verdict().ordinal()]++;
                delivered += reader.account().delivered();
                missed += reader.account().missed();
                gaps += reader.account().gaps();
                if (reader.verdict() == Verdict.CLOSED) {
                    closedBy.merge(reader.closed, 1, Integer::sum);
                }
            }
        }
        return new SlowResult.Accounts(
                count,
                verdicts[Verdict.COMPLETE.ordinal()],
                verdicts[Verdict.WITH_GAPS.ordinal()],
                verdicts[Verdict.CLOSED.ordinal()],
                closedBy,
                verdicts[Verdict.INEXACT.ordinal()],
                delivered,
                missed,
                gaps);
    }

    private enum Verdict {
        COMPLETE,
        WITH_GAPS,
        CLOSED,
        INEXACT
    }

    /** One of the topic's subscribers. Confined to the run's event loop. */
    private final class Reader extends AccountedSubscriber {
        private static final String CLOSED_WITH = "the gateway closed with ";

        private final boolean stalls;
        private String closed = "";

        Reader(String topic, boolean stalls, boolean sampled) {
            super(plan.target(), topic, sampled, received);
            this.stalls = stalls;
        }

        /** Before the connection is made: a receive buffer that is set later may be ignored. */
        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            if (stalls) {
                ctx.channel().config().setOption(ChannelOption.SO_RCVBUF, plan.receiveBuffer());
            }
        }

        @Override
        void onSample(long due) {
            if (due - calmFrom >= 0 && due - stallUntil < 0) {
                LatencySummary.record(due - stallFrom < 0 ? calmNanos : stallNanos, System.nanoTime() - due);
            }
        }

        @Override
        void onClosed(String why) {
            closed = why.startsWith(CLOSED_WITH)
                    ? why.substring(CLOSED_WITH.length()).split(" ", 2)[0]
                    : "no code";
        }

        boolean over() {
            return !closed.isEmpty() || account().reached(stream.lastOffset());
        }

        Verdict verdict() {
            if (!account().exact()) {
                return Verdict.INEXACT;
            } else if (account().reached(stream.lastOffset())) {
                return account().gaps() == 0 ? Verdict.COMPLETE : Verdict.WITH_GAPS;
            } else {
                return closed.isEmpty() ? Verdict.INEXACT : Verdict.CLOSED;
            }
        }
    }
}
