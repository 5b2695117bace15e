package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.client.Affected;
import io.barrage.client.BarrageClient;
import io.barrage.client.BusyException;
import io.barrage.client.Outcome;
import io.barrage.client.ProblemException;
import io.barrage.client.Publish;
import io.barrage.client.Published;
import io.barrage.client.RetryPolicy;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.testkit.LossyTunnel;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Priority;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.core.json.JsonFactory;

/** The Java client and a gateway: what it publishes arrives at subscribers once, however bad the network between them is. */
@Timeout(120)
class PublisherClientIT {
    private static final String SHOP = ApiKeys.generate();
    private static final String DESK = ApiKeys.generate();
    private static final RetryPolicy STUBBORN = new RetryPolicy(100, Duration.ofMillis(1), Duration.ofMillis(5));

    private static GatewayUnderTest gateway;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        gateway = GatewayUnderTest.start("metrics: {open: true}\nbackend:\n  host: 127.0.0.1\n  port: 0\n  keys:\n"
                + "    - {name: shop, hash: \"" + ApiKeys.hash(SHOP) + "\", scopes: [publish], topics: [\"room:*\"]}\n"
                + "    - {name: desk, hash: \"" + ApiKeys.hash(DESK) + "\", scopes: [publish, control]}\n"
                + "namespaces: [{name: room, presence: \"off\", history: {size: 50, ttl: 10m}}]\n");
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static String uri() {
        return "http://127.0.0.1:" + gateway.backendPort();
    }

    private static BarrageClient client(String key) {
        return BarrageClient.to(uri()).apiKey(key).build();
    }

    private static BarrageClient.Builder stubborn(LossyTunnel tunnel) {
        return BarrageClient.to(tunnel.uri())
                .apiKey(DESK)
                .retries(STUBBORN)
                .deadline(Duration.ofSeconds(60))
                .attemptTimeout(Duration.ofSeconds(20));
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(90, TimeUnit.SECONDS);
    }

    private static ProblemException problem(CompletableFuture<?> future) {
        return assertInstanceOf(
                ProblemException.class,
                assertThrows(ExecutionException.class, () -> get(future)).getCause());
    }

    /** Reads so many messages, whose data are numbers, and sees that their offsets grow by 1. */
    private static List<Integer> numbers(RawWebSocket subscriber, int count) throws IOException {
        return numbers(subscriber, 0, count);
    }

