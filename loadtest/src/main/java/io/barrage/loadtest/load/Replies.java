package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.measure.Descriptors;
import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Answer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A {@code replies} run: how long pings and subscribes wait for their answers while a topic is under load. Used by one thread,
 * which waits; the load has an event loop, those that ask another one, so that the first doesn't delay the second.
 */
public final class Replies {
    private static final String QUIET_PREFIX = "{\"type\":\"message\",";

    private final RepliesPlan plan;
    private final ProgressLine progressLine;
    private final String topic = Topics.fresh();
    private final Loops loadLoops;
    private final Loops askLoops;
    private final Load load;
    private final Questions questions;

    private Replies(RepliesPlan plan, ProgressLine progressLine, Loops loadLoops, Loops askLoops) {
        this.plan = plan;
        this.progressLine = progressLine;
        this.loadLoops = loadLoops;
        this.askLoops = askLoops;
        this.load = new Load(loadLoops.loop(0));
        this.questions = new Questions(askLoops.loop(0));
    }

    /**
     * Runs it to its end.
     *
     * @throws LoadException if there is nothing to report: no connection, or a publisher that lost its own
     * @throws IllegalArgumentException if this process, or the server's, can't hold so many connections
     */
    public static RepliesResult run(RepliesPlan plan, ProgressLine progressLine)
            throws LoadException, InterruptedException {
        Descriptors.require((long) plan.subscribers() + plan.askers() + 1, plan.pid());
        try (Loops loadLoops = new Loops(1);
                Loops askLoops = new Loops(1)) {
            return new Replies(plan, progressLine, loadLoops, askLoops).run();
        } finally {
            progressLine.end();
        }
    }

    private RepliesResult run() throws LoadException, InterruptedException {
        load.connect();
        Crowd.connect(loadLoops, load.subscribers, plan.connectTimeout());
        Crowd.connect(askLoops, questions.askers, plan.connectTimeout());
        long start = System.nanoTime();
        long from = start + plan.warmup().toNanos();
        long until = from + plan.duration().toNanos();
        loadLoops.tell(0, () -> load.start(start));
        askLoops.tell(0, () -> questions.start(start, from, until));
        hold(from, "warm-up");
        Reading before = read();
        hold(until, "measuring");
        Reading after = read();
        long deadline = System.nanoTime() + plan.patience().toNanos();
        while (System.nanoTime() - deadline < 0 && !askLoops.ask(0, questions::settled)) {
            load.failure.pause(progressLine.pause().toNanos() / 10);
        }
        loadLoops.tell(0, load::stop);
        RepliesResult result = askLoops.ask(0, () -> sumUp(before, after));
        askLoops.tell(0, () -> questions.askers.forEach(Subscriber::close));
        loadLoops.tell(0, load::close);
        return result;
    }

    private void hold(long atNanos, String phase) throws LoadException, InterruptedException {
        long now = System.nanoTime();
        while (now - atNanos < 0) {
            load.failure.pause(Math.min(atNanos - now, progressLine.pause().toNanos()));
            now = System.nanoTime();
            double left = Math.max(0, (atNanos - now) / 1e9);
            long deliveries = loadLoops.ask(0, () -> load.received.messages);
            progressLine.show(
                    now,
                    askLoops.ask(
                            0,
                            () -> String.format(
                                    Locale.ROOT,
                                    "%s: %,d deliveries, %,d questions, %,d wait for their answer, %.0f s left",
                                    phase,
                                    deliveries,
                                    questions.asked,
                                    questions.waiting(),
                                    left)));
        }
    }

    /** All gauges at one moment. */
    private record Reading(Gauges load, Gauges ask, long deliveries, long accepted) {}

    private Reading read() throws LoadException, InterruptedException {
        long[] counts = loadLoops.ask(0, () -> new long[] {load.received.messages, load.accepted});
        return new Reading(
                Gauges.read(loadLoops, plan.pid(), false),
                Gauges.read(askLoops, plan.pid(), false),
                counts[0],
                counts[1]);
    }

