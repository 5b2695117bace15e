package io.barrage.client;

import io.barrage.protocol.ErrorCode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * One call: its attempts, one behind the other, until there is an answer, nothing more is safe, or its time is over.
 *
 * <p>Thread-safe. Its future is completed on a thread that is nobody else's: what a caller does then, and if it blocks, holds nobody
 * up. Answers are taken from the thread that reads them, since the JDK completes its own futures on the common pool, where the
 * program's other tasks may block; only that there is no answer is heard from there, or from the timer.
 */
final class Call<T> {
    /** The longest answer is a batch's. */
    private static final int MAX_ANSWER_BYTES = 8 << 20;

    /** With these the gateway says that nothing was done. A proxy's 503 may come from an answer that was lost. */
    private static final Set<String> NOT_NOW = Set.of(ErrorCode.OVERLOADED.wire(), ErrorCode.DRAINING.wire());

    private final Calls calls;
    private final String what;
    private final Request<T> request;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final long deadlineNanos;

    // under this
    private int attempts;
    private int gateway;
    /** How often it has turned to another gateway. */
    private int turns;
    /** Whether an attempt may have been carried out. */
    private boolean uncertain;

    private boolean ended;
    private @Nullable Attempt current;
    private @Nullable Throwable lastFailure;
    private @Nullable Future<?> deadline;
    private @Nullable Future<?> pause;

    /** @param what it does, for errors */
    Call(Calls calls, String what, Request<T> request) {
        this.calls = calls;
        this.what = what;
        this.request = request;
        this.gateway = calls.preferred();
        this.deadlineNanos = System.nanoTime() + calls.settings().deadline().toNanos();
    }

    CompletableFuture<T> start() {
        // A caller that cancels wants no more attempts.
        answer.whenComplete((ignored, failure) -> end());
        synchronized (this) {
            deadline = calls.schedule(this::expire, calls.settings().deadline().toNanos());
        }
        attempt();
        return answer;
    }

    private void attempt() {
        Attempt attempt;
        synchronized (this) {
            if (ended) {
                return;
            }
            attempts++;
            pause = null;
            attempt = new Attempt(calls.uri(gateway));
            current = attempt;
        }
        attempt.begin();
    }

    // ---------------------------------------------------------------- how it ends

    /** Ends it, unless it has ended; true if it hadn't. */
    private boolean end() {
        Attempt abandoned;
        synchronized (this) {
            if (ended) {
                return false;
            }
            ended = true;
            abandoned = current;
            cancel(deadline);
            cancel(pause);
        }
        if (abandoned != null) {
            abandoned.abandon();
        }
        calls.ended(this);
        return true;
    }

