package io.barrage.loadtest.load;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Connects many subscribers without a stampede. Used by the thread that drives a run. */
final class Crowd {
    /** Below every listen backlog, so that no handshake waits for a SYN to be sent again. */
    private static final int AT_ONCE = 100;

    private Crowd() {}

    /**
     * Connects each subscriber on the loop of its index and waits until all subscriptions stand.
     *
     * @throws LoadException at the first that fails, or when {@code timeout} is over
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the failure is passed on to "all"
    static void connect(Loops loops, List<? extends Subscriber> subscribers, Duration timeout)
            throws LoadException, InterruptedException {
        Semaphore free = new Semaphore(AT_ONCE);
        CompletableFuture<Void> all = new CompletableFuture<>();
        long deadline = System.nanoTime() + timeout.toNanos();
        int started = 0;
        for (Subscriber subscriber : subscribers) {
            if (!free.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                throw timedOut(subscribers, timeout);
            }
            if (all.isCompletedExceptionally()) {
                break;
            }
            subscriber.ready().whenComplete((ignored, failure) -> {
                if (failure != null) {
                    all.completeExceptionally(failure);
                }
                free.release();
            });
            loops.connect(started % loops.size(), subscriber.target.clients(), true, subscriber);
            started++;
        }
        try {
            CompletableFuture<Void> standing = CompletableFuture.allOf(
                    subscribers.stream().map(Subscriber::ready).toArray(CompletableFuture<?>[]::new));
            CompletableFuture.anyOf(all, standing).get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new LoadException("a subscriber could not subscribe: " + LoadException.reason(e), e);
        } catch (TimeoutException e) {
            throw timedOut(subscribers, timeout);
        }
    }

    private static LoadException timedOut(List<? extends Subscriber> subscribers, Duration timeout) {
        long standing = subscribers.stream()
                .filter(subscriber -> subscriber.ready().isDone())
                .count();
        String said = subscribers.stream()
                .filter(subscriber -> !subscriber.ready().isDone())
                .map(Subscriber::lastBeforeReady)
                .filter(text -> !text.isEmpty())
                .findFirst()
                .map(text -> "; the first that waits got " + text)
                .orElse("");
        return new LoadException("after " + timeout.toSeconds() + " s only " + standing + " of " + subscribers.size()
                + " subscriptions stand" + said);
    }
}
