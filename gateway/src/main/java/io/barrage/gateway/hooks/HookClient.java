package io.barrage.gateway.hooks;

import io.barrage.gateway.auth.BoundedBody;
import java.io.IOException;
import java.math.BigInteger;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Posts JSON to the backend: signed, with one deadline for everything, and only so many calls at a time.
 *
 * <p>Thread-safe: a call returns at once; its answer comes on one of the client's threads or on the timer's.
 */
final class HookClient implements AutoCloseable {
    /** Names are looked up on these, which blocks; everything else on them is short. */
    private static final int THREADS = 4;

    private static final long THREAD_LIFE_SECONDS = 10;

    /**
     * How long a connection may be idle before it is given up. Node.js and uvicorn close theirs after 5 s without a word, and a
     * request that meets that on its way is lost. The JDK's client has this setting for the whole process alone, and reads it with
     * the process's first client.
     */
    static final String IDLE_SECONDS = "4";

    static final String IDLE_PROPERTY = "jdk.httpclient.keepalive.timeout";

    private final Timer timer;
    private final IntSupplier maxAnswerBytes;
    private final Map<HookKind, AtomicInteger> inFlight = new EnumMap<>(HookKind.class);
    private final Set<Call> calls = ConcurrentHashMap.newKeySet();
    private final String life = new BigInteger(80, new SecureRandom()).toString(Character.MAX_RADIX);
    private final AtomicLong ids = new AtomicLong();
    private final ThreadPoolExecutor threads;
    private volatile boolean closed;
    // under this
    private @Nullable HttpClient http;

    HookClient(Timer timer, IntSupplier maxAnswerBytes) {
        this.timer = timer;
        this.maxAnswerBytes = maxAnswerBytes;
        for (HookKind hook : HookKind.values()) {
            inFlight.put(hook, new AtomicInteger());
        }
        AtomicInteger count = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                THREAD_LIFE_SECONDS,
                TimeUnit.SECONDS,
                // As many tasks as there are calls, and those have a bound.
                new LinkedBlockingQueue<>(),
                task -> {
                    Thread thread = new Thread(task, "barrage-hook-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                },
                // After the end, when nobody waits for an answer any more.
                new ThreadPoolExecutor.DiscardPolicy());
        threads.allowCoreThreadTimeOut(true);
    }

    /** Made with the first call: most gateways have no hooks. */
    private synchronized HttpClient http() {
        if (http == null) {
            http = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .executor(threads)
                    .build();
        }
        return http;
    }

    /** A new id for a request: the same one means the same request, made again. */
    String newId() {
        return "msg_" + life + "_" + ids.incrementAndGet();
    }

    /**
     * Posts {@code body}; the future has the answer's body, or fails with a {@link HookException}.
     *
     * @param repeatable whether the request may be made a second time if the backend closes the connection without a word, as it
     *     does with one that has been idle for too long
     */
    CompletableFuture<byte[]> post(HookRules.Target target, String id, byte[] body, boolean repeatable) {
        AtomicInteger now = inFlight(target.hook());
        if (now.incrementAndGet() > target.maxInFlight()) {
            now.decrementAndGet();
            return CompletableFuture.failedFuture(new HookException(
                    HookOutcome.SATURATED, target.maxInFlight() + " calls are waiting for their answers"));
        }
        Call call = new Call(target, id, body, repeatable);
        calls.add(call);
        if (closed) {
            call.fail(HookOutcome.FAILED, "the gateway is stopping");
        } else {
            call.start();
        }
        return call.settled;
    }

    private AtomicInteger inFlight(HookKind hook) {
        AtomicInteger count = inFlight.get(hook);
        if (count == null) {
            throw new IllegalStateException("no count for " + hook);
        }
        return count;
    }

    /** Gives up all calls; those to come fail. */
    @Override
    public void close() {
        closed = true;
        calls.forEach(call -> call.fail(HookOutcome.FAILED, "the gateway is stopping"));
        threads.shutdown();
        HttpClient made;
        synchronized (this) {
            made = http;
        }
        // Since JDK 21 it is one; on 17 its thread ends when the collector finds it.
        if (made instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing a client whose calls have ended doesn't fail", e);
            }
        }
    }

