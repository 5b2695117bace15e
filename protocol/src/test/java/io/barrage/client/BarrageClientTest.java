package io.barrage.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.Position;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the client makes of a server that fails in every way: what it repeats, and what it never does. */
class BarrageClientTest {
    private static final Publish HELLO = Publish.toTopic("room:42", "\"hello\"");
    private static final RetryPolicy FAST = new RetryPolicy(4, Duration.ofMillis(1), Duration.ofMillis(2));

    private FaultyServer server;
    private final List<BarrageClient> clients = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        server = new FaultyServer();
    }

    @AfterEach
    void close() throws IOException {
        clients.forEach(client -> client.close(Duration.ZERO));
        server.close();
    }

    private BarrageClient.Builder builder(String... others) {
        return BarrageClient.to(server.uri(), others).retries(FAST);
    }

    private BarrageClient client(BarrageClient.Builder builder) {
        BarrageClient client = builder.build();
        clients.add(client);
        return client;
    }

    private BarrageClient client() {
        return client(builder());
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    private static BarrageException failure(CompletableFuture<?> future) {
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> get(future));
        return assertInstanceOf(BarrageException.class, thrown.getCause());
    }

    /** A URI at which nobody listens. */
    private static String deadUri() throws IOException {
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "http://127.0.0.1:" + closed.getLocalPort();
        }
    }

    private void assertRepeatedWithTheSameId(CompletableFuture<Published> published) throws Exception {
        assertEquals(new Position("k3x9", 7), get(published).position());
        String first = server.next().messageId();
        assertEquals(first, server.next().messageId());
        assertEquals(first, get(published).messageId());
        assertEquals(0, server.unseen());
    }

    // ---------------------------------------------------------------- what is repeated

    @Test
    void publishesWithKeyAndOwnIds() throws Exception {
        server.accept(7).accept(8);
        BarrageClient client = client(builder().apiKey("brg_secret"));
        assertEquals(new Position("k3x9", 7), get(client.publish(HELLO)).position());
        assertEquals(new Position("k3x9", 8), get(client.publish(HELLO)).position());
        FaultyServer.Seen first = server.next();
        assertTrue(first.head().startsWith("POST /v1/publish HTTP/1.1\n"), first.head());
        assertTrue(first.head().contains("uthorization: Bearer brg_secret\n"), first.head());
        assertTrue(first.head().contains("ontent-type: application/json\n"), first.head());
        assertFalse(first.head().toLowerCase(Locale.ROOT).contains("upgrade"), first.head());
        assertEquals(
                "{\"topic\":\"room:42\",\"messageId\":\"" + first.messageId() + "\",\"data\":\"hello\"}", first.body());
        assertNotEquals(first.messageId(), server.next().messageId());
        assertFalse(client.toString().contains("secret"), client.toString());
    }

    @Test
    void repeatsWhenTheConnectionIsResetBehindTheRequest() throws Exception {
        server.reset().accept(7);
        assertRepeatedWithTheSameId(client().publish(HELLO));
    }

    @Test
    void repeatsWhenTheConnectionIsResetBeforeTheRequestIsRead() throws Exception {
        server.resetUnread().accept(7);
        assertEquals(7, get(client().publish(HELLO)).position().offset());
    }

    @Test
    void repeatsWhenHalfAnAnswerComes() throws Exception {
        server.half("{\"topic\":\"room:4").accept(7);
        assertRepeatedWithTheSameId(client().publish(HELLO));
    }

    @Test
    void repeatsWhenNothingIsAnswered() throws Exception {
        server.raw("").accept(7);
        assertRepeatedWithTheSameId(client().publish(HELLO));
    }

    @Test
    void repeatsAnAttemptThatTakesTooLong() throws Exception {
        server.silence().accept(7);
        assertRepeatedWithTheSameId(
                client(builder().attemptTimeout(Duration.ofSeconds(2))).publish(HELLO));
    }

    @Test
    void repeatsBadGateways() throws Exception {
        server.answer("502 Bad Gateway", "<html>")
                .answer("504 Gateway Timeout", "")
                .accept(7);
        assertEquals(7, get(client().publish(HELLO)).position().offset());
    }

    @Test
    void waitsForRetryAfter() throws Exception {
        server.overloaded("Retry-After: 1").accept(7);
        long before = System.nanoTime();
        assertRepeatedWithTheSameId(client().publish(HELLO));
        assertTrue(System.nanoTime() - before >= TimeUnit.SECONDS.toNanos(1), "repeated too early");
    }

    @Test
    void repeatsOverARateWhenItIsTime() throws Exception {
        server.answer("429 Too Many Requests", "{\"code\":\"rate_limited\"}", "Retry-After: 0")
                .accept(7);
        assertRepeatedWithTheSameId(client().publish(HELLO));
    }

    @Test
    void endsWithTheLastFailure() {
        server.reset().reset().reset().reset().accept(7);
        BarrageException failure = failure(client().publish(HELLO));
        assertTrue(failure.isOutcomeUnknown());
        assertTrue(failure.getMessage().contains("was lost"), failure.getMessage());
        assertTrue(failure.getMessage().endsWith("; it may have been carried out all the same"), failure.getMessage());
        assertEquals(4, server.unseen());
    }

    @Test
    void knowsThatARefusalDoesntSayWhatBecameOfAnEarlierAttempt() {
        server.reset().answer("401 Unauthorized", "{\"code\":\"unauthorized\"}");
        ProblemException failure = assertInstanceOf(ProblemException.class, failure(client().publish(HELLO)));
        assertEquals(401, failure.status());
        assertTrue(failure.isOutcomeUnknown());
    }

    // ---------------------------------------------------------------- what isn't

    @Test
    void tellsWhatAProblemDocumentSays() {
        server.answer(
                "400 Bad Request",
                "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"code\":\"bad_request\","
                        + "\"detail\":\"a publish needs a field 'data'\"}");
        ProblemException problem = assertInstanceOf(ProblemException.class, failure(client().publish(HELLO)));
        assertEquals("about:blank", problem.type());
        assertEquals("Bad Request", problem.title());
        assertEquals(400, problem.status());
        assertEquals("bad_request", problem.code());
        assertEquals("a publish needs a field 'data'", problem.detail());
        assertNull(problem.retryAfter());
        assertFalse(problem.isOutcomeUnknown());
        assertEquals("a publish was refused: 400 bad_request: a publish needs a field 'data'", problem.getMessage());
        assertEquals(1, server.unseen());
    }

    @Test
    void tellsTheStatusOfAProxysPage() {
        server.answer("413 Payload Too Large", "<html>too much</html>");
        ProblemException problem = assertInstanceOf(ProblemException.class, failure(client().publish(HELLO)));
        assertEquals(413, problem.status());
        assertEquals("about:blank", problem.type());
        assertNull(problem.code());
        assertNull(problem.detail());
    }

    @Test
    void neverRepeatsA500OrARedirect() {
        server.answer("500 Internal Server Error", "{\"code\":\"internal\"}");
        assertTrue(failure(client().publish(HELLO)).isOutcomeUnknown());
        server.answer("307 Temporary Redirect", "", "Location: " + server.uri() + "/elsewhere");
        assertFalse(failure(client().publish(HELLO)).isOutcomeUnknown());
        assertEquals(2, server.unseen());
    }

    @Test
    void doesntRepeatARepeatedLine() {
        server.answer("429 Too Many Requests", "{\"code\":\"repeated\"}", "Retry-After: 0");
        assertEquals(429, ((ProblemException) failure(client().publish(HELLO))).status());
        assertEquals(1, server.unseen());
    }

    @Test
    void failsAtOnceIfRetryAfterIsBehindTheDeadline() {
        server.overloaded("Retry-After: 3600").accept(7);
        ProblemException problem = assertInstanceOf(ProblemException.class, failure(client().publish(HELLO)));
        assertEquals(Duration.ofHours(1), problem.retryAfter());
        assertFalse(problem.isOutcomeUnknown());
        assertEquals(1, server.unseen());
    }

    @Test
    void readsRetryAfterAsADate() {
        server.overloaded("Retry-After: Fri, 31 Dec 2100 23:59:59 GMT");
        ProblemException problem = (ProblemException) failure(client().publish(HELLO));
        assertTrue(problem.retryAfter().toDays() > 365, () -> "" + problem.retryAfter());
        // Too far away to be counted in nanoseconds.
        server.overloaded("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT");
        ProblemException never = assertInstanceOf(ProblemException.class, failure(client().publish(HELLO)));
        assertTrue(never.retryAfter().toDays() > 365_000, () -> "" + never.retryAfter());
        server.overloaded("Retry-After: soon")
                .overloaded("Retry-After: Thu, 01 Jan 2015 00:00:00 GMT")
                .accept(7);
        assertEquals(7, client().publish(HELLO).join().position().offset());
    }

    @Test
    void doesntRepeatWhatGotAnUnreadableAnswer() {
        for (String garbage : List.of(
                "<html>",
                "[]",
                "{}",
                "{\"topic\":\"room:1\",\"epoch\":\"k3x9\",\"offset\":7}",
                "{\"topic\":\"room:42\",\"epoch\":\"k3x9\",\"offset\":\"7\"}",
                "{\"topic\":\"room:42\",\"epoch\":\"K\",\"offset\":7}",
                "{\"topic\":\"room:42\",\"epoch\":\"k3x9\",\"offset\":7}}")) {
            server.answer("200 OK", garbage);
            BarrageException failure = failure(client().publish(HELLO));
            assertTrue(failure.isOutcomeUnknown());
            assertTrue(failure.getMessage().contains("isn't the gateway's"), failure.getMessage());
        }
        assertEquals(7, server.unseen());
    }

    @Test
    void doesntRepeatWhatGotNoHttp() throws Exception {
        server.raw("SSH-2.0-OpenSSH\r\n\r\n");
        BarrageException failure = failure(client().publish(HELLO));
        assertTrue(failure.getMessage().contains("isn't the gateway's"), failure.getMessage());
        server.next();
        assertEquals(0, server.unseen());
    }

    @Test
    void takesNoEndlessAnswer() {
        server.answer("200 OK", "x".repeat(9 << 20));
        BarrageException failure = failure(client().publish(HELLO));
        assertTrue(failure.getMessage().contains("more than 8388608 bytes"), failure.getMessage());
        assertEquals(1, server.unseen());
    }

    @Test
    void givesUpAtTheDeadline() throws Exception {
        server.silence();
        BarrageException failure =
                failure(client(builder().deadline(Duration.ofSeconds(2))).publish(HELLO));
        assertTrue(failure.isOutcomeUnknown());
        assertTrue(failure.getMessage().startsWith("a publish wasn't answered within 2000 ms, in 1 attempt;"));
        server.awaitGone();
    }

    // ---------------------------------------------------------------- calls that can't be repeated

    @Test
    void doesntRepeatADisconnectThatMayBeDone() {
        server.reset();
        BarrageException failure = failure(client().disconnect("u7"));
        assertTrue(failure.isOutcomeUnknown());
        server.answer("502 Bad Gateway", "");
        assertTrue(failure(client().disconnect("u7")).isOutcomeUnknown());
        // Perhaps the proxy's answer to an answer that it lost.
        server.answer("503 Service Unavailable", "<html>");
        assertTrue(failure(client().disconnect("u7")).isOutcomeUnknown());
        assertEquals(3, server.unseen());
    }

    @Test
    void repeatsADisconnectThatIsntDone() throws Exception {
        server.overloaded()
                .answer("200 OK", "{\"user\":\"u+7\",\"connections\":2,\"affected\":1,\"refused\":{\"not_found\":1}}");
        assertEquals(new Affected("u+7", 2, 1, Map.of("not_found", 1)), get(client().disconnect("u+7", "spam", true)));
        server.next();
        FaultyServer.Seen second = server.next();
        assertTrue(second.head().startsWith("POST /v1/users/u%2B7/disconnect HTTP"), second.head());
        assertEquals("{\"reason\":\"spam\",\"reconnect\":true}", second.body());
    }

    @Test
    void repeatsARetractionByOffsetsOnly() throws Exception {
        server.reset().answer("200 OK", "{\"topic\":\"room:42\",\"retracted\":2}");
        assertEquals(2, get(client().retract("room:42", List.of(18L, 19L))));
        server.next();
        FaultyServer.Seen second = server.next();
        assertTrue(second.head().startsWith("POST /v1/topics/room%3A42/retract HTTP"), second.head());
        assertEquals("{\"offsets\":[18,19]}", second.body());
        server.reset();
        assertTrue(failure(client().retractAllOf("$user:u7", "u8")).isOutcomeUnknown());
        assertEquals("{\"sender\":\"u8\"}", server.next().body());
        assertEquals(0, server.unseen());
    }

    // ---------------------------------------------------------------- several gateways

    @Test
    void turnsToAnotherGatewayIfOneCantBeReached() throws Exception {
        server.accept(7).accept(8);
        BarrageClient client = client(BarrageClient.to(deadUri(), server.uri()).retries(FAST));
        assertEquals(7, get(client.publish(HELLO)).position().offset());
        assertEquals(8, get(client.publish(HELLO)).position().offset());
    }

    @Test
    void turnsToAnotherGatewayIfOneIsOverloaded() throws Exception {
        try (FaultyServer other = new FaultyServer()) {
            server.overloaded("Retry-After: 3600");
            other.accept(7);
            assertEquals(
                    7,
                    get(client(builder(other.uri())).publish(HELLO)).position().offset());
        }
    }

    @Test
    void staysWithTheGatewayThatMayHavePublished() throws Exception {
        try (FaultyServer other = new FaultyServer()) {
            server.reset().overloaded().accept(7);
            assertEquals(
                    7,
                    get(client(builder(other.uri())).publish(HELLO)).position().offset());
            assertEquals(3, server.unseen());
            assertEquals(0, other.unseen());
        }
    }

    @Test
    void knowsThatNothingWasDoneIfNobodyIsThere() throws Exception {
        BarrageException failure = failure(
                client(BarrageClient.to(deadUri(), deadUri()).retries(FAST)).publish(HELLO));
        assertFalse(failure.isOutcomeUnknown());
        assertTrue(failure.getMessage().contains("can't connect"), failure.getMessage());
        assertFalse(failure(client(BarrageClient.to(deadUri()).retries(FAST)).disconnect("u7"))
                .isOutcomeUnknown());
    }

    @Test
    void turnsToAnotherGatewayIfOneIsntReachedInTime() throws Exception {
        int count = 4;
        try (StuckTls stuck = new StuckTls(count)) {
            BarrageClient client = client(BarrageClient.to("https://127.0.0.1:1", server.uri())
                    .sslContext(stuck.context())
                    .attemptTimeout(Duration.ofSeconds(2))
                    .retries(FAST));
            List<CompletableFuture<Published>> publishes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                server.accept(7);
                publishes.add(client.publish(HELLO));
            }
            stuck.await();
            for (CompletableFuture<Published> publish : publishes) {
                assertEquals(7, get(publish).position().offset());
            }
        }
    }

    @Test
    void turnsToAnotherGatewayIfOneNeverShakesHands() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            server.accept(7);
            BarrageClient client = client(BarrageClient.to("https://127.0.0.1:" + deaf.getLocalPort(), server.uri())
                    .attemptTimeout(Duration.ofSeconds(2))
                    .retries(FAST));
            assertEquals(7, get(client.publish(HELLO)).position().offset());
        }
    }

    @Test
    void repeatsElsewhereWhatWasNeverSent() throws Exception {
        try (StuckTls stuck = new StuckTls(1)) {
            server.answer("200 OK", "{\"topic\":\"room:42\",\"retracted\":2}");
            BarrageClient client = client(BarrageClient.to("https://127.0.0.1:1", server.uri())
                    .sslContext(stuck.context())
                    .attemptTimeout(Duration.ofSeconds(2))
                    .retries(FAST));
            assertEquals(2, get(client.retractAllOf("room:42", "u7")));
            stuck.await();
        }
    }

    // ---------------------------------------------------------------- batches

    private static Publish line(int number) {
        return Publish.toTopic("room:42", "{\n \"n\": " + number + "\r\n}");
    }

    private static String answerTo(int line, int offset) {
        return "{\"line\":" + line + ",\"topic\":\"room:42\",\"epoch\":\"k3x9\",\"offset\":" + offset + "}\n";
    }

    @Test
    void sendsTheRestOfABatchAgain() throws Exception {
        server.half(answerTo(1, 1)
                        + "{\"line\":2,\"error\":{\"code\":\"overloaded\",\"message\":\"full\"}}\n{\"line\":3")
                .answer("200 OK", answerTo(1, 2) + answerTo(2, 3));
        List<Published> answers =
                get(client().publishAll(List.of(line(1), line(2), line(3), line(4).messageId("mine"))));
        FaultyServer.Seen first = server.next();
        FaultyServer.Seen second = server.next();
        List<String> lines = first.body().lines().toList();
        assertEquals(4, lines.size());
        assertTrue(first.head().contains("ontent-type: application/x-ndjson\n"), first.head());
        assertTrue(lines.get(0).endsWith(",\"data\":{  \"n\": 1  }}"), lines.get(0));
        assertTrue(lines.get(3).contains("\"messageId\":\"mine\""), lines.get(3));
        assertEquals(lines.get(2) + "\n" + lines.get(3) + "\n", second.body());
        assertEquals(1, answers.get(0).position().offset());
        assertEquals(
                new Outcome.Refused("room:42", "overloaded", "full"),
                answers.get(1).outcome());
        assertThrows(IllegalStateException.class, () -> answers.get(1).position());
        assertEquals(2, answers.get(2).position().offset());
        assertEquals(3, answers.get(3).position().offset());
        assertEquals("mine", answers.get(3).messageId());
    }

    @Test
    void sendsTheRestOfABatchAgainIfItsAnswerEndsEarly() throws Exception {
        server.answer("200 OK", answerTo(1, 1)).answer("200 OK", answerTo(1, 2));
        List<Published> answers = get(client().publishAll(List.of(line(1), line(2))));
        assertEquals(2, answers.get(1).position().offset());
    }

    @Test
    void knowsABatchWhoseAnswersHaveAllCome() throws Exception {
        String all = answerTo(1, 1) + answerTo(2, 2);
        List<Publish> lines = List.of(line(1), line(2));
        server.half(all);
        List<Published> answers =
                get(client(builder().retries(RetryPolicy.NONE)).publishAll(lines));
        assertEquals(2, answers.get(1).position().offset());
        server.stall(all);
        answers = get(client(builder().attemptTimeout(Duration.ofSeconds(2))).publishAll(lines));
        assertEquals(2, answers.get(1).position().offset());
        server.stall(all);
        answers = get(client(builder().deadline(Duration.ofSeconds(2))).publishAll(lines));
        assertEquals(2, answers.get(1).position().offset());
        assertEquals(3, server.unseen());
    }

    @Test
    void tellsWhichOfABatchHaveAnAnswer() throws Exception {
        server.half(answerTo(1, 1)).answer("401 Unauthorized", "{\"code\":\"unauthorized\"}");
        BarrageClient client = client();
        BatchException failure =
                assertInstanceOf(BatchException.class, failure(client.publishAll(List.of(line(1), line(2), line(3)))));
        assertEquals(401, ((ProblemException) failure.getCause()).status());
        assertTrue(failure.isOutcomeUnknown());
        assertTrue(failure.getMessage().endsWith("; 1 of 3 publishes have an answer"), failure.getMessage());
        assertEquals(1, failure.answers().get(0).orElseThrow().position().offset());
        assertEquals(
                List.of(Optional.empty(), Optional.empty()), failure.answers().subList(1, 3));
        server.answer("200 OK", answerTo(1, 2) + answerTo(2, 3));
        assertEquals(
                3,
                get(client.publishAll(failure.unanswered())).get(1).position().offset());
        List<String> first = server.next().body().lines().toList();
        server.next();
        assertEquals(first.subList(1, 3), server.next().body().lines().toList());
    }

    @Test
    void tellsWhatOfABatchCameUntilTheDeadline() {
        server.stall(answerTo(1, 1));
        BatchException failure = assertInstanceOf(
                BatchException.class,
                failure(client(builder().deadline(Duration.ofSeconds(2))).publishAll(List.of(line(1), line(2)))));
        assertEquals(1, failure.answers().get(0).orElseThrow().position().offset());
        assertEquals(1, failure.unanswered().size());
    }

    @Test
    void takesNoAnswersToLinesThatWerentSent() {
        server.answer("200 OK", answerTo(1, 1) + answerTo(3, 2));
        BarrageException failure = failure(client().publishAll(List.of(line(1), line(2))));
        assertTrue(failure.getMessage().contains("line 3 of 2"), failure.getMessage());
    }

    @Test
    void refusesABatchThatIsTooLargeAndSendsNoneThatIsEmpty() throws Exception {
        BarrageClient client = client();
        assertEquals(List.of(), get(client.publishAll(List.of())));
        List<String> topics =
                IntStream.range(0, 1000).mapToObj(i -> "room:" + i).toList();
        Publish wide = Publish.toTopics(topics, "1");
        assertThrows(IllegalArgumentException.class, () -> client.publishAll(List.of(wide, wide, HELLO)));
        assertEquals(0, server.unseen());
    }

    @Test
    void readsAllKindsOfOutcomes() throws Exception {
        server.answer(
                "200 OK",
                "{\"results\":[{\"topic\":\"$user:a\",\"epoch\":\"e\",\"offset\":9007199254740991,\"duplicate\":true},"
                        + "{\"topic\":\"$user:b\",\"shed\":\"budget\"},"
                        + "{\"topic\":\"$user:c\",\"key\":\"likes\",\"new\":[{}]},"
                        + "{\"topic\":\"$user:d\",\"error\":{\"code\":\"not_permitted\",\"message\":\"no\"}}]}");
        Published published = get(client().publish(Publish.toUsers(List.of("a", "b", "c", "d"), "1")));
        assertEquals(
                List.of(
                        new Outcome.Accepted("$user:a", new Position("e", Position.MAX_OFFSET), true),
                        new Outcome.Shed("$user:b", "budget", false),
                        new Outcome.Merged("$user:c", "likes", false),
                        new Outcome.Refused("$user:d", "not_permitted", "no")),
                published.outcomes());
        assertThrows(IllegalStateException.class, published::outcome);
    }

    // ---------------------------------------------------------------- bounds and the end

    @Test
    void failsAtOnceOverItsBound() throws Exception {
        server.silence().silence().accept(7);
        BarrageClient client = client(builder().maxInFlight(2));
        CompletableFuture<Published> first = client.publish(HELLO);
        CompletableFuture<Published> second = client.publish(HELLO);
        server.next();
        server.next();
        CompletableFuture<Published> third = client.publish(HELLO);
        assertTrue(third.isCompletedExceptionally());
        assertFalse(assertInstanceOf(BusyException.class, failure(third)).isOutcomeUnknown());
        // One that isn't wanted any more makes room.
        first.cancel(false);
        assertEquals(7, get(client.publish(HELLO)).position().offset());
        assertFalse(second.isDone());
    }

    @Test
    void stopsTryingWhenCancelled() throws Exception {
        server.silence();
        CompletableFuture<Published> published = client().publish(HELLO);
        server.next();
        published.cancel(true);
        assertThrows(CancellationException.class, published::join);
        server.awaitGone();
        assertEquals(0, server.unseen());
    }

    @Test
    void hasRoomAgainWhenAnAnswerIsThere() throws Exception {
        BarrageClient client = client(builder().maxInFlight(1));
        for (int i = 1; i <= 50; i++) {
            server.accept(i);
        }
        for (int i = 1; i <= 50; i++) {
            assertEquals(i, get(client.publish(HELLO)).position().offset());
        }
    }

    @Test
    void letsCallbacksBlock() throws Exception {
        BarrageClient client = client();
        List<CompletableFuture<Long>> chains = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            server.accept(1).accept(1);
            chains.add(client.publish(HELLO)
                    .thenApply(
                            ignored -> client.publish(HELLO).join().position().offset()));
        }
        for (CompletableFuture<Long> chain : chains) {
            assertEquals(1, get(chain));
        }
    }

    /** Waits for {@code gate}; whoever calls this blocks. */
    private static void pass(CountDownLatch gate) {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void callbacksThatBlockHoldNobodyUp() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        BarrageClient client = client();
        try {
            for (int i = 0; i < 16; i++) {
                CompletableFuture<Void> begun = new CompletableFuture<>();
                client.publish(HELLO).thenRun(() -> {
                    begun.complete(null);
                    pass(over);
                });
                // Answered when the callback is there, or it would run here.
                server.accept(1);
                get(begun);
            }
            server.accept(7);
            assertEquals(7, get(client.publish(HELLO)).position().offset());
        } finally {
            over.countDown();
        }
    }

    @Test
    void isAnsweredThoughTheCommonPoolIsBlocked() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        int workers = ForkJoinPool.getCommonPoolParallelism();
        CountDownLatch blocked = new CountDownLatch(workers);
        try {
            for (int i = 0; i < workers; i++) {
                ForkJoinPool.commonPool().execute(() -> {
                    blocked.countDown();
                    pass(over);
                });
            }
            pass(blocked);
            server.accept(7).overloaded("Retry-After: 0").half("{").accept(8);
            BarrageClient client = client(builder().attemptTimeout(Duration.ofMinutes(1)));
            assertEquals(7, get(client.publish(HELLO)).position().offset());
            assertEquals(8, get(client.publish(HELLO)).position().offset());
        } finally {
            over.countDown();
        }
    }

    @Test
    void keepsItsConnection() throws Exception {
        BarrageClient client = client();
        for (int i = 1; i <= 20; i++) {
            server.accept(i);
            assertEquals(i, get(client.publish(HELLO)).position().offset());
        }
        assertEquals(1, server.connections());
    }

    @Test
    void closesWhenCallsAreAnswered() throws Exception {
        server.reset().reset().accept(7);
        BarrageClient client =
                client(builder().retries(new RetryPolicy(3, Duration.ofMillis(50), Duration.ofMillis(50))));
        CompletableFuture<Published> published = client.publish(HELLO);
        client.close();
        assertEquals(7, get(published).position().offset());
        BarrageException failure = failure(client.publish(HELLO));
        assertEquals("the client is closed: nothing was sent", failure.getMessage());
        client.close();
    }

    @Test
    void givesUpWhatIsLeftWhenClosed() throws Exception {
        server.silence();
        BarrageClient client = client();
        CompletableFuture<Published> published = client.publish(HELLO);
        server.next();
        client.close(Duration.ZERO);
        BarrageException failure = failure(published);
        assertTrue(failure.isOutcomeUnknown());
        assertTrue(failure.getMessage().contains("before the client was closed"), failure.getMessage());
    }

    @Test
    void closesThoughAConnectionHangs() throws Exception {
        try (StuckTls stuck = new StuckTls(1)) {
            BarrageClient client =
                    client(BarrageClient.to("https://127.0.0.1:1").sslContext(stuck.context()));
            CompletableFuture<Published> published = client.publish(HELLO);
            stuck.await();
            client.close(Duration.ZERO);
            BarrageException failure = failure(published);
            assertFalse(failure.isOutcomeUnknown());
            assertTrue(failure.getMessage().contains("before the client was closed"), failure.getMessage());
        }
    }

    @Test
    void closesWithAnyPatience() throws Exception {
        server.accept(7).silence();
        BarrageClient client = client();
        get(client.publish(HELLO));
        client.close(Duration.ofSeconds(Long.MAX_VALUE));
        BarrageClient other = client();
        CompletableFuture<Published> published = other.publish(HELLO);
        other.close(Duration.ofSeconds(Long.MIN_VALUE));
        failure(published);
    }

    @Test
    void leavesNoThreadsOfItsOwn() throws Exception {
        server.accept(7);
        BarrageClient client = client();
        get(client.publish(HELLO));
        List<Thread> own = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("barrage-client-"))
                .toList();
        assertFalse(own.isEmpty());
        clients.forEach(BarrageClient::close);
        for (Thread thread : own) {
            thread.join(TimeUnit.SECONDS.toMillis(20));
            assertFalse(thread.isAlive(), thread.getName());
        }
    }

    // ---------------------------------------------------------------- what it is built with

    @Test
    void refusesWhatCantBe() {
        for (String uri : List.of("127.0.0.1:8081", "ftp://gateway", "http://gateway?x=1", "http:///path", "/v1")) {
            assertThrows(IllegalArgumentException.class, () -> BarrageClient.to(uri), uri);
        }
        BarrageClient.Builder builder = builder();
        assertThrows(IllegalArgumentException.class, () -> builder.apiKey("two words"));
        assertThrows(IllegalArgumentException.class, () -> builder.apiKey(""));
        assertThrows(IllegalArgumentException.class, () -> builder.deadline(Duration.ofMinutes(5)));
        assertThrows(IllegalArgumentException.class, () -> builder.deadline(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> builder.attemptTimeout(Duration.ofMillis(-1)));
        assertThrows(IllegalArgumentException.class, () -> builder.maxInFlight(0));
        BarrageClient client = client();
        assertThrows(IllegalArgumentException.class, () -> client.retract("room:42", List.of()));
        assertThrows(IllegalArgumentException.class, () -> client.retract("room:42", List.of(0L)));
        assertThrows(IllegalArgumentException.class, () -> client.retract("$else:42", List.of(1L)));
        assertThrows(IllegalArgumentException.class, () -> client.disconnect("a/b"));
        assertThrows(IllegalArgumentException.class, () -> client.disconnect("a", "x".repeat(91), false));
        assertThrows(IllegalArgumentException.class, () -> client.disconnect("a", "\ud83d", false));
        assertThrows(IllegalArgumentException.class, () -> client.subscribe("a", "$user:b"));
    }
}