    /** The same, of the messages that follow so many others. */
    private static List<Integer> numbers(RawWebSocket subscriber, int before, int count) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        for (int i = before + 1; i <= before + count; i++) {
            String message = subscriber.expect("message");
            assertEquals(i, Integer.parseInt(GatewayUnderTest.find("\"offset\":(\\d+)", message)));
            numbers.add(Integer.parseInt(GatewayUnderTest.find("\"data\":(\\d+)", message)));
        }
        return numbers;
    }

    /** Sees that what comes next is what is published now: that there was no message more. */
    private static void expectNoMore(RawWebSocket subscriber, String topic, int count) throws Exception {
        try (BarrageClient direct = client(DESK)) {
            assertEquals(
                    count + 1,
                    get(direct.publish(Publish.toTopic(topic, "\"end\"")))
                            .position()
                            .offset());
        }
        assertTrue(subscriber.expect("message").endsWith("\"data\":\"end\"}"));
    }

    private static List<Integer> upTo(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    // ---------------------------------------------------------------- once, whatever is lost

    @Test
    void publishesOnceThoughAnswersAreLost() throws Exception {
        int count = 400;
        try (LossyTunnel tunnel = new LossyTunnel(gateway.backendPort(), 0.4, 42);
                BarrageClient client = stubborn(tunnel).maxInFlight(count).build();
                RawWebSocket subscriber = gateway.subscriber("room:lost")) {
            List<CompletableFuture<Published>> all = upTo(count).stream()
                    .map(i -> client.publish(Publish.toTopic("room:lost", Integer.toString(i))))
                    .toList();
            int duplicates = 0;
            List<Long> offsets = new ArrayList<>();
            for (CompletableFuture<Published> one : all) {
                Outcome.Accepted accepted = assertInstanceOf(Outcome.Accepted.class, get(one).outcome());
                duplicates += accepted.duplicate() ? 1 : 0;
                offsets.add(accepted.position().offset());
            }
            List<Integer> seen = numbers(subscriber, count);
            assertEquals(upTo(count), seen.stream().sorted().toList());
            for (int i = 0; i < count; i++) {
                assertEquals(i, seen.get((int) (offsets.get(i) - 1)), "the answer's offset is the message's");
            }
            expectNoMore(subscriber, "room:lost", count);
            assertTrue(tunnel.lostAnswers() > count / 4, "lost answers: " + tunnel.lostAnswers());
            assertTrue(tunnel.lostRequests() > 0, "lost requests");
            assertTrue(duplicates > count / 8, "repeats of what was published: " + duplicates);
        }
    }

    @Test
    void publishesBatchesOnceAndInOrderThoughAnswersAreLost() throws Exception {
        int batches = 30;
        int lines = 100;
        try (LossyTunnel tunnel = new LossyTunnel(gateway.backendPort(), 0.5, 7);
                BarrageClient client = stubborn(tunnel).build();
                RawWebSocket subscriber = gateway.subscriber("room:batch")) {
            for (int batch = 0; batch < batches; batch++) {
                int first = batch * lines;
                List<Published> answers = get(client.publishAll(IntStream.range(first, first + lines)
                        .mapToObj(i -> Publish.toTopic("room:batch", Integer.toString(i)))
                        .toList()));
                for (int i = 0; i < lines; i++) {
                    assertEquals(first + i + 1, answers.get(i).position().offset());
                }
                // Read as they come: how much waits for a subscriber who doesn't read is the kernel's choice.
                assertEquals(IntStream.range(first, first + lines).boxed().toList(), numbers(subscriber, first, lines));
            }
            expectNoMore(subscriber, "room:batch", batches * lines);
            assertTrue(tunnel.lostAnswers() >= batches / 4, "lost answers: " + tunnel.lostAnswers());
        }
    }

    @Test
    void finishesWhatIsInFlightWhenClosed() throws Exception {
        int count = 100;
        try (LossyTunnel tunnel = new LossyTunnel(gateway.backendPort(), 0.3, 3);
                RawWebSocket subscriber = gateway.subscriber("room:close")) {
            BarrageClient client = stubborn(tunnel).build();
            List<CompletableFuture<Published>> all = upTo(count).stream()
                    .map(i -> client.publish(Publish.toTopic("room:close", Integer.toString(i))))
                    .toList();
            client.close();
            for (CompletableFuture<Published> one : all) {
                get(one).position();
            }
            assertEquals(
                    upTo(count), numbers(subscriber, count).stream().sorted().toList());
            expectNoMore(subscriber, "room:close", count);
        }
    }

    @Test
    void holdsItsBoundWhileAGatewayIsAway() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0);
                BarrageClient client = BarrageClient.to("http://127.0.0.1:" + deaf.getLocalPort(), uri())
                        .apiKey(DESK)
                        .maxInFlight(10)
                        .deadline(Duration.ofSeconds(60))
                        .attemptTimeout(Duration.ofSeconds(60))
                        .build()) {
            List<CompletableFuture<Published>> waiting = upTo(10).stream()
                    .map(i -> client.publish(Publish.toTopic("room:bound", "1")))
                    .toList();
            CompletableFuture<Published> oneMore = client.publish(Publish.toTopic("room:bound", "1"));
            assertInstanceOf(
                    BusyException.class,
                    assertThrows(ExecutionException.class, oneMore::get).getCause());
            waiting.forEach(one -> assertFalse(one.isDone()));
            waiting.forEach(one -> one.cancel(true));
        }
    }

    // ---------------------------------------------------------------- what there is

    /** A user's WebSocket, on the topic of its pushes and what {@code more} asks for. */
    private static RawWebSocket userOn(String user, String more) throws IOException {
        RawWebSocket socket = gateway.webSocket("?user=" + user + more);
        socket.expect("subscribed");
        return socket;
    }

    @Test
    void publishesWhatTheApiHas() throws Exception {
        try (BarrageClient client = client(DESK);
                RawWebSocket user = userOn("u7", "&topic=room:all")) {
            user.expect("subscribed");
            Published chosen = get(client.publish(Publish.toTopic("room:all", "{\"text\":\"弹幕\"}")
                    .messageId("mine")
                    .sender("u1")
                    .priority(Priority.HIGH)
                    .ttl(Duration.ofMinutes(1))));
            assertEquals("mine", chosen.messageId());
            String message = user.expect("message");
            assertTrue(message.contains("\"sender\":\"u1\",\"priority\":\"high\",\"data\":{\"text\":\"弹幕\"}"), message);
            assertEquals(
                    new Outcome.Accepted("room:all", chosen.position(), true),
                    get(client.publish(Publish.toTopic("room:all", "2").messageId("mine")))
                            .outcome());

            assertEquals(
                    new Outcome.Merged("room:all", "likes", false),
                    get(client.publish(Publish.toTopic("room:all", "3").mergedInto("likes", Merge.SUM)))
                            .outcome());
            assertTrue(user.expect("value").endsWith("\"key\":\"likes\",\"data\":3}"));

            Published pushed = get(client.publish(Publish.toUser("u7", "\"you\"")));
            assertEquals("$user:u7", pushed.outcome().topic());
            assertTrue(user.expect("message").endsWith("\"data\":\"you\"}"));

            List<Outcome> several = get(client.publish(Publish.toTopics(List.of("room:all", "room:other"), "4")))
                    .outcomes();
            assertEquals("room:other", several.get(1).topic());
            user.expect("message");

            assertEquals(
                    1, get(client.retract("room:all", List.of(chosen.position().offset()))));
            user.expect("retract");
            assertEquals(0, get(client.retractAllOf("room:all", "u1")));
        }
    }

    @Test
    void controlsAUsersConnections() throws Exception {
        try (BarrageClient client = client(DESK);
                RawWebSocket user = userOn("u%2B8", "")) {
            assertEquals(new Affected("u+8", 1, 1, Map.of()), get(client.subscribe("u+8", "room:in")));
            user.expect("subscribed");
            assertEquals(
                    Map.of("already_subscribed", 1),
                    get(client.subscribe("u+8", "room:in")).refused());
            get(client.unsubscribe("u+8", "room:in", "off duty"));
            assertTrue(user.expect("unsubscribed").contains("off duty"));
            assertEquals(1, get(client.disconnect("u+8", "spam", true)).affected());
            user.expectClose(4503);
        }
    }

    @Test
    void tellsWhatTheGatewayRefuses() throws Exception {
        try (BarrageClient shop = client(SHOP);
                BarrageClient stranger = client(ApiKeys.generate())) {
            ProblemException unknown = problem(stranger.publish(Publish.toTopic("room:1", "1")));
            assertEquals(401, unknown.status());
            assertEquals("unauthorized", unknown.code());
            assertFalse(unknown.isOutcomeUnknown());
            ProblemException scope = problem(shop.disconnect("u7"));
            assertEquals("forbidden", scope.code());
            ProblemException topic = problem(shop.publish(Publish.toTopic("other:1", "1")));
            assertEquals("not_permitted", topic.code());
            assertEquals("Forbidden", topic.title());
            assertTrue(topic.detail().startsWith("API key 'shop' may not publish"), topic.detail());

            List<Published> batch = get(shop.publishAll(List.of(
                    Publish.toTopic("room:1", "1"),
                    Publish.toTopic("other:1", "1"),
                    Publish.toTopic("room:1", "\"" + "x".repeat(70_000) + "\""),
                    Publish.toTopics(List.of("room:1", "other:1"), "1"))));
            assertEquals(1, batch.get(0).position().offset());
            assertEquals("not_permitted", ((Outcome.Refused) batch.get(1).outcome()).code());
            Outcome.Refused tooLarge = (Outcome.Refused) batch.get(2).outcome();
            assertEquals("too_large", tooLarge.code());
            assertEquals("room:1", tooLarge.topic());
            assertInstanceOf(Outcome.Accepted.class, batch.get(3).outcomes().get(0));
            assertInstanceOf(Outcome.Refused.class, batch.get(3).outcomes().get(1));
            assertEquals(
                    "too_large",
                    problem(shop.publish(Publish.toTopic("room:1", "\"" + "x".repeat(70_000) + "\"")))
                            .code());
        }
    }

    @Test
    void publishesToManyTopicsInABatch() throws Exception {
        List<String> topics = IntStream.range(0, 1000)
                .mapToObj(i -> "room:" + "x".repeat(190) + i)
                .toList();
        String longest = "\"" + "x".repeat((64 << 10) - 2) + "\"";
        try (BarrageClient client = client(DESK)) {
            List<Published> answers = get(client.publishAll(List.of(
                    Publish.toTopics(topics, "1"),
                    Publish.toTopics(topics.subList(0, 25), longest).messageId("mine"))));
            assertEquals(topics, topicsThatAccepted(answers.get(0)));
            assertEquals(topics.subList(0, 25), topicsThatAccepted(answers.get(1)));
            assertEquals("mine", answers.get(1).messageId());
        }
    }

    private static List<String> topicsThatAccepted(Published published) {
        return published.outcomes().stream()
                .map(outcome ->
                        assertInstanceOf(Outcome.Accepted.class, outcome).topic())
                .toList();
    }

    // ---------------------------------------------------------------- the page

    @Test
    void doesWhatItsPageShows() throws Exception {
        String page = Files.readString(Path.of("..", "docs", "java-client.md"));
        List<String> examples = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(result -> result.group(1))
                .toList();
        assertEquals(2, examples.size());
        StringBuilder source = new StringBuilder("""
                import io.barrage.client.*;
                import io.barrage.protocol.*;
                import java.time.Duration;
                import java.util.List;
                import java.util.concurrent.*;
                public class OfThePage {
                """);
        for (int i = 0; i < examples.size(); i++) {
            source.append("public static void example" + i + "() throws Exception {\n")
                    .append(examples.get(i)
                            .replace("http://127.0.0.1:8081", uri())
                            .replace("System.getenv(\"GATEWAY_KEY\")", "\"" + DESK + "\""))
                    .append("}\n");
        }
        compile("OfThePage", source.append("}\n").toString());
        try (URLClassLoader loader = new URLClassLoader(
                        new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
                RawWebSocket subscriber = userOn("u7", "&topic=room:42")) {
            subscriber.expect("subscribed");
            for (int i = 0; i < examples.size(); i++) {
                loader.loadClass("OfThePage").getMethod("example" + i).invoke(null);
            }
            assertTrue(subscriber.expect("message").endsWith("\"data\":{\"text\":\"hello\"}}"));
            assertTrue(subscriber.expect("message").contains("\"priority\":\"critical\""));
            assertTrue(subscriber.expect("message").contains("\"topic\":\"$user:u7\""));
        }
    }

    private void compile(String name, String text) throws Exception {
        Path source = Files.writeString(folder.resolve(name + ".java"), text);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        boolean compiled = compiler.getTask(
                        said,
                        null,
                        null,
                        List.of(
                                "-proc:none",
                                "-cp",
                                library(BarrageClient.class) + File.pathSeparator + library(JsonFactory.class),
                                "-d",
                                folder.toString()),
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
                .call();
        assertTrue(compiled, said.toString());
    }

    private static Path library(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    @Test
    void itsPageHasTheValuesThatHold() throws Exception {
        String page = Files.readString(Path.of("..", "docs", "java-client.md"));
        RetryPolicy retries = RetryPolicy.DEFAULT;
        for (String cell : List.of(
                "| `deadline` | 10 s |",
                "| `attemptTimeout` | 3 s |",
                "| `maxInFlight` | 256 |",
                "| `retries` | " + retries.maxAttempts() + " attempts, "
                        + retries.firstDelay().toMillis() + " ms, doubling to "
                        + retries.maxDelay().toSeconds() + " s |",
                "at most " + BarrageClient.MAX_DEADLINE.toMinutes() + " minutes",
                String.format(Locale.ROOT, "%,d", BarrageClient.MAX_BATCH_TARGETS) + " targets")) {
            assertTrue(page.contains(cell), cell);
        }
        try (BarrageClient client = client(DESK)) {
            String built = client.toString();
            assertTrue(built.contains("deadline=PT10S, attemptTimeout=PT3S, maxInFlight=256"), built);
        }
    }
}
