package io.barrage.gateway.hooks;

import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.LoggedUrl;
import io.barrage.gateway.broker.HookFailure;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the backend who may connect, subscribe and publish, and holds the rule for when it doesn't answer.
 *
 * <p>Thread-safe: no call blocks, and answers come on any thread. A no is a {@link ProtocolException}.
 */
public final class Hooks implements AutoCloseable {
    /** Largest answer, unless a message may be larger. */
    private static final int MAX_ANSWER_BYTES = 64 * 1024;

    /** What an answer may have beside a message's data. */
    private static final int ENVELOPE_BYTES = 4 * 1024;

    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How long the end waits for events to be told. */
    private static final long FAREWELL_SECONDS = 2;

    private static final Logger log = LoggerFactory.getLogger(Hooks.class);

    private final Supplier<HookRules> rules;
    private final IntSupplier maxMessageBytes;
    private final HookMetrics metrics;
    private final ScheduledThreadPoolExecutor thread;
    private final HookClient client;
    private final Notifications notifications;
    private final Map<HookKind, Complaints> complaints = new EnumMap<>(HookKind.class);

    /**
     * @param rules asked each time, as is {@code maxMessageBytes}, since they can change
     * @param namespaceOf the name of the namespace whose rules a topic follows
     * @param node names this node's life
     * @param maxMessageBytes of a message's data
     */
    public Hooks(
            Supplier<HookRules> rules,
            Function<TopicName, String> namespaceOf,
            String node,
            IntSupplier maxMessageBytes,
            HookMetrics metrics) {
        this.rules = rules;
        this.maxMessageBytes = maxMessageBytes;
        this.metrics = metrics;
        for (HookKind hook : HookKind.values()) {
            complaints.put(hook, new Complaints());
        }
        this.thread = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread made = new Thread(task, "barrage-hook-timer");
                    made.setDaemon(true);
                    return made;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        thread.setRemoveOnCancelPolicy(true);
        Timer timer = new ThreadTimer();
        this.client =
                new HookClient(timer, () -> Math.max(MAX_ANSWER_BYTES, maxMessageBytes.getAsInt() + ENVELOPE_BYTES));
        this.notifications = new Notifications(
                rules, namespaceOf, timer, new Deliveries(), metrics, node, Notifications.MAX_WAITING);
    }

    /** Has connections to the backend given up in time; to be called before anything in the process makes an HTTP client. */
    public static void prepareProcess() {
        if (System.getProperty(HookClient.IDLE_PROPERTY) == null) {
            System.setProperty(HookClient.IDLE_PROPERTY, HookClient.IDLE_SECONDS);
        }
    }

    /** What the backend is told. */
    public Notifications notifications() {
        return notifications;
    }

    /** Whether the backend is asked about each connection. */
    public boolean asksOnConnecting() {
        return rules.get().target(HookKind.CONNECT) != null;
    }

    /**
     * Who somebody is and what it may do, if the backend lets it connect; what it was granted already, if the backend isn't asked.
     *
     * @param granted by its token, or before it
     * @param token that the gateway couldn't check itself; null otherwise
     * @param before what it had until now, if it is connected already and has a new token: what the backend said of it then goes on
     *     if the backend fails and that is the rule
     */
    public CompletableFuture<Grant> connect(
            Asker asker, Grant granted, @Nullable String origin, @Nullable String token, @Nullable Grant before) {
        HookRules now = rules.get();
        HookRules.Target target = now.target(HookKind.CONNECT);
        return target == null
                ? CompletableFuture.completedFuture(granted)
                : ask(
                        target,
                        Questions.connect(asker, granted, origin, token, before != null),
                        answer -> Answer.connect(answer, granted, token == null),
                        // A token that nobody has looked at vouches for nobody.
                        token == null ? now.onFailure(HookKind.CONNECT) : HookFailure.REFUSE,
                        before == null ? granted : granted.with(before.byBackend(), granted.expires()));
    }

    /**
     * Whether a connection may subscribe.
     *
     * @param onFailure what holds there if the hook fails; null for the hook's own rule
     */
    public CompletableFuture<Void> subscribe(Asker asker, TopicName topic, @Nullable HookFailure onFailure) {
        HookRules now = rules.get();
        HookRules.Target target = now.target(HookKind.SUBSCRIBE);
        return target == null
                ? notConfigured(HookKind.SUBSCRIBE)
                : ask(
                                target,
                                Questions.subscribe(asker, topic),
                                Answer::subscribe,
                                onFailure == null ? now.onFailure(HookKind.SUBSCRIBE) : onFailure,
                                true)
                        .thenApply(allowed -> null);
    }

    /**
     * What becomes of a publish.
     *
     * @param onFailure what holds there if the hook fails; null for the hook's own rule
     */
    public CompletableFuture<Verdict> publish(
            Asker asker, TopicName topic, PublishRequest request, @Nullable HookFailure onFailure) {
        HookRules now = rules.get();
        HookRules.Target target = now.target(HookKind.PUBLISH);
        return target == null
                ? notConfigured(HookKind.PUBLISH)
                : ask(
                        target,
                        Questions.publish(asker, topic, request),
                        answer -> Answer.publish(answer, request, maxMessageBytes.getAsInt()),
                        onFailure == null ? now.onFailure(HookKind.PUBLISH) : onFailure,
                        new Verdict.Allowed(request));
    }

