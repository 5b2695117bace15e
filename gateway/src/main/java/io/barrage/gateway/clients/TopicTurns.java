package io.barrage.gateway.clients;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection's requests, carried out in order on each topic, though some of them wait for somebody's decision: what comes
 * behind those on the same topic waits, what concerns others goes on.
 *
 * <p>Confined to its event loop.
 */
final class TopicTurns {
    /** Requests that wait or are being decided, above which nothing more is read from the connection. */
    private static final int MAX_WAITING = 64;

    /** Questions to somebody else that are on their way at a time: one client is not to use up all that may be asked. */
    private static final int MAX_ASKED = 8;

    private static final Logger log = LoggerFactory.getLogger(TopicTurns.class);

    private final Executor loop;
    private final Runnable roomAgain;
    private final Consumer<RuntimeException> failed;
    /** A map of its own only while something waits: with most connections nothing ever does. */
    private Map<TopicName, Turn> turns = Map.of();

    private int waiting;
    private int asked;
    /** Questions that wait until fewer are on their way. */
    private @Nullable ArrayDeque<Runnable> unasked;

    private boolean ended;

    private static final class Turn {
        private final ArrayDeque<Runnable> behind = new ArrayDeque<>(2);
        private boolean undecided;
    }

    /**
     * @param roomAgain called when it isn't {@link #isFull} any more
     * @param failed told what was thrown where no caller would see it
     */
    TopicTurns(Executor loop, Runnable roomAgain, Consumer<RuntimeException> failed) {
        this.loop = loop;
        this.roomAgain = roomAgain;
        this.failed = failed;
    }

    /** Whether so much waits that no more should come. */
    boolean isFull() {
        return waiting >= MAX_WAITING;
    }

    /** Carries out a request on a topic: now, or when those before it have been. */
    void run(TopicName topic, Runnable request) {
        Turn turn = turns.get(topic);
        if (turn == null) {
            request.run();
        } else {
            turn.behind.add(request);
            waiting++;
        }
    }

    /**
     * Asks somebody else, now or when fewer questions are on their way; not at all if the connection has ended by then.
     *
     * @param question called to ask
     */
    <T> CompletableFuture<T> ask(Supplier<CompletableFuture<T>> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        if (asked < MAX_ASKED) {
            ask(question, answer);
        } else {
            if (unasked == null) {
                unasked = new ArrayDeque<>();
            }
            unasked.add(() -> ask(question, answer));
        }
        return answer;
    }

    private <T> void ask(Supplier<CompletableFuture<T>> question, CompletableFuture<T> answer) {
        asked++;
        question.get()
                .whenCompleteAsync(
                        (value, failure) -> {
                            asked--;
                            if (failure == null) {
                                answer.complete(value);
                            } else {
                                answer.completeExceptionally(failure);
                            }
                            Runnable next = unasked == null ? null : unasked.poll();
                            if (next != null) {
                                carryOut(next, failed);
                            }
                        },
                        loop);
    }

    /**
     * Goes on with a request that is being carried out when it is decided: at once if it is already. One of the two is called, on
     * the loop, unless the connection has ended meanwhile.
     */
    <T> void await(
            TopicName topic, CompletableFuture<T> decision, Consumer<T> allowed, Consumer<ProtocolException> refused) {
        if (decision.isDone()) {
            tell(decision, allowed, refused);
            return;
        }
        if (turns.isEmpty()) {
            turns = new HashMap<>(2);
        }
        Turn turn = turns.computeIfAbsent(topic, ignored -> new Turn());
        turn.undecided = true;
        waiting++;
        decision.whenCompleteAsync(
                (ignored, failure) -> carryOut(() -> decided(topic, turn, decision, allowed, refused), failed), loop);
    }

    private <T> void decided(
            TopicName topic,
            Turn turn,
            CompletableFuture<T> decision,
            Consumer<T> allowed,
            Consumer<ProtocolException> refused) {
        if (ended) {
            return;
        }
        boolean wasFull = isFull();
        waiting--;
        turn.undecided = false;
        tell(decision, allowed, refused);
        while (!turn.undecided && !ended) {
            Runnable next = turn.behind.poll();
            if (next == null) {
                turns.remove(topic);
                if (turns.isEmpty()) {
                    turns = Map.of();
                }
                break;
            }
            waiting--;
            next.run();
        }
        if (wasFull && !isFull() && !ended) {
            roomAgain.run();
        }
    }

    /** Complete when all requests up to now have been carried out; never if the connection ends before. */
    CompletableFuture<Void> allSoFar() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        int[] left = {turns.size()};
        if (left[0] == 0) {
            done.complete(null);
        }
        for (Turn turn : turns.values()) {
            turn.behind.add(() -> {
                left[0]--;
                if (left[0] == 0) {
                    done.complete(null);
                }
            });
            waiting++;
        }
        return done;
    }

    /** Does what nobody up the stack would see fail. */
    static void carryOut(Runnable step, Consumer<RuntimeException> failed) {
        try {
            step.run();
        } catch (RuntimeException e) {
            failed.accept(e);
        }
    }

    /** Tells what has been decided. */
    static <T> void tell(CompletableFuture<T> decision, Consumer<T> allowed, Consumer<ProtocolException> refused) {
        ProtocolException refusal = refusal(decision);
        if (refusal == null) {
            allowed.accept(decision.join());
        } else {
            refused.accept(refusal);
        }
    }

    private static @Nullable ProtocolException refusal(CompletableFuture<?> decision) {
        try {
            decision.join();
            return null;
        } catch (CompletionException e) {
            if (e.getCause() instanceof ProtocolException refusal) {
                return refusal;
            }
            log.error("A decision failed by a bug of ours.", e.getCause());
            return new ProtocolException(ErrorCode.INTERNAL, "the gateway failed to decide this");
        }
    }

    /** The connection has ended: nothing more is carried out. */
    void end() {
        ended = true;
        turns = Map.of();
        unasked = null;
        waiting = 0;
    }
}
