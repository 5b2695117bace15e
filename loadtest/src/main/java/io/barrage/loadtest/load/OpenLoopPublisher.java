package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.Target;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Publishes at a steady rate over one keep-alive connection, whatever the gateway does. Confined to its event loop, but for
 * {@link #connect}, {@link #pause} and {@link #settle}, which wait.
 */
final class OpenLoopPublisher implements PublishConnection.Listener {
    /** Makes the messages and learns what became of them. Called on the event loop. */
    interface Source {
        /** Publishes the message of this number, which is due at this time. */
        void publish(PublishConnection connection, Publication publication);

        void onAnswer(Publication publication, Answer answer);
    }

    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(30);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    // any thread
    private final EventLoop loop;
    private final Target target;
    private final RunFailure failure = new RunFailure();
    // loop only
    private final Source source;
    private final Schedule schedule;
    private final PublishConnection connection;
    private final Histogram lateNanos = LatencySummary.histogram();
    private final Histogram answerNanos = LatencySummary.histogram();
    private long startNanos;
    private long measureFromNanos;
    private long untilNanos;
    private boolean running;
    private long sent;
    private long answered;
    private long refused;
    private String firstRefusal = "";

    OpenLoopPublisher(EventLoop loop, Target target, double rate, Source source) {
        this.loop = loop;
        this.target = target;
        this.source = source;
        this.schedule = Schedule.steady(rate, 1);
        this.connection = new PublishConnection(target, this);
    }

    /** Any thread but the loop: waits until the connection stands. */
    void connect(Loops loops, Duration timeout) throws LoadException, InterruptedException {
        loops.connect(0, target.backend(), false, connection.handlers());
        failure.awaitConnected(connection.ready(), timeout);
    }

    /** Any thread but the loop: lets the time pass. @throws LoadException if the connection breaks meanwhile */
    void pause(long nanos) throws LoadException, InterruptedException {
        failure.pause(nanos);
    }

    /** Any thread but the loop: waits until every publish has its answer. */
    void settle(Loops loops) throws LoadException, InterruptedException {
        long deadline = System.nanoTime() + ANSWER_PATIENCE.toNanos();
        while (!loops.ask(0, () -> answered == sent)) {
            if (System.nanoTime() - deadline > 0) {
                throw new LoadException("publishes got no answer for " + ANSWER_PATIENCE.toSeconds() + " s");
            }
            pause(PAUSE_NANOS);
        }
    }

    /** Begins, and publishes what is due before {@code untilNanos}; latencies count from {@code measureFromNanos} on. */
    void start(long atNanos, long measureFromNanos, long untilNanos) {
        assert loop.inEventLoop();
        startNanos = atNanos;
        this.measureFromNanos = measureFromNanos;
        this.untilNanos = untilNanos;
        running = true;
        pump();
    }

    /** Publishes nothing more. */
    void stop() {
        assert loop.inEventLoop();
        running = false;
    }

    void close() {
        connection.close();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // runs on this loop, or the loop has ended and the run with it
    private void pump() {
        if (!running) {
            return;
        }
        long now = System.nanoTime();
        long due = startNanos + schedule.dueNanos(sent);
        while (due - now <= 0 && due - untilNanos < 0) {
            if (due - measureFromNanos >= 0) {
                LatencySummary.record(lateNanos, now - due);
            }
            source.publish(connection, new Publication(0, sent, due, now));
            sent++;
            due = startNanos + schedule.dueNanos(sent);
            now = System.nanoTime();
        }
        connection.flush();
        if (due - untilNanos < 0) {
            loop.schedule(this::pump, due - now, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void onAnswer(Publication publication, Answer answer, String detail) {
        answered++;
        if (publication.dueNanos() - measureFromNanos >= 0) {
            LatencySummary.record(answerNanos, System.nanoTime() - publication.dueNanos());
        }
        if (answer.verdict() == Answer.Verdict.REFUSED && refused++ == 0) {
            firstRefusal = detail;
        }
        source.onAnswer(publication, answer);
    }

    @Override
    public void onBroken(int unanswered, String why) {
        failure.tellBroken(unanswered, why);
    }

    long sent() {
        return sent;
    }

    long refused() {
        return refused;
    }

    /** What the gateway said to the first publish that it refused, or empty. */
    String firstRefusal() {
        return firstRefusal;
    }

    /** How long after its due time each message that counts was answered. */
    LatencySummary answers() {
        return LatencySummary.of(answerNanos);
    }

    /** How long after its due time each message that counts was sent. */
    LatencySummary late() {
        return LatencySummary.of(lateNanos);
    }

    Histogram lateNanos() {
        return lateNanos;
    }
}
