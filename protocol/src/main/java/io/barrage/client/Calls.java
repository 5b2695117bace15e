package io.barrage.client;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The calls in flight: their bound, the connections and threads that they share, and their end. Thread-safe. */
final class Calls {
    private static final long THREAD_LIFE_SECONDS = 10;

    private final Settings settings;
    /**
     * As many as there are tasks, so that those that block hold nobody up: look-ups of names and callers' callbacks. Never shut down,
     * since the JDK's client has work for them behind the end; they end when they are idle.
     */
    private final ThreadPoolExecutor threads;

    private final ScheduledThreadPoolExecutor timer;
    /** Which gateway calls begin with. */
    private final AtomicInteger preferred = new AtomicInteger();

    // under the lock
    private final Object lock = new Object();
    private final Set<Call<?>> inFlight = new HashSet<>();
    private boolean closed;
    private @Nullable HttpClient http;

    Calls(Settings settings) {
        this.settings = settings;
        ThreadFactory factory = daemons();
        this.threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, THREAD_LIFE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
        this.timer = new ScheduledThreadPoolExecutor(1, factory, new ThreadPoolExecutor.DiscardPolicy());
        // Almost all timers are cancelled; they would hold their calls until their time comes.
        timer.setRemoveOnCancelPolicy(true);
        HttpClient.Builder builder = HttpClient.newBuilder()
                // What the gateway speaks; the JDK's client would ask each time whether it may upgrade.
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                // Sooner than an attempt ends: an attempt that never got a connection is known to have done nothing.
                .connectTimeout(settings.attemptTimeout().dividedBy(2))
                .executor(threads);
        if (settings.sslContext() != null) {
            builder.sslContext(settings.sslContext());
        }
        this.http = builder.build();
    }

    private static ThreadFactory daemons() {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "barrage-client-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    Settings settings() {
        return settings;
    }

    /** Begins a call, if there is room for one more. */
    <T> CompletableFuture<T> start(String what, Request<T> request) {
        Call<T> call = new Call<>(this, what, request);
        synchronized (lock) {
            if (closed) {
                return CompletableFuture.failedFuture(
                        new BarrageException("the client is closed: nothing was sent", false, null));
            }
            if (inFlight.size() >= settings.maxInFlight()) {
                return CompletableFuture.failedFuture(new BusyException(settings.maxInFlight()));
            }
            inFlight.add(call);
        }
        return call.start();
    }

    /** Notes that a call isn't in flight any more. */
    void ended(Call<?> call) {
        synchronized (lock) {
            inFlight.remove(call);
            lock.notifyAll();
        }
    }

    /** A while in nanoseconds: none if it is negative, and {@link BarrageClient#MAX_DEADLINE} if it is longer, as no call is. */
    static long boundedNanos(Duration some) {
        if (some.isNegative()) {
            return 0;
        }
        return (some.compareTo(BarrageClient.MAX_DEADLINE) < 0 ? some : BarrageClient.MAX_DEADLINE).toNanos();
    }

    /** Runs {@code task} in a while, on a thread that mustn't block. */
    Future<?> schedule(Runnable task, long nanos) {
        return timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    /** Runs {@code task} at once, on a thread that may block. */
    void execute(Runnable task) {
        threads.execute(task);
    }

    /** Sends; null if the client has been closed. The future is completed on the common pool, the body's answer on a thread of ours. */
    @Nullable
    CompletableFuture<?> send(HttpRequest request, AnswerBody body) {
        HttpClient client;
        synchronized (lock) {
            client = http;
        }
        return client == null ? null : client.sendAsync(request, body);
    }

    int preferred() {
        return preferred.get();
    }

    URI uri(int index) {
        return settings.uris().get(index);
    }

    /** Has calls to come begin with another gateway than this; gives which. */
    int leave(int index) {
        int next = (index + 1) % settings.uris().size();
        preferred.compareAndSet(index, next);
        return next;
    }

    /** Takes no more calls, waits for those in flight, and gives up those that are left then. */
    void close(Duration patience) {
        List<Call<?>> left;
        HttpClient client;
        synchronized (lock) {
            closed = true;
            awaitEnd(patience);
            left = List.copyOf(inFlight);
            client = http;
            http = null;
        }
        left.forEach(Call::closed);
        timer.shutdownNow();
        // Since JDK 21 it can be closed, which waits for look-ups of names that nobody waits for any more; before, its
        // thread
        // ends when the collector finds it.
        if (client instanceof AutoCloseable closeable) {
            execute(() -> end(closeable));
        }
        threads.setKeepAliveTime(0, TimeUnit.SECONDS);
    }

    private static void end(AutoCloseable client) {
        try {
            client.close();
        } catch (Exception e) {
            throw new IllegalStateException("closing a client whose calls have ended doesn't fail", e);
        }
    }

    private void awaitEnd(Duration patience) {
        long patienceNanos = boundedNanos(patience);
        long until = System.nanoTime() + patienceNanos;
        try {
            for (long left = patienceNanos; !inFlight.isEmpty() && left > 0; left = until - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(lock, left);
            }
        } catch (InterruptedException e) {
            // Whoever interrupts doesn't want to wait, and wants it closed all the same.
            Thread.currentThread().interrupt();
        }
    }
}
