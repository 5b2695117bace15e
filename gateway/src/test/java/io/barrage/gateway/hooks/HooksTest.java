package io.barrage.gateway.hooks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TopicPatterns;
import io.barrage.gateway.broker.HookFailure;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.testkit.HookBackend;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** The hooks over real sockets to a real server. */
@Timeout(60)
class HooksTest {
    private static final Asker ASKER = new Asker("n1-1", "u7", true, "192.0.2.1");
    private static final TopicName ROOM = TopicName.of("room:1");
    private static final String SECOND_SECRET = "whsec_" + "B".repeat(43) + "=";

    /** Longer than any test: nothing here passes by waiting for it. */
    private static final String LONG = "timeout: 1m";

    private final LinkedBlockingQueue<String> counted = new LinkedBlockingQueue<>();
    private final HookMetrics metrics = new HookMetrics() {
        @Override
        public void called(HookKind hook, HookOutcome outcome, long nanos) {
            counted.add(hook.wire() + " " + outcome.wire());
        }

        @Override
        public void saturated(HookKind hook) {
            counted.add(hook.wire() + " saturated");
        }
    };
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private HookBackend backend;
    private @Nullable Hooks hooks;

    @BeforeEach
    void start() throws IOException {
        backend = new HookBackend();
        logged.start();
        ((Logger) LoggerFactory.getLogger(Hooks.class)).addAppender(logged);
    }

    @AfterEach
    void stop() {
        if (hooks != null) {
            hooks.close();
        }
        backend.close();
        ((Logger) LoggerFactory.getLogger(Hooks.class)).detachAppender(logged);
    }

    private Hooks hooks(String... parts) {
        return hooks(rules(parts));
    }

    private Hooks hooks(HookRules rules) {
        hooks = new Hooks(() -> rules, TopicName::namespace, "n1", () -> 64 * 1024, metrics);
        return hooks;
    }

    private static HookRules rules(String... parts) {
        return HookRules.of(ConfigReader.parse(
                HooksConfig.class, "{secret: '" + HookBackend.SECRET + "', " + String.join(", ", parts) + "}"));
    }

    private String hook(String name, String... more) {
        return name + ": {url: '" + backend.url("/" + name) + "', "
                + String.join(", ", more.length == 0 ? new String[] {LONG} : more) + "}";
    }

    private static PublishRequest request(String data) {
        return new PublishRequest(List.of(), true, data.getBytes(UTF_8), Priority.NORMAL, null, null, 0, null);
    }

    private static CompletableFuture<Verdict> publish(Hooks hooks, @Nullable HookFailure rule) {
        return hooks.publish(ASKER, ROOM, request("{\"text\": \"弹幕 \\u0000\"}"), rule);
    }

    private static ProtocolException refusal(CompletableFuture<?> decision) {
        return assertInstanceOf(
                ProtocolException.class,
                assertThrows(CompletionException.class, decision::join).getCause());
    }

    private static String data(CompletableFuture<Verdict> decision) {
        return new String(
                assertInstanceOf(Verdict.Allowed.class, decision.join())
                        .request()
                        .data(),
                UTF_8);
    }

    private String nextCount() throws InterruptedException {
        return assertNotNull(counted.poll(20, TimeUnit.SECONDS));
    }

    private static String assertNotNull(@Nullable String text) {
        org.junit.jupiter.api.Assertions.assertNotNull(text);
        return text;
    }

    private String complaint() {
        return logged.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .reduce((first, second) -> first + "\n" + second)
                .orElse("nothing");
    }

    // ---------------------------------------------------------------- questions and answers

    @Test
    void asksWhetherSomebodyMayConnect() throws Exception {
        backend.answer("/connect", call -> HookBackend.ok("{\"allow\":true,\"join\":[\"room:1\"]}"));
        Grant granted =
                new Grant("u7", true, 0, "{\"name\": \"Ann\"}", TopicPatterns.NONE, TopicPatterns.NONE, List.of());
        Grant grant = hooks(hook("connect"))
                .connect(ASKER, granted, "https://live.example", null, null)
                .join();
        assertEquals(List.of(ROOM), grant.join());
        assertEquals(
                "{\"type\":\"connect\",\"connection\":\"n1-1\",\"user\":\"u7\",\"authenticated\":true,"
                        + "\"address\":\"192.0.2.1\",\"origin\":\"https://live.example\",\"info\":{\"name\": \"Ann\"}}",
                backend.next("/connect").body());
        assertEquals("connect allowed", nextCount());
    }