    private static void cancel(@Nullable Future<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private void succeed(T value) {
        if (end()) {
            complete(value);
        }
    }

    private void complete(T value) {
        calls.execute(() -> answer.complete(value));
    }

    private void fail(BarrageException reason) {
        if (end()) {
            completeExceptionally(reason);
        }
    }

    private void completeExceptionally(BarrageException reason) {
        BarrageException failure = request.failure(reason);
        calls.execute(() -> answer.completeExceptionally(failure));
    }

    private void expire() {
        giveUp("wasn't answered within " + calls.settings().deadline().toMillis() + " ms");
    }

    /** Gives it up, since the client is closed. */
    void closed() {
        giveUp("wasn't answered before the client was closed");
    }

    private void giveUp(String why) {
        if (!end()) {
            return;
        }
        Attempt last;
        boolean unknown;
        int made;
        Throwable cause;
        synchronized (this) {
            last = current;
            unknown = uncertain || (last != null && last.mayBeDone());
            made = attempts;
            cause = lastFailure;
        }
        T known = last == null ? null : last.readPart();
        if (known == null) {
            completeExceptionally(new BarrageException(
                    what + " " + why + ", in " + made + (made == 1 ? " attempt" : " attempts"), unknown, cause));
        } else {
            complete(known);
        }
    }

    // ---------------------------------------------------------------- whether it is tried again

    /**
     * What became of an attempt that brought no answer.
     *
     * @param repeat whether another attempt may do better
     * @param mayBeDone whether it may have been carried out
     * @param refused whether this gateway didn't take it, and another one may
     * @param retryAfterNanos how long to wait at least
     */
    private record Failure(boolean repeat, boolean mayBeDone, boolean refused, long retryAfterNanos) {}

    /** Makes the exception of a failure, when it is known whether an attempt may have been carried out. */
    private interface Reason {
        BarrageException exception(boolean outcomeUnknown);
    }

    private void failed(Attempt attempt, Failure failure, @Nullable Throwable cause, Reason reason) {
        boolean again;
        boolean unknown;
        synchronized (this) {
            if (ended || current != attempt) {
                return;
            }
            current = null;
            lastFailure = cause;
            uncertain |= failure.mayBeDone;
            unknown = uncertain;
            again = failure.repeat
                    && (request.isRepeatable() || !uncertain)
                    && attempts < calls.settings().retries().maxAttempts()
                    && pauseBefore(failure);
        }
        if (!again) {
            fail(reason.exception(unknown));
        }
    }

    /** Arranges for the next attempt; false if there is no time for it. */
    private boolean pauseBefore(Failure failure) {
        assert Thread.holdsLock(this);
        boolean elsewhere = false;
        // Only the gateway that may have carried it out knows the message's id for certain.
        if (failure.refused && !uncertain && calls.settings().uris().size() > 1) {
            gateway = calls.leave(gateway);
            turns++;
            elsewhere = turns % calls.settings().uris().size() != 0;
        }
        long nanos = elsewhere
                ? 0
                : failure.retryAfterNanos + calls.settings().retries().delayNanos(attempts);
        if (nanos >= deadlineNanos - System.nanoTime()) {
            return false;
        }
        pause = calls.schedule(this::attempt, nanos);
        return true;
    }

    /** One attempt: it ends once, with an answer or without. Thread-safe. */
    private final class Attempt {
        private final URI uri;
        private final HeldBody sent = new HeldBody(request.body());
        private final AnswerBody body = new AnswerBody(MAX_ANSWER_BYTES);
        private volatile boolean abandoned;
        private volatile boolean timedOut;
        private final AtomicBoolean ended = new AtomicBoolean();
        private volatile @Nullable CompletableFuture<?> exchange;
        private volatile @Nullable Future<?> timer;

        Attempt(URI uri) {
            this.uri = uri;
        }

        void begin() {
            HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(uri + request.path()))
                    .header("content-type", request.contentType())
                    .header("user-agent", "barrage-java")
                    .POST(sent);
            if (calls.settings().apiKey() != null) {
                builder.header("authorization", "Bearer " + calls.settings().apiKey());
            }
            timer = calls.schedule(
                    this::timeOut, calls.settings().attemptTimeout().toNanos());
            body.answer().whenComplete(this::ended);
            CompletableFuture<?> exchanged = calls.send(builder.build(), body);
            if (exchanged == null) {
                closed();
                return;
            }
            exchange = exchanged;
            if (abandoned) {
                abandon();
            }
            exchanged.whenComplete((ignored, failure) -> {
                if (failure != null) {
                    ended(null, failure);
                }
            });
        }

        /** Closes its connection, if the answer isn't there. */
        void abandon() {
            abandoned = true;
            cancel(timer);
            CompletableFuture<?> last = exchange;
            if (last != null && !ended.get()) {
                last.cancel(true);
            }
        }

        /** Whether it may have been carried out; if not, it won't be. */
        boolean mayBeDone() {
            return !sent.withhold();
        }

        /** What came of its answer, if that is all that is asked for. */
        @Nullable
        T readPart() {
            return request.readPart(body.soFar());
        }

        private void timeOut() {
            if (!request.isRepeatable() && mayBeDone()) {
                // Another attempt mustn't be made: its answer has until the deadline.
                return;
            }
            timedOut = true;
            abandon();
        }

        private void ended(AnswerBody.@Nullable Answer whole, @Nullable Throwable failure) {
            boolean unwanted = whole == null && abandoned && !timedOut;
            if (unwanted || !ended.compareAndSet(false, true)) {
                return;
            }
            cancel(timer);
            try {
                if (whole != null) {
                    take(whole);
                } else if (failure != null) {
                    takeFailure(
                            failure instanceof CompletionException && failure.getCause() != null
                                    ? failure.getCause()
                                    : failure);
                }
            } catch (RuntimeException e) {
                // A fault of ours, which would vanish here and leave the call to its deadline.
                unreadable("reading it failed: " + e, e);
            }
        }

        private void take(AnswerBody.Answer whole) {
            if (whole.status() / 100 != 2) {
                refused(whole);
                return;
            }
            try {
                succeed(request.read(whole.body()));
            } catch (UnreadableAnswerException e) {
                unreadable(e.getMessage(), e);
            } catch (IOException e) {
                lost(e);
            }
        }

        private void refused(AnswerBody.Answer whole) {
            int status = whole.status();
            ProblemException.Document problem = ProblemException.Document.of(status, whole.body());
            Duration retryAfter = retryAfter(whole.headers());
            boolean ours = problem.code() != null && NOT_NOW.contains(problem.code());
            boolean repeat =
                    switch (status) {
                        case 502, 503, 504 -> true;
                        // The same line again is what the sender was refused for.
                        case 429 -> !ErrorCode.REPEATED.wire().equals(problem.code());
                        default -> false;
                    };
            failed(
                    this,
                    new Failure(
                            repeat,
                            status >= 500 && !ours,
                            status == 503,
                            retryAfter == null ? 0 : Calls.boundedNanos(retryAfter)),
                    null,
                    unknown -> problem.exception(what, retryAfter, unknown));
        }

        private void takeFailure(Throwable cause) {
            if (timedOut) {
                cutOff(
                        new Failure(true, mayBeDone(), !mayBeDone(), 0),
                        cause,
                        unknown -> new BarrageException(
                                what + " wasn't answered within "
                                        + calls.settings().attemptTimeout().toMillis() + " ms",
                                unknown,
                                null));
            } else if (cause instanceof ConnectException
                    || cause instanceof HttpConnectTimeoutException
                    || cause instanceof SSLHandshakeException) {
                failed(
                        this,
                        new Failure(true, false, true, 0),
                        cause,
                        unknown -> new BarrageException(
                                what + " failed: can't connect to " + uri + reason(cause), unknown, cause));
            } else if (body.isTooLong()) {
                unreadable("it has more than " + MAX_ANSWER_BYTES + " bytes", cause);
            } else if (cause instanceof IOException && !isGarbage(cause)) {
                lost(cause);
            } else {
                unreadable(cause.toString(), cause);
            }
        }

        /** The JDK's client says so of what isn't HTTP. */
        private static boolean isGarbage(Throwable cause) {
            return cause instanceof java.net.ProtocolException;
        }

        /** Ends it with what came of its answer. */
        private void cutOff(Failure failure, Throwable cause, Reason reason) {
            T known = readPart();
            if (known == null) {
                failed(this, failure, cause, reason);
            } else {
                succeed(known);
            }
        }

        private void lost(Throwable cause) {
            cutOff(
                    new Failure(true, mayBeDone(), false, 0),
                    cause,
                    unknown -> new BarrageException(
                            what + " failed: the connection to " + uri + " was lost" + reason(cause), unknown, cause));
        }

        private void unreadable(String why, Throwable cause) {
            failed(
                    this,
                    new Failure(false, true, false, 0),
                    cause,
                    unknown -> new BarrageException(
                            what + " failed: the answer of " + uri + " isn't the gateway's: " + why, unknown, cause));
        }

        private static String reason(Throwable cause) {
            return cause.getMessage() == null ? "" : ": " + cause.getMessage();
        }

        private static @Nullable Duration retryAfter(HttpHeaders headers) {
            String text = headers.firstValue("retry-after").orElse("");
            if (text.matches("[0-9]{1,9}")) {
                return Duration.ofSeconds(Long.parseLong(text));
            }
            try {
                ZonedDateTime time = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
                Duration until = Duration.between(ZonedDateTime.now(time.getZone()), time);
                return until.isNegative() ? Duration.ZERO : until;
            } catch (DateTimeParseException ignored) {
                return null;
            }
        }
    }
}
