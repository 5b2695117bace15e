package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.measure.Stats;
import io.barrage.loadtest.target.Answer;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.HdrHistogram.Histogram;

/**
 * A {@code hot} run: a room is flooded over its budget, and every viewer's picture is compared with the others' and with the
 * publisher's answers. Confined to its event loop, but for {@link #run}, whose thread waits.
 */
public final class Hot {
    /** Hidden counts are told within a second; a busy machine may need some more. */
    private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(1500);

    private static final long SEED = 42;

    // any thread
    private final HotPlan plan;
    private final ProgressLine progressLine;
    private final Loops loops;
    // loop only
    private final List<Viewer> viewers = new ArrayList<>();
    private final ReceiveCounters received = new ReceiveCounters();
    private final Comments comments;
    private final Gifts gifts;
    private final OpenLoopPublisher commenting;
    private final OpenLoopPublisher giving;
    private final Shares shares;
    private final LoopLag lag;
    private long countFrom = Long.MAX_VALUE;
    private long countUntil = Long.MAX_VALUE;
    private long shownAfterWarmup;
    private long lastFrameNanos;
    private int closed;
    private String firstClose = "";
    private long gaps;

    private Hot(HotPlan plan, ProgressLine progressLine, Loops loops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loops = loops;
        String topic = Topics.fresh(plan.namespace());
        this.shares = new Shares(plan.senders());
        this.lag = new LoopLag(loops.loop(0));
        this.comments = new Comments(topic);
        this.gifts = new Gifts(topic);
        this.commenting = new OpenLoopPublisher(loops.loop(0), plan.target(), plan.rate(), comments);
        this.giving = new OpenLoopPublisher(loops.loop(0), plan.target(), plan.gifts(), gifts);
        for (int i = 0; i < plan.viewers(); i++) {
            viewers.add(new Viewer(topic));
        }
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a publisher that lost its own
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static HotResult run(HotPlan plan, ProgressLine progressLine) throws LoadException, InterruptedException {
        Descriptors.require(plan.viewers() + 2L, plan.pid());
        try (Loops loops = new Loops(1)) {
            return new Hot(plan, progressLine, loops).run();
        } finally {
            progressLine.end();
        }
    }

    private HotResult run() throws LoadException, InterruptedException {
        commenting.connect(loops, plan.connectTimeout());
        giving.connect(loops, plan.connectTimeout());
        Crowd.connect(loops, viewers, plan.connectTimeout());
        long start = System.nanoTime();
        long from = start + plan.warmup().toNanos();
        long end = start + plan.duration().toNanos();
        loops.tell(0, () -> {
            countFrom = from;
            countUntil = end;
            lastFrameNanos = start;
            lag.watch(from, end);
            commenting.start(start, from, end);
            giving.start(start, from, end);
        });
        hold(from);
        Gauges before = Gauges.read(loops, plan.pid(), false);
        hold(end);
        Gauges after = Gauges.read(loops, plan.pid(), false);
        loops.tell(0, () -> {
            commenting.stop();
            giving.stop();
        });
        commenting.settle(loops);
        giving.settle(loops);
        long settled = System.nanoTime();
        while (System.nanoTime() - Math.max(settled, loops.ask(0, () -> lastFrameNanos)) < QUIET_NANOS) {
            commenting.pause(progressLine.pause().toNanos());
        }
        return loops.ask(0, () -> finish(before, after));
    }

    private void hold(long untilNanos) throws LoadException, InterruptedException {
        long now = System.nanoTime();
        while (now - untilNanos < 0) {
            commenting.pause(Math.min(untilNanos - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            progressLine.show(now, loops.ask(0, this::progress));
        }
    }

    // ---- on the loop from here on

    private String progress() {
        return String.format(
                Locale.ROOT,
                "hot: %,d published, %,d shown, %,d hidden, %,d deliveries",
                commenting.sent() + giving.sent(),
                comments.tally.shown + gifts.tally.shown,
                comments.tally.hidden + gifts.tally.hidden,
                received.messages);
    }

    private HotResult finish(Gauges before, Gauges after) {
        FanoutResult.Generator generator = after.generatorSince(before, lag.summary());
        List<String> notes = new ArrayList<>();
        Histogram lateNanos = LatencySummary.histogram();
        for (OpenLoopPublisher publisher : List.of(commenting, giving)) {
            if (!publisher.firstRefusal().isEmpty()) {
                notes.add("first refused publish: " + publisher.firstRefusal());
            }
            lateNanos.add(publisher.lateNanos());
            publisher.close();
        }
        LatencySummary late = LatencySummary.of(lateNanos);
        if (closed > 0) {
            notes.add(closed + " viewers lost their connection, the first because " + firstClose);
        }
        if (gaps > 0) {
            notes.add(gaps + " gaps told viewers of messages that they won't get");
        }
        notes.addAll(generator.disturbances());
        long shown = comments.tally.shown + gifts.tally.shown;
        long hidden = comments.tally.hidden + gifts.tally.hidden;
        double perSecond = shownAfterWarmup / ((countUntil - countFrom) / 1e9);
        HotResult result = new HotResult(
                plan.target().name(),
                plan.inWords(),
                comments.tally.sums(),
                gifts.tally.sums(),
                viewers.size(),
                (int) viewers.stream()
                        .mapToLong(viewer -> viewer.account.hash())
                        .distinct()
                        .count(),
                wrong(viewer -> viewer.account.messages() != shown),
                wrong(viewer -> viewer.account.critical() != gifts.tally.shown
                        || viewer.account.criticalOffsets() != gifts.offsets),
                wrong(viewer -> viewer.account.hidden() != hidden),
                closed,
                perSecond,
                perSecond / plan.budget(),
                senderShares(),
                commenting.answers(),
                late,
                after.serverCoresSince(before),
                generator,
                generator.limits(late, 0),
                notes);
        viewers.forEach(Subscriber::close);
        return result;
    }

    private int wrong(Predicate<Viewer> which) {
        return (int) viewers.stream().filter(which).count();
    }

    private HotResult.SenderShares senderShares() {
        double fair = shares.fairShare();
        long[] above = shares.shownOfThoseAbove(fair);
        return above.length == 0
                ? new HotResult.SenderShares(0, 0, 0, 0, 0)
                : new HotResult.SenderShares(
                        above.length,
                        fair,
                        above[0],
                        Stats.median(Arrays.stream(above).asDoubleStream()),
                        above[above.length - 1]);
    }

    private boolean afterWarmup(Publication publication) {
        return publication.dueNanos() - countFrom >= 0 && publication.dueNanos() - countUntil < 0;
    }

    /** One priority's answers. Confined to the run's event loop. */
    private final class Tally {
        private long offered;
        private long shown;
        private long hidden;
        private long refused;

        void add(Publication publication, Answer answer) {
            offered++;
            switch (answer.verdict()) {
                case ACCEPTED -> {
                    shown++;
                    if (afterWarmup(publication)) {
                        shownAfterWarmup++;
                    }
                }
                case SHED -> hidden++;
                case REFUSED -> refused++;
            }
        }

        HotResult.Counts sums() {
            return new HotResult.Counts(offered, shown, hidden, refused);
        }
    }

    /** The flood. Confined to the run's event loop. */
    private final class Comments implements OpenLoopPublisher.Source {
        private final Tally tally = new Tally();
        private final Random random = new Random(SEED); // the same people say as much in every run
        private final List<byte[]> heads = new ArrayList<>();
        private final List<Integer> senderOf = new ArrayList<>();
        private final Stamp stamp = new Stamp(plan.bytes());

        Comments(String topic) {
            for (int i = 1; i <= plan.senders(); i++) {
                heads.add(plan.target().publishHead(topic, ",\"sender\":\"u" + i + "\"", plan.bytes()));
            }
        }

        @Override
        public void publish(PublishConnection connection, Publication publication) {
            int sender = shares.senderOf(random.nextDouble());
            senderOf.add(sender);
            connection.publish(
                    publication,
                    heads.get(sender),
                    stamp.write(publication.dueNanos(), publication.sequence()),
                    plan.target().publishTail());
        }

        @Override
        public void onAnswer(Publication publication, Answer answer) {
            tally.add(publication, answer);
            if (afterWarmup(publication)) {
                shares.add(senderOf.get((int) publication.sequence()), answer.verdict() == Answer.Verdict.ACCEPTED);
            }
        }
    }

    /** What must be seen by all. Confined to the run's event loop. */
    private final class Gifts implements OpenLoopPublisher.Source {
        private final Tally tally = new Tally();
        private final Stamp stamp = new Stamp(plan.bytes());
        private final byte[] head;
        private long offsets;

        Gifts(String topic) {
            head = plan.target().publishHead(topic, ",\"priority\":\"critical\"", plan.bytes());
        }

        @Override
        public void publish(PublishConnection connection, Publication publication) {
            connection.publish(
                    publication,
                    head,
                    stamp.write(publication.dueNanos(), publication.sequence()),
                    plan.target().publishTail());
        }

        @Override
        public void onAnswer(Publication publication, Answer answer) {
            tally.add(publication, answer);
            if (answer.verdict() == Answer.Verdict.ACCEPTED) {
                offsets += ViewerAccount.spread(answer.offset());
            }
        }
    }

    /** A viewer of the room. Confined to the run's event loop. */
    private final class Viewer extends Subscriber {
        private static final String HIDDEN = "\"reason\":\"hidden\"";

        private final ViewerAccount account = new ViewerAccount();

        Viewer(String topic) {
            super(plan.target(), topic, true, received);
        }

        @Override
        public void onMessage(ByteBuf payload, int index, int length) {
            account.message(payload, index, length);
        }

        @Override
        void onDelivered(int messages) {
            lastFrameNanos = System.nanoTime();
        }

        @Override
        void onNotice(String text) {
            if (text.contains(HIDDEN)) {
                account.hidden(OffsetFrames.number(text, "count"));
                lastFrameNanos = System.nanoTime();
            } else if (target.gap(text) != null) {
                gaps++;
                lastFrameNanos = System.nanoTime();
            }
        }

        @Override
        void onClosed(String why) {
            if (closed++ == 0) {
                firstClose = why;
            }
        }
    }
}