    @Test
    void asksNobodyWithoutAHook() {
        Hooks none = hooks(HookRules.NONE);
        assertFalse(none.asksOnConnecting());
        assertEquals(
                Grant.ANONYMOUS,
                none.connect(ASKER, Grant.ANONYMOUS, null, null, null).join());
        assertEquals(
                ErrorCode.HOOK_FAILED,
                refusal(none.subscribe(ASKER, ROOM, null)).code());
        assertEquals(
                ErrorCode.HOOK_FAILED, refusal(publish(none, HookFailure.ALLOW)).code());
    }

    @Test
    void asksWhetherItMaySubscribe() throws Exception {
        backend.answer(
                "/subscribe",
                call -> call.has("room:1")
                        ? HookBackend.ok("{\"allow\":true}")
                        : HookBackend.ok("{\"allow\":false,\"reason\":\"members only\"}"));
        Hooks asking = hooks(hook("subscribe"));
        assertNull(asking.subscribe(ASKER, ROOM, null).join());
        assertEquals(
                "{\"type\":\"subscribe\",\"connection\":\"n1-1\",\"user\":\"u7\",\"authenticated\":true,"
                        + "\"address\":\"192.0.2.1\",\"topic\":\"room:1\"}",
                backend.next("/subscribe").body());
        ProtocolException refusal = refusal(asking.subscribe(ASKER, TopicName.of("room:2"), HookFailure.ALLOW));
        assertEquals(ErrorCode.REFUSED, refusal.code());
        assertEquals("members only", refusal.getMessage());
        assertEquals("subscribe allowed", nextCount());
        assertEquals("subscribe refused", nextCount());
    }

