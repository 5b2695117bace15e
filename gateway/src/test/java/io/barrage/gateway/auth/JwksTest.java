package io.barrage.gateway.auth;

import static io.barrage.gateway.auth.KeyServer.jwk;
import static io.barrage.gateway.auth.TokenFixture.pair;
import static io.barrage.gateway.auth.TokenFixture.signed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class JwksTest {
    private static final long NOW = 1_790_000_000;
    private static final String GOOD = "{\"sub\":\"u7\",\"exp\":" + (NOW + 60) + "}";

    private final KeyServer provider = new KeyServer();
    private final AtomicLong nanos = new AtomicLong(-5_000_000_000L);
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private TokenVerifier verifier = verifier();

    @BeforeEach
    void listen() {
        logged.start();
        ((Logger) LoggerFactory.getLogger(Jwks.class)).addAppender(logged);
    }

    @AfterEach
    void stop() {
        verifier.close();
        provider.close();
        ((Logger) LoggerFactory.getLogger(Jwks.class)).detachAppender(logged);
    }

    private TokenVerifier verifier() {
        AuthConfig config = ConfigReader.parse(
                AuthConfig.class,
                "jwks: {url: '" + provider.url()
                        + "', refresh: 10m, minInterval: 30s, keep: 24h, timeout: 20s, bytes: 64KiB}");
        return new TokenVerifier(config, () -> NOW * 1000, nanos::get);
    }

    private void pass(long seconds) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    private static String token(String alg, String pair, String kid) {
        String header = "{\"alg\":\"" + alg + "\"" + (kid == null ? "" : ",\"kid\":\"" + kid + "\"") + "}";
        return signed(alg, pair(pair).getPrivate(), header, GOOD);
    }

    private String user(String token) throws Exception {
        return verifier.verify(token).get(20, TimeUnit.SECONDS).user();
    }

    private ProtocolException refusal(String token) {
        ExecutionException failure = assertThrows(
                ExecutionException.class, () -> verifier.verify(token).get(20, TimeUnit.SECONDS));
        return assertInstanceOf(ProtocolException.class, failure.getCause());
    }

    @Test
    void fetchesKeysOfEveryKindOnce() throws Exception {
        provider.keys(
                jwk("a", "rsa", ",\"alg\":\"PS256\",\"use\":\"sig\""),
                jwk("b", "rsa-other", ""),
                jwk("c", "ec256", ""),
                jwk("d", "ec521", ",\"key_ops\":[\"verify\"]"),
                jwk("e", "ed25519", ",\"alg\":\"EdDSA\""));
        assertEquals("u7", user(token("PS256", "rsa", "a")));
        assertEquals("u7", user(token("RS256", "rsa-other", "b")));
        assertEquals("u7", user(token("ES256", "ec256", "c")));
        assertEquals("u7", user(token("ES512", "ec521", "d")));
        assertEquals("u7", user(token("EdDSA", "ed25519", "e")));
        assertEquals("u7", user(token("EdDSA", "ed25519", null)));
        assertEquals(1, provider.requests());
        assertTrue(verifier.verify(token("ES256", "ec256", "c")).isDone(), "nothing is to be fetched");
        // Each is for one algorithm alone.
        assertTrue(refusal(token("RS256", "rsa", "a")).getMessage().contains("key 'a' isn't known here for RS256"));
    }

    @Test
    void takesTheNewKeyWhenTheProviderChangesIt() throws Exception {
        provider.keys(jwk("old", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "old")));
        provider.keys(jwk("old", "ec256", ""), jwk("new", "ec256-2", ""));
        pass(30);
        assertEquals("u7", user(token("ES256", "ec256-2", "new")));
        assertEquals("u7", user(token("ES256", "ec256", "old")));
        assertEquals(2, provider.requests());
        provider.keys(jwk("new", "ec256-2", ""));
        // Stale, but good meanwhile; and then it isn't any more.
        pass(600);
        assertTrue(verifier.verify(token("ES256", "ec256", "old")).isDone());
        awaitRequests(3);
        pass(1);
        awaitRefused(token("ES256", "ec256", "old"));
        assertEquals("u7", user(token("ES256", "ec256-2", "new")));
        assertEquals(3, provider.requests());
    }

    /** After a night without a token the keys of yesterday aren't good any more. */
    @Test
    void waitsForNewKeysIfTheOldOnesAreOld() throws Exception {
        provider.keys(jwk("old", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "old")));
        provider.keys(jwk("new", "ec256-2", ""));
        pass(3600);
        assertEquals(
                ErrorCode.UNAUTHORIZED, refusal(token("ES256", "ec256", "old")).code());
    }

    @Test
    void asksOnceForManyUnknownKeys() throws Exception {
        provider.keys(jwk("a", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        pass(30);
        provider.hold();
        List<CompletableFuture<Grant>> waiting = IntStream.range(0, 100)
                .mapToObj(i -> verifier.verify(token("ES256", "ec256-2", "invented" + i)))
                .toList();
        assertTrue(waiting.stream().noneMatch(CompletableFuture::isDone));
        // Who has a known key doesn't wait.
        assertTrue(verifier.verify(token("ES256", "ec256", "a")).isDone());
        provider.release();
        for (CompletableFuture<Grant> one : waiting) {
            assertThrows(ExecutionException.class, () -> one.get(20, TimeUnit.SECONDS));
        }
        assertEquals(2, provider.requests());
        CompletableFuture<Grant> tooEarly = verifier.verify(token("ES256", "ec256-2", "another"));
        assertTrue(tooEarly.isCompletedExceptionally(), "refused at once");
        assertEquals(2, provider.requests());
        pass(30);
        refusal(token("ES256", "ec256-2", "another"));
        assertEquals(3, provider.requests());
    }

    @Test
    void keepsTheOldKeysWhileTheProviderIsDown() throws Exception {
        provider.keys(jwk("a", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        provider.answer(500, "down");
        pass(3600);
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        assertEquals(2, provider.requests());
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        assertEquals(2, provider.requests());
        // It may be good, so the client shall come again.
        assertEquals(
                ErrorCode.OVERLOADED, refusal(token("ES256", "ec256-2", "b")).code());
        pass(24 * 3600);
        assertEquals(ErrorCode.OVERLOADED, refusal(token("ES256", "ec256", "a")).code());
        provider.answer(200, "");
        provider.keys(jwk("b", "ec256-2", ""));
        pass(300);
        assertEquals("u7", user(token("ES256", "ec256-2", "b")));
        assertEquals(
                1,
                logged.list.stream()
                        .filter(e -> e.getFormattedMessage().contains("gives no keys"))
                        .count());
        assertEquals(
                1,
                logged.list.stream()
                        .filter(e -> e.getFormattedMessage().contains("keys again"))
                        .count());
    }

    @Test
    void logsNoQueryOfTheProvidersUrl() {
        verifier.close();
        verifier = new TokenVerifier(
                ConfigReader.parse(AuthConfig.class, "jwks: {url: '" + provider.url() + "?key=of-the-provider'}"),
                () -> NOW * 1000,
                nanos::get);
        provider.answer(500, "");
        refusal(token("ES256", "ec256", "a"));
        String line = logged.list.get(0).getFormattedMessage();
        assertTrue(line.contains(" url=" + provider.url() + " "), line);
        assertFalse(line.contains("of-the-provider"), line);
    }

    /** Each failure doubles the wait, up to five minutes. */
    @Test
    void asksLessOftenTheLongerTheProviderIsDown() {
        provider.answer(404, "");
        long[] waits = {30, 60, 120, 240, 300, 300};
        String token = token("ES256", "ec256", "a");
        int asked = 0;
        for (long wait : waits) {
            assertEquals(ErrorCode.OVERLOADED, refusal(token).code());
            assertEquals(++asked, provider.requests());
            pass(wait - 1);
            assertEquals(ErrorCode.OVERLOADED, refusal(token).code());
            assertEquals(asked, provider.requests());
            pass(1);
        }
    }

    @Test
    void skipsKeysThatItCannotUseAndTellsOnce() throws Exception {
        provider.keys(
                jwk("enc", "rsa", ",\"use\":\"enc\""),
                jwk("wrap", "rsa", ",\"key_ops\":[\"wrapKey\"]"),
                jwk("short", "rsa-short", ""),
                jwk("alg", "rsa", ",\"alg\":\"RSA-OAEP\""),
                jwk("mixed", "rsa", ",\"alg\":\"ES256\""),
                "{\"kty\":\"oct\",\"kid\":\"oct\",\"k\":\"" + TokenFixture.base64(TokenFixture.SECRET)
                        + "\",\"alg\":\"HS256\"}",
                "{\"kty\":\"new\",\"kid\":\"kty\"}",
                "{\"kty\":\"RSA\",\"kid\":\"broken\"}",
                "{}",
                jwk("good", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "good")));
        assertEquals(
                9,
                logged.list.stream()
                        .filter(e -> e.getFormattedMessage().contains("isn't used"))
                        .count());
        // A secret that everybody can fetch is none.
        assertEquals(ErrorCode.UNAUTHORIZED, refusal(TokenFixture.token(GOOD)).code());
        pass(1200);
        assertEquals("u7", user(token("ES256", "ec256", "good")));
        assertEquals(2, provider.requests());
        assertEquals(
                9,
                logged.list.stream()
                        .filter(e -> e.getFormattedMessage().contains("isn't used"))
                        .count());
    }

    @Test
    void takesNoBrokenOrEndlessOrMovedKeySet() {
        String token = token("ES256", "ec256", "a");
        List<Runnable> faults = List.of(
                () -> provider.answer(200, "<html>"),
                () -> provider.answer(200, "[]"),
                () -> provider.answer(200, "{}"),
                () -> provider.answer(200, "{\"keys\":{}}"),
                () -> provider.answer(200, "{\"keys\":[" + " ".repeat(70_000) + "]}"),
                () -> provider.answer(302, ""));
        int asked = 0;
        for (Runnable fault : faults) {
            fault.run();
            assertEquals(ErrorCode.OVERLOADED, refusal(token).code());
            assertEquals(++asked, provider.requests());
            pass(300);
        }
    }

    @Test
    void givesUpOnAnswersThatDoNotCome() {
        verifier.close();
        provider.hold();
        verifier = new TokenVerifier(
                ConfigReader.parse(AuthConfig.class, "jwks: {url: '" + provider.url() + "', timeout: 100ms}"),
                () -> NOW * 1000,
                nanos::get);
        assertEquals(ErrorCode.OVERLOADED, refusal(token("ES256", "ec256", "a")).code());
    }

    private void reload(String more) {
        TokenVerifier next = verifier.with(ConfigReader.parse(
                AuthConfig.class,
                "{jwks: {url: '" + provider.url()
                        + "', refresh: 10m, minInterval: 30s, keep: 24h, timeout: 20s, bytes: 64KiB}, " + more + "}"));
        verifier.closeFor(next);
        verifier = next;
    }

    /** What is promised for a provider that is down holds whatever else is changed meanwhile. */
    @Test
    void goesOnWithTheKeysThatItHasWhenTheRestIsReloaded() throws Exception {
        provider.keys(jwk("a", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        provider.answer(500, "down");
        reload("leeway: 10s, keys: [{alg: HS256, secret: " + TokenFixture.SECRET + "}]");
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        assertEquals("u7", user(TokenFixture.token(GOOD)));
        assertEquals(1, provider.requests());
        reload("audience: me");
        assertEquals(
                ErrorCode.UNAUTHORIZED, refusal(token("ES256", "ec256", "a")).code());
        assertEquals(1, provider.requests());
    }

    @Test
    void whoWaitsForKeysDoesntMindAReload() throws Exception {
        provider.keys(jwk("a", "ec256", ""));
        provider.hold();
        CompletableFuture<Grant> waiting = verifier.verify(token("ES256", "ec256", "a"));
        reload("leeway: 10s");
        CompletableFuture<Grant> another = verifier.verify(token("ES256", "ec256", "a"));
        provider.release();
        assertEquals("u7", waiting.get(20, TimeUnit.SECONDS).user());
        assertEquals("u7", another.get(20, TimeUnit.SECONDS).user());
        assertEquals(1, provider.requests());
    }

    @Test
    void takesNoKeyOfAProviderThatWasTakenOut() throws Exception {
        provider.keys(jwk("a", "ec256", ""));
        assertEquals("u7", user(token("ES256", "ec256", "a")));
        try (KeyServer other = new KeyServer()) {
            other.keys(jwk("b", "ec256-2", ""));
            TokenVerifier next =
                    verifier.with(ConfigReader.parse(AuthConfig.class, "{jwks: {url: '" + other.url() + "'}}"));
            verifier.closeFor(next);
            verifier = next;
            assertEquals("u7", user(token("ES256", "ec256-2", "b")));
            assertEquals(
                    ErrorCode.UNAUTHORIZED,
                    refusal(token("ES256", "ec256", "a")).code());
            assertEquals(1, provider.requests());
        }
    }

    /** It ends with the gateway, or where keys come from elsewhere by a reload: who waits is told. */
    @Test
    void tellsThoseThatWaitWhenItIsClosed() throws Exception {
        provider.hold();
        CompletableFuture<Grant> waiting = verifier.verify(token("ES256", "ec256", "a"));
        assertThrows(TimeoutException.class, () -> waiting.get(1, TimeUnit.MILLISECONDS));
        verifier.close();
        ExecutionException failure = assertThrows(ExecutionException.class, () -> waiting.get(20, TimeUnit.SECONDS));
        assertEquals(ErrorCode.OVERLOADED, ((ProtocolException) failure.getCause()).code());
        assertFalse(logged.list.stream().anyMatch(e -> e.getFormattedMessage().contains("gives no keys")));
    }

    @Test
    void worksBesideKeysOfTheConfiguration() throws Exception {
        verifier.close();
        verifier = new TokenVerifier(
                ConfigReader.parse(
                        AuthConfig.class,
                        "{keys: [{alg: HS256, secret: " + TokenFixture.SECRET + "}], jwks: {url: '" + provider.url()
                                + "'}}"),
                () -> NOW * 1000,
                nanos::get);
        provider.keys(jwk("a", "ec256", ""));
        // Nobody is asked for it.
        assertTrue(verifier.verify(TokenFixture.token(GOOD)).isDone());
        assertEquals(0, provider.requests());
        assertEquals("u7", user(token("ES256", "ec256", "a")));
    }

    private void awaitRequests(int count) throws InterruptedException {
        for (int i = 0; provider.requests() < count && i < 20_000; i++) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertEquals(count, provider.requests());
    }

    private void awaitRefused(String token) throws InterruptedException {
        for (int i = 0; i < 20_000 && !verifier.verify(token).isCompletedExceptionally(); i++) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertEquals(ErrorCode.UNAUTHORIZED, refusal(token).code());
    }
}
