package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TopicTurnsTest {
    private static final TopicName A = TopicName.of("a");
    private static final TopicName B = TopicName.of("b");

    private final ArrayDeque<Runnable> loop = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();
    private final TopicTurns turns =
            new TopicTurns(loop::add, () -> done.add("room"), failure -> done.add("failed: " + failure.getMessage()));

    private CompletableFuture<String> ask(TopicName topic) {
        CompletableFuture<String> decision = new CompletableFuture<>();
        ask(topic, decision);
        return decision;
    }

    private void ask(TopicName topic, CompletableFuture<String> decision) {
        turns.run(
                topic,
                () -> turns.await(
                        topic, decision, done::add, refusal -> done.add(refusal.code() + " " + refusal.getMessage())));
    }

    private void runLoop() {
        for (Runnable task = loop.poll(); task != null; task = loop.poll()) {
            task.run();
        }
    }

    @Test
    void whatIsDecidedIsCarriedOutAtOnce() {
        ask(A, CompletableFuture.completedFuture("1"));
        turns.run(A, () -> done.add("2"));
        assertEquals(List.of("1", "2"), done);
    }

    @Test
    void onOneTopicAllKeepTheirOrderWhateverOrderTheAnswersHave() {
        CompletableFuture<String> first = ask(A);
        CompletableFuture<String> second = ask(A);
        turns.run(A, () -> done.add("3"));
        second.complete("2");
        runLoop();
        assertEquals(List.of(), done);
        first.complete("1");
        runLoop();
        assertEquals(List.of("1", "2", "3"), done);
        turns.run(A, () -> done.add("4"));
        assertEquals(List.of("1", "2", "3", "4"), done);
    }

    @Test
    void behindOneThatIsStillUndecidedTheRestGoesOnWaiting() {
        CompletableFuture<String> first = ask(A);
        CompletableFuture<String> second = ask(A);
        turns.run(A, () -> done.add("3"));
        first.complete("1");
        runLoop();
        assertEquals(List.of("1"), done);
        second.complete("2");
        runLoop();
        assertEquals(List.of("1", "2", "3"), done);
    }

    @Test
    void otherTopicsGoOn() {
        CompletableFuture<String> first = ask(A);
        ask(B, CompletableFuture.completedFuture("b"));
        assertEquals(List.of("b"), done);
        first.complete("a");
        runLoop();
        assertEquals(List.of("b", "a"), done);
    }

    @Test
    void whatComesBehindAllWaitsForEachTopic() {
        turns.allSoFar().thenRun(() -> done.add("nothing waited"));
        CompletableFuture<String> a = ask(A);
        CompletableFuture<String> b = ask(B);
        CompletableFuture<String> behind = ask(B);
        turns.allSoFar().thenRun(() -> done.add("all"));
        ask(A, CompletableFuture.completedFuture("later"));
        b.complete("b");
        a.complete("a");
        runLoop();
        assertEquals(List.of("nothing waited", "b", "a", "later"), done);
        behind.complete("behind");
        runLoop();
        assertEquals(List.of("nothing waited", "b", "a", "later", "behind", "all"), done);
        turns.allSoFar().thenRun(() -> done.add("nothing waits"));
        assertEquals("nothing waits", done.get(6));
    }

    @Test
    void refusalsAndBugsAreTold() {
        ask(A).completeExceptionally(new ProtocolException(ErrorCode.REFUSED, "rude"));
        ask(A).completeExceptionally(new IllegalStateException("a bug"));
        runLoop();
        assertEquals(List.of("REFUSED rude", "INTERNAL the gateway failed to decide this"), done);
    }

    @Test
    void isFullOfWhatWaitsAndTellsWhenThereIsRoom() {
        CompletableFuture<String> first = ask(A);
        for (int i = 0; i < 63; i++) {
            assertFalse(turns.isFull());
            String name = "next " + i;
            turns.run(A, () -> done.add(name));
        }
        assertTrue(turns.isFull());
        first.complete("first");
        runLoop();
        assertFalse(turns.isFull());
        assertEquals(65, done.size());
        assertEquals("room", done.get(64));
    }

    @Test
    void whatIsThrownBehindADecisionIsTold() {
        CompletableFuture<String> first = new CompletableFuture<>();
        turns.run(
                A,
                () -> turns.await(
                        A,
                        first,
                        value -> {
                            throw new IllegalStateException("a bug in the answer");
                        },
                        refusal -> done.add("refused")));
        CompletableFuture<String> second = ask(B);
        turns.run(B, () -> {
            throw new IllegalStateException("a bug behind it");
        });
        first.complete("1");
        second.complete("2");
        runLoop();
        assertEquals(List.of("failed: a bug in the answer", "2", "failed: a bug behind it"), done);
    }

    @Test
    void asksFewQuestionsAtATime() {
        List<CompletableFuture<String>> asked = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            TopicName topic = TopicName.of("t" + i);
            turns.await(topic, turns.ask(() -> asked(asked)), done::add, refusal -> done.add(refusal.getMessage()));
        }
        assertEquals(8, asked.size());
        asked.get(3).complete("3");
        asked.get(7).completeExceptionally(new ProtocolException(ErrorCode.REFUSED, "rude"));
        runLoop();
        assertEquals(List.of("3", "rude"), done);
        assertEquals(10, asked.size());
        turns.end();
        asked.get(0).complete("0");
        runLoop();
        assertEquals(10, asked.size());
        assertEquals(2, done.size());
    }

    private static CompletableFuture<String> asked(List<CompletableFuture<String>> asked) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        asked.add(answer);
        return answer;
    }

    @Test
    void afterTheEndNothingIsCarriedOut() {
        CompletableFuture<String> first = ask(A);
        turns.run(A, () -> done.add("2"));
        turns.end();
        first.complete("1");
        runLoop();
        assertEquals(List.of(), done);
        assertFalse(turns.isFull());
    }
}