    @Test
    void carriesDataByteForByteBothWays() throws Exception {
        String rewritten = "{ \"text\":\t\"\\u5f39 幕\" }";
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true,\"data\":" + rewritten + "}"));
        CompletableFuture<Verdict> decision = publish(hooks(hook("publish")), null);
        assertEquals(rewritten, data(decision));
        assertEquals(
                "{\"type\":\"publish\",\"connection\":\"n1-1\",\"user\":\"u7\",\"authenticated\":true,"
                        + "\"address\":\"192.0.2.1\",\"topic\":\"room:1\",\"priority\":\"normal\","
                        + "\"data\":{\"text\": \"弹幕 \\u0000\"}}",
                backend.next("/publish").body());
        assertEquals("publish rewritten", nextCount());
    }

    // ---------------------------------------------------------------- failures, and the rule for them

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "500 | {\"allow\":true}  | status 500; an answer has 200",
                "403 | {\"allow\":false} | status 403; an answer has 200",
                "302 | {\"allow\":true}  | status 302; an answer has 200",
                "200 | <html>            | an answer that isn't understood: not JSON at line 1, column 1",
                "200 | ``                | an answer that isn't understood: expected a JSON object, found nothing",
                "200 | {\"allow\":1}     | an answer that isn't understood: field 'allow' must be true or false",
            })
    void holdsTheRuleForAnAnswerThatIsNone(int status, String body, String complaint) throws Exception {
        backend.answer("/publish", call -> new HookBackend.Answer(status, body));
        Hooks asking = hooks(hook("publish", LONG, "onFailure: allow"));
        ProtocolException refusal = refusal(publish(asking, HookFailure.REFUSE));
        assertEquals(ErrorCode.HOOK_FAILED, refusal.code());
        assertEquals("the backend had to be asked, and gave no answer that counts", refusal.getMessage());
        assertEquals("{\"text\": \"弹幕 \\u0000\"}", data(publish(asking, null)));
        assertEquals("publish failed", nextCount());
        assertTrue(complaint().contains(complaint), complaint());
        assertTrue(complaint().contains("hook=publish"), complaint());
        assertEquals(1, logged.list.size(), "one line, though it failed twice");
    }

    @Test
    void holdsTheRuleWhenNoAnswerComesInTime() throws Exception {
        backend.answer("/publish", call -> HookBackend.never());
        Hooks asking = hooks(hook("publish", "timeout: 50ms"));
        assertEquals(ErrorCode.HOOK_FAILED, refusal(publish(asking, null)).code());
        assertEquals("publish timeout", nextCount());
        assertEquals("{\"text\": \"弹幕 \\u0000\"}", data(publish(asking, HookFailure.ALLOW)));
        assertEquals("publish timeout", nextCount());
    }

    @Test
    void lastsForTheWholeAnswerAndHangsUp() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Hooks asking = hooks("publish: {url: 'http://127.0.0.1:" + server.getLocalPort() + "/', timeout: 1s}");
            CompletableFuture<Verdict> decision = publish(asking, null);
            try (Socket socket = server.accept()) {
                InputStream in = readRequest(socket);
                socket.getOutputStream()
                        .write("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"allow\"".getBytes(UTF_8));
                assertEquals(ErrorCode.HOOK_FAILED, refusal(decision).code());
                assertEquals("publish timeout", nextCount());
                assertEquals(-1, in.read(), "the connection is given up");
            }
        }
    }

    /** Reads the head of a request and its body. */
    private static InputStream readRequest(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.read());
        }
        String text = head.toString().toLowerCase(java.util.Locale.ROOT);
        int at = text.indexOf("content-length: ") + "content-length: ".length();
        in.readNBytes(Integer.parseInt(text.substring(at, text.indexOf('\r', at))));
        return in;
    }

    @Test
    void takesNoAnswerThatIsTooLarge() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true,\"x\":\"" + "x".repeat(70_000) + "\"}"));
        refusal(publish(hooks(hook("publish")), null));
        assertTrue(complaint().contains("an answer of more than 69632 bytes"), complaint());
    }

    @Test
    void asksNoMoreThanSoManyAtATime() throws Exception {
        backend.answer("/publish", call -> HookBackend.never());
        backend.answer("/subscribe", call -> HookBackend.ok("{\"allow\":true}"));
        Hooks asking = hooks(hook("publish", LONG, "maxInFlight: 2"), hook("subscribe"));
        CompletableFuture<Verdict> first = publish(asking, null);
        CompletableFuture<Verdict> second = publish(asking, null);
        backend.next("/publish");
        backend.next("/publish");
        CompletableFuture<Verdict> third = publish(asking, null);
        assertTrue(third.isDone(), "decided at once");
        assertEquals(ErrorCode.HOOK_FAILED, refusal(third).code());
        assertEquals("publish saturated", nextCount());
        assertTrue(publish(asking, HookFailure.ALLOW).isDone());
        assertEquals("publish saturated", nextCount());
        assertEquals(0, backend.waiting("/publish"));
        asking.subscribe(ASKER, ROOM, null).join();
        assertEquals("subscribe allowed", nextCount());
        asking.close();
        refusal(first);
        refusal(second);
    }

    @Test
    void hasRoomAgainWhenAnAnswerHasCome() {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true}"));
        Hooks asking = hooks(hook("publish", LONG, "maxInFlight: 1"));
        for (int i = 0; i < 50; i++) {
            publish(asking, null).join();
        }
        assertFalse(counted.contains("publish saturated"));
    }

    @Test
    void comesBackWithTheBackend() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true}"));
        Hooks asking = hooks(hook("publish"));
        publish(asking, null).join();
        int port = backend.port();
        backend.close();
        assertEquals(ErrorCode.HOOK_FAILED, refusal(publish(asking, null)).code());
        try (HookBackend again = new HookBackend(port)) {
            again.answer("/publish", call -> HookBackend.ok("{\"hold\":true}"));
            assertEquals(new Verdict.Held(), publish(asking, null).join());
        }
    }

    /** A backend that closes connections that have been idle may do so just when a request is on its way. */
    @Test
    void asksASecondTimeWhereTheConnectionWasClosedWithoutAWord() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String url = "url: 'http://127.0.0.1:" + server.getLocalPort() + "/'";
            Hooks asking = hooks("subscribe: {" + url + ", " + LONG + "}", "publish: {" + url + ", " + LONG + "}");
            CompletableFuture<Void> decision = asking.subscribe(ASKER, ROOM, null);
            try (Socket socket = server.accept()) {
                readRequest(socket);
            }
            try (Socket socket = server.accept()) {
                readRequest(socket);
                socket.getOutputStream()
                        .write("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"allow\":true}".getBytes(UTF_8));
                assertNull(decision.join());
            }
            CompletableFuture<Verdict> published = publish(asking, null);
            try (Socket socket = server.accept()) {
                readRequest(socket);
            }
            assertEquals(ErrorCode.HOOK_FAILED, refusal(published).code(), "once: the backend may have it");
        }
    }

    @Test
    void logsNoQueryOfAUrl() {
        Hooks asking = hooks("connect: {url: '" + backend.url("/connect") + "?key=of-the-backend'}");
        refusal(asking.connect(ASKER, Grant.ANONYMOUS, null, null, null));
        assertTrue(complaint().contains(" url=" + backend.url("/connect") + " "), complaint());
        assertFalse(complaint().contains("of-the-backend"), complaint());
    }

    @Test
    void vouchesForNoTokenThatNobodyHasSeen() {
        Hooks asking = hooks("connect: {url: 'http://127.0.0.1:1/', onFailure: allow}");
        assertEquals(
                Grant.ANONYMOUS,
                asking.connect(ASKER, Grant.ANONYMOUS, null, null, null).join());
        assertEquals(
                ErrorCode.HOOK_FAILED,
                refusal(asking.connect(ASKER, Grant.ANONYMOUS, null, "opaque", null))
                        .code());
    }

    // ---------------------------------------------------------------- signatures

    /** As the standard describes it, from the bytes that came. */
    private static String signature(String secret, HookBackend.Call call) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret.substring("whsec_".length())), "HmacSHA256"));
        String signed = call.headers().getFirst("webhook-id") + "."
                + call.headers().getFirst("webhook-timestamp") + "." + call.body();
        return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void signsWhatItSends() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true}"));
        Hooks asking = hooks(hook("publish"));
        long before = System.currentTimeMillis() / 1000;
        publish(asking, null).join();
        publish(asking, null).join();
        HookBackend.Call call = backend.next("/publish");
        assertEquals(signature(HookBackend.SECRET, call), call.headers().getFirst("webhook-signature"));
        assertEquals("application/json", call.headers().getFirst("content-type"));
        long time = Long.parseLong(call.headers().getFirst("webhook-timestamp"));
        assertTrue(time >= before && time <= System.currentTimeMillis() / 1000, "seconds since 1970: " + time);
        assertFalse(call.headers()
                .getFirst("webhook-id")
                .equals(backend.next("/publish").headers().getFirst("webhook-id")));
    }

    @Test
    void signsWithBothSecretsWhileTheyAreChanged() throws Exception {
        backend.answer("/publish", call -> HookBackend.ok("{\"allow\":true}"));
        publish(hooks("secondSecret: '" + SECOND_SECRET + "'", hook("publish")), null)
                .join();
        HookBackend.Call call = backend.next("/publish");
        assertEquals(
                signature(HookBackend.SECRET, call) + " " + signature(SECOND_SECRET, call),
                call.headers().getFirst("webhook-signature"));
    }

    // ---------------------------------------------------------------- events

    @Test
    void tellsEventsAndWaitsForTheLastAtTheEnd() throws Exception {
        backend.answer("/events", call -> HookBackend.ok(""));
        Hooks telling = hooks(hook("events", "every: 1m"));
        telling.notifications().disconnected("n1-1", "u7", 1001, TimeUnit.SECONDS.toNanos(2));
        assertEquals(0, backend.waiting("/events"));
        telling.close();
        HookBackend.Call call = backend.next("/events");
        assertTrue(
                call.body()
                        .matches("\\{\"type\":\"events\",\"node\":\"n1\",\"events\":\\[\\{\"type\":\"disconnect\","
                                + "\"connection\":\"n1-1\",\"user\":\"u7\",\"code\":1001,\"connectedMs\":2000,"
                                + "\"time\":\\d{13}}]}"),
                call.body());
        assertEquals(signature(HookBackend.SECRET, call), call.headers().getFirst("webhook-signature"));
        assertEquals("events delivered", nextCount());
    }
}