    private RepliesResult sumUp(Reading before, Reading after) {
        double seconds = after.load.secondsSince(before.load);
        LatencySummary late = LatencySummary.of(questions.lateNanos);
        FanoutResult.Generator asking = after.ask.generatorSince(before.ask, questions.lag.summary());
        List<String> notes = new ArrayList<>(asking.disturbances());
        if (after.load.busiestLoopSince(before.load) >= FanoutResult.MAX_LOOP_BUSY) {
            notes.add("the load's loop was busy all the time: the gateway could have been loaded more");
        }
        // Answers are taken by a loop of their own, so only that one can spoil them.
        List<String> invalid = asking.limits(late, 0);
        Map<String, Integer> lost = new TreeMap<>(questions.lost);
        load.lost.forEach((why, count) -> lost.merge(why, count, Integer::sum));
        return new RepliesResult(
                plan.target().name(),
                plan.inWords(),
                seconds,
                LatencySummary.of(questions.pingNanos),
                LatencySummary.of(questions.subscribeNanos),
                questions.waiting(),
                new TreeMap<>(questions.errors),
                (after.deliveries - before.deliveries) / seconds,
                (after.accepted - before.accepted) / seconds,
                load.refused,
                lost,
                after.load.serverCoresSince(before.load),
                after.load.busiestLoopSince(before.load),
                asking,
                late,
                invalid,
                notes);
    }

    /** The topic under load: its subscribers and its publisher. Confined to its event loop, but for the waiting. */
    private final class Load implements PublishConnection.Listener {
        private static final int MAX_UNANSWERED = 10_000;

        // any thread
        private final EventLoop loop;
        private final RunFailure failure = new RunFailure();
        // loop only; the last two are read when it has stopped
        private final ReceiveCounters received = new ReceiveCounters();
        private final List<Subscriber> subscribers = new ArrayList<>();
        private final PublishConnection connection = new PublishConnection(plan.target(), this);
        private final byte[] head = plan.target().publishHead(topic, plan.bytes());
        private final byte[] tail = plan.target().publishTail();
        private final Stamp stamp = new Stamp(plan.bytes());
        private final Schedule schedule = Schedule.steady(plan.rate().orElse(1), 1);
        private final Map<String, Integer> lost = new TreeMap<>();
        private long startNanos;
        private boolean running;
        private long sent;
        private long accepted;
        private long notAccepted;
        private volatile long refused;

        Load(EventLoop loop) {
            this.loop = loop;
            for (int i = 0; i < plan.subscribers(); i++) {
                subscribers.add(new Audience());
            }
        }

        void connect() throws LoadException, InterruptedException {
            loadLoops.connect(0, plan.target().backend(), false, connection.handlers());
            failure.awaitConnected(connection.ready(), plan.connectTimeout());
        }

        void start(long atNanos) {
            assert loop.inEventLoop();
            startNanos = atNanos;
            running = true;
            pump();
        }

        void stop() {
            running = false;
        }

        void close() {
            connection.close();
            subscribers.forEach(Subscriber::close);
        }

        @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
        private void pump() {
            long before = sent;
            long now = System.nanoTime();
            while (running && mayPublish(now)) {
                connection.publish(new Publication(0, sent, now, now), head, stamp.write(now, sent), tail);
                sent++;
            }
            if (sent > before) {
                connection.flush();
            }
            if (running && plan.rate().isPresent()) {
                long due = startNanos + schedule.dueNanos(sent);
                loop.schedule(this::pump, Math.max(due - now, 1_000_000), TimeUnit.NANOSECONDS);
            }
        }

        private boolean mayPublish(long now) {
            if (plan.rate().isPresent()) {
                return startNanos + schedule.dueNanos(sent) - now <= 0 && connection.unanswered() < MAX_UNANSWERED;
            }
            long delivered = received.messages / plan.subscribers();
            return sent - notAccepted - delivered < plan.window();
        }

        @Override
        public void onAnswer(Publication publication, Answer answer, String detail) {
            if (answer.verdict() == Answer.Verdict.ACCEPTED) {
                accepted++;
            } else {
                notAccepted++;
                refused = notAccepted;
            }
        }

        @Override
        public void onBroken(int unanswered, String why) {
            failure.tellBroken(unanswered, why);
        }

        /** One of those under load. Confined to its event loop. */
        private final class Audience extends Subscriber {
            Audience() {
                super(plan.target(), topic, false, received);
            }

            @Override
            void onDelivered(int messages) {
                if (plan.rate().isEmpty()) {
                    pump();
                }
            }

            @Override
            void onNotice(String text) {}

            @Override
            public void onMessage(ByteBuf payload, int index, int length) {}

            @Override
            void onClosed(String why) {
                lost.merge(why, 1, Integer::sum);
            }
        }
    }

    /** Those that ask, in turn, at a rate. Confined to its event loop. */
    private final class Questions {
        private final EventLoop loop;
        private final ReceiveCounters received = new ReceiveCounters();
        private final List<Asker> askers = new ArrayList<>();
        private final Histogram pingNanos = LatencySummary.histogram();
        private final Histogram subscribeNanos = LatencySummary.histogram();
        private final Histogram lateNanos = LatencySummary.histogram();
        private final LoopLag lag;
        private final Schedule schedule = Schedule.steady(plan.askRate(), 1);
        private final Map<String, Integer> errors = new TreeMap<>();
        private final Map<String, Integer> lost = new TreeMap<>();
        private long startNanos;
        private long fromNanos;
        private long untilNanos;
        private long asked;
        private long pings;
        private long subscribes;
        private int nextAsker;