    /** One request and its answer. Thread-safe. */
    private final class Call {
        private final HookRules.Target target;
        private final String id;
        private final byte[] body;
        private final boolean repeatable;
        private final CompletableFuture<byte[]> answer = new CompletableFuture<>();
        /** The same, when the call is counted no more: whoever gets the answer may make the next call. */
        private final CompletableFuture<byte[]> settled;

        private final long deadlineNanos;
        private volatile @Nullable CompletableFuture<?> exchange;
        /** Whether the backend has begun to answer. */
        private volatile boolean answered;

        Call(HookRules.Target target, String id, byte[] body, boolean repeatable) {
            this.target = target;
            this.id = id;
            this.body = body;
            this.repeatable = repeatable;
            this.deadlineNanos = timer.nanoTime() + target.timeoutNanos();
            this.settled = answer.whenComplete((ignored, failure) -> ended());
        }

        void start() {
            Future<?> deadline = timer.schedule(
                    () -> fail(
                            HookOutcome.TIMEOUT,
                            "no whole answer within " + TimeUnit.NANOSECONDS.toMillis(target.timeoutNanos()) + " ms"),
                    target.timeoutNanos());
            answer.whenComplete((ignored, failure) -> deadline.cancel(false));
            send(repeatable);
        }

        private void ended() {
            calls.remove(this);
            inFlight(target.hook()).decrementAndGet();
            CompletableFuture<?> last = exchange;
            if (last != null) {
                // Closes the connection, if the answer isn't there.
                last.cancel(true);
            }
        }

        private void send(boolean again) {
            long epochSeconds = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
            HttpRequest request = HttpRequest.newBuilder(target.uri())
                    // Ends the attempt to connect, too. What ends the rest is our own deadline: this one knows no
                    // bodies.
                    .timeout(Duration.ofNanos(Math.max(1, deadlineNanos - timer.nanoTime())))
                    .header("content-type", "application/json")
                    .header("user-agent", "barrage")
                    .header("webhook-id", id)
                    .header("webhook-timestamp", Long.toString(epochSeconds))
                    .header("webhook-signature", target.signer().sign(id, epochSeconds, body))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                    .build();
            CompletableFuture<HttpResponse<byte[]>> sent = http().sendAsync(request, head -> {
                answered = true;
                return new BoundedBody(maxAnswerBytes.getAsInt());
            });
            exchange = sent;
            if (answer.isDone()) {
                sent.cancel(true);
                return;
            }
            sent.whenComplete((response, failure) -> {
                if (failure == null) {
                    take(response);
                } else {
                    failed(failure, again);
                }
            });
        }

        private void take(HttpResponse<byte[]> response) {
            if (response.statusCode() / 100 == 2) {
                answer.complete(response.body());
            } else {
                fail(HookOutcome.FAILED, "status " + response.statusCode() + "; an answer has 200");
            }
        }

        private void failed(Throwable failure, boolean again) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause instanceof HttpTimeoutException) {
                fail(
                        HookOutcome.TIMEOUT,
                        "no answer within " + TimeUnit.NANOSECONDS.toMillis(target.timeoutNanos()) + " ms");
            } else if (cause instanceof ConnectException) {
                fail(HookOutcome.FAILED, "can't connect");
            } else if (again && cause instanceof IOException && !answered && !closed && !answer.isDone()) {
                send(false);
            } else {
                String message = cause.getMessage();
                fail(HookOutcome.FAILED, message == null ? cause.getClass().getSimpleName() : message);
            }
        }

        /** Ends the call, unless it has ended. */
        void fail(HookOutcome outcome, String message) {
            answer.completeExceptionally(new HookException(outcome, message));
        }
    }
}