    /** Configurations with a rule and without its hook are refused, so this is between two of them. */
    private static <T> CompletableFuture<T> notConfigured(HookKind hook) {
        return CompletableFuture.failedFuture(new ProtocolException(
                ErrorCode.HOOK_FAILED, "the backend would have to be asked, but there is no hook for " + hook.wire()));
    }

    private <T> CompletableFuture<T> ask(
            HookRules.Target target,
            byte[] question,
            Function<byte[], Answer<T>> read,
            HookFailure onFailure,
            T asAsked) {
        // A connect or a subscribe only asks. A publish may be kept by the backend, and be there twice then.
        boolean repeatable = target.hook() != HookKind.PUBLISH;
        return call(target, client.newId(), question, repeatable, read).handle((answer, failure) -> {
            if (failure == null) {
                if (answer.refusal() != null) {
                    throw answer.refusal();
                }
                return answer.value() == null ? asAsked : answer.value();
            }
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (!(cause instanceof HookException)) {
                log.error("A hook's answer couldn't be read, by a bug of ours.", cause);
            }
            if (onFailure == HookFailure.ALLOW) {
                return asAsked;
            }
            throw new ProtocolException(
                    ErrorCode.HOOK_FAILED, "the backend had to be asked, and gave no answer that counts");
        });
    }

    /** Calls, counts, and complains. */
    private <T> CompletableFuture<Answer<T>> call(
            HookRules.Target target, String id, byte[] body, boolean repeatable, Function<byte[], Answer<T>> read) {
        long started = System.nanoTime();
        CompletableFuture<byte[]> posted = client.post(target, id, body, repeatable);
        HookKind hook = target.hook();
        if (isSaturated(posted)) {
            metrics.saturated(hook);
            return posted.handle((ignored, failure) -> {
                throw complain(target, cause(failure));
            });
        }
        metrics.calling(hook);
        return posted.handle((answer, failure) -> {
            HookOutcome outcome = HookOutcome.FAILED;
            try {
                if (failure != null) {
                    HookException cause = cause(failure);
                    outcome = cause.outcome();
                    throw complain(target, cause);
                }
                Answer<T> understood = read.apply(answer);
                outcome = understood.outcome();
                return understood;
            } catch (ProtocolException e) {
                throw complain(
                        target,
                        new HookException(HookOutcome.FAILED, "an answer that isn't understood: " + e.getMessage()));
            } finally {
                metrics.called(hook, outcome, System.nanoTime() - started);
            }
        });
    }

    private static boolean isSaturated(CompletableFuture<?> posted) {
        return posted.isCompletedExceptionally()
                && posted.handle((ignored, failure) -> cause(failure).outcome() == HookOutcome.SATURATED)
                        .join();
    }

    private static HookException cause(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof HookException known
                ? known
                : new HookException(HookOutcome.FAILED, String.valueOf(cause));
    }

    private HookException complain(HookRules.Target target, HookException failure) {
        Complaints ofHook = complaints.get(target.hook());
        long others = ofHook == null ? -1 : ofHook.next(System.nanoTime());
        if (others >= 0) {
            log.warn(
                    "The backend's hook failed. hook={} url={} failure={} othersSinceLastLine={}",
                    target.hook().wire(),
                    LoggedUrl.of(target.uri()),
                    failure.getMessage(),
                    others);
        }
        return failure;
    }

    /** Lets one line in ten seconds pass: a backend that is down fails a thousand times a second. Thread-safe. */
    private static final class Complaints {
        private long lastNanos;
        private long suppressed = -1;

        /** How many lines were left out since the last; -1 if this one is, too. */
        synchronized long next(long now) {
            if (suppressed >= 0 && now - lastNanos < LOG_INTERVAL_NANOS) {
                suppressed++;
                return -1;
            }
            long others = Math.max(0, suppressed);
            lastNanos = now;
            suppressed = 0;
            return others;
        }
    }

    private final class Deliveries implements Notifications.Delivery {
        @Override
        public CompletableFuture<?> deliver(HookRules.Target target, String id, byte[] batch) {
            return call(target, id, batch, false, answer -> new Answer<>(HookOutcome.DELIVERED, null, null));
        }

        @Override
        public String newId() {
            return client.newId();
        }
    }

    private final class ThreadTimer implements Timer {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public Future<?> schedule(Runnable task, long delayNanos) {
            return thread.schedule(
                    () -> {
                        try {
                            task.run();
                        } catch (RuntimeException e) {
                            // The timer's future would keep it to itself.
                            log.error("A hook's timer failed by a bug of ours.", e);
                        }
                    },
                    delayNanos,
                    TimeUnit.NANOSECONDS);
        }
    }

    /** Tells the backend what it wasn't told yet, for two seconds at most; questions are given up. Blocks until then. */
    @Override
    public void close() {
        try {
            notifications.close().get(FAREWELL_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException ignored) {
            // What is left is counted and logged.
        }
        notifications.abandon();
        client.close();
        thread.shutdownNow();
    }
}