        Questions(EventLoop loop) {
            this.loop = loop;
            this.lag = new LoopLag(loop);
            for (int i = 0; i < plan.askers(); i++) {
                askers.add(new Asker());
            }
        }

        void start(long atNanos, long fromNanos, long untilNanos) {
            assert loop.inEventLoop();
            startNanos = atNanos;
            this.fromNanos = fromNanos;
            this.untilNanos = untilNanos;
            lag.watch(fromNanos, untilNanos);
            ask();
        }

        /** Asks what is due. A subscribe that nobody is free for stays due, and waits on its own account. */
        @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
        private void ask() {
            long now = System.nanoTime();
            for (long due = due(pings); due - now <= 0 && due - untilNanos < 0; due = due(pings)) {
                if (due - fromNanos >= 0) {
                    LatencySummary.record(lateNanos, now - due);
                }
                askers.get((int) (pings % askers.size())).ask("ping", "", due);
                pings++;
            }
            for (long due = due(subscribes); due - now <= 0 && due - untilNanos < 0; due = due(subscribes)) {
                Asker asker = nextFree();
                if (asker == null) {
                    break;
                }
                asker.subscribing = true;
                asker.ask("subscribe", ",\"topic\":\"" + topic + "\"", due);
                subscribes++;
            }
            long next = Math.min(due(pings) - now, due(subscribes) - now);
            if (!allAsked()) {
                loop.schedule(this::ask, Math.max(next, 1_000_000), TimeUnit.NANOSECONDS);
            }
        }

        private long due(long turn) {
            return startNanos + schedule.dueNanos(turn);
        }

        private @Nullable Asker nextFree() {
            for (int looked = 0; looked < askers.size(); looked++) {
                Asker asker = askers.get(nextAsker);
                nextAsker = (nextAsker + 1) % askers.size();
                if (!asker.subscribing) {
                    return asker;
                }
            }
            return null;
        }

        private boolean allAsked() {
            return due(pings) - untilNanos >= 0 && due(subscribes) - untilNanos >= 0;
        }

        boolean settled() {
            return allAsked() && waiting() == 0;
        }

        /** Questions that were due by now and have no answer. */
        int waiting() {
            int unsent = 0;
            long now = System.nanoTime();
            while (due(subscribes + unsent) - now < 0 && due(subscribes + unsent) - untilNanos < 0) {
                unsent++;
            }
            return unsent
                    + askers.stream().mapToInt(asker -> asker.dueOf.size()).sum();
        }

        private void answered(Histogram nanos, long due) {
            if (due - fromNanos >= 0) {
                LatencySummary.record(nanos, System.nanoTime() - due);
            }
        }

        /** One that asks; it leaves the topic as soon as it is on it. Confined to its event loop. */
        private final class Asker extends Subscriber {
            private final Map<Long, Long> dueOf = new HashMap<>();
            private boolean subscribing;

            Asker() {
                super(Doorstep.of(plan.target()), "", QUIET_PREFIX.getBytes(US_ASCII), false, received);
            }

            void ask(String type, String more, long due) {
                asked++;
                dueOf.put(asked, due);
                send(("{\"type\":\"" + type + "\",\"id\":" + asked + more + "}").getBytes(US_ASCII));
            }

            @Override
            void onNotice(String text) {
                boolean pong = text.startsWith("{\"type\":\"pong\"");
                boolean subscribed = text.startsWith("{\"type\":\"subscribed\"");
                boolean error = text.startsWith("{\"type\":\"error\"");
                if (!pong && !subscribed && !error) {
                    return; // a gap, or that it has left the topic
                }
                Long due = dueOf.remove(OffsetFrames.number(text, "id"));
                if (error || due == null) {
                    String what = text.replaceAll("\"id\":\\d+,", "");
                    errors.merge(what.length() > 200 ? what.substring(0, 200) : what, 1, Integer::sum);
                } else if (pong) {
                    answered(pingNanos, due);
                } else {
                    answered(subscribeNanos, due);
                    subscribing = false;
                    send(("{\"type\":\"unsubscribe\",\"topic\":\"" + topic + "\"}").getBytes(US_ASCII));
                }
            }

            @Override
            void onDelivered(int messages) {}

            @Override
            public void onMessage(ByteBuf payload, int index, int length) {}

            @Override
            void onClosed(String why) {
                lost.merge(why, 1, Integer::sum);
            }
        }
    }
}
