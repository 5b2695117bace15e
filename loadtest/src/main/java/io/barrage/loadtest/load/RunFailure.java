package io.barrage.loadtest.load;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Why a run can't go on: an event loop tells it, the thread that drives the run throws it where it waits. Thread-safe. */
final class RunFailure {
    private final CompletableFuture<String> reason = new CompletableFuture<>();

    /** The first reason stays. */
    void tell(String why) {
        reason.complete(why);
    }

    /** A publishing connection ended with {@code unanswered} publishes of which nobody knows what became. */
    void tellBroken(int unanswered, String why) {
        tell("a publishing connection broke with " + unanswered + " unanswered publishes: " + why);
    }

    /** Lets the time pass. @throws LoadException if the run can't go on, as soon as that is so */
    void pause(long nanos) throws LoadException, InterruptedException {
        try {
            throw new LoadException(reason.get(Math.max(1, nanos), TimeUnit.NANOSECONDS));
        } catch (TimeoutException ignored) {
            // the usual case: nothing failed meanwhile
        } catch (ExecutionException e) {
            throw new IllegalStateException("a reason is never an exception", e);
        }
    }

    /** Waits until all connections to publish over stand. @throws LoadException if they don't in time */
    void awaitConnected(CompletableFuture<?> connected, Duration timeout) throws LoadException, InterruptedException {
        if (!await(connected, timeout.toNanos())) {
            throw new LoadException("cannot publish: no connection within " + timeout);
        }
    }

    /** Waits until something is done, and so long at most; whether it is. @throws LoadException if the run can't go on */
    boolean await(CompletableFuture<?> done, long nanos) throws LoadException, InterruptedException {
        try {
            CompletableFuture.anyOf(done, reason).get(Math.max(1, nanos), TimeUnit.NANOSECONDS);
        } catch (TimeoutException ignored) {
            return false;
        } catch (ExecutionException e) {
            throw new LoadException("cannot publish: " + LoadException.reason(e), e);
        }
        if (reason.isDone()) {
            throw new LoadException(reason.join());
        }
        return true;
    }
}
