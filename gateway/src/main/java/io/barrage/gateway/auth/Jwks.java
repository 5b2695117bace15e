package io.barrage.gateway.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that an identity provider publishes (RFC 7517): fetched when they are needed, and kept. At most one fetch is under
 * way, and the next one waits; so tokens with invented key ids can't be used to flood the provider.
 *
 * <p>Thread-safe (one lock, under which nothing blocks).
 */
final class Jwks implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Jwks.class);

    /** More would make a token without a key id a way to burn CPU. */
    private static final int MAX_KEYS = 64;

    private static final Duration MAX_BACK_OFF = Duration.ofMinutes(5);
    private static final int IDLE_THREAD_SECONDS = 30;

    /** What comes before the 32 bytes of an Ed25519 key in the form that the JDK reads (RFC 8410 section 4). */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private final JwksConfig config;
    private final LongSupplier nanoTime;
    private final HttpClient http;

    // under the lock
    private @Nullable List<VerificationKey> keys;
    private long fetchedNanos;
    private long notBeforeNanos;
    private int failures;
    private @Nullable CompletableFuture<Void> fetching;
    private @Nullable CompletableFuture<?> request;
    private final Set<String> toldSkipped = new HashSet<>();
    private boolean closed;

    Jwks(JwksConfig config, LongSupplier nanoTime) {
        this.config = config;
        this.nanoTime = nanoTime;
        this.notBeforeNanos = nanoTime.getAsLong();
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                1, 1, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "barrage-jwks");
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        this.http = HttpClient.newBuilder()
                .connectTimeout(config.timeout())
                // A provider that has moved is for the configuration to say.
                .followRedirects(HttpClient.Redirect.NEVER)
                .executor(executor)
                .build();
    }

    /** Fetches the keys, so that the first token needn't wait for them. */
    synchronized void warmUp() {
        if (keys == null && fetching == null) {
            fetch(nanoTime.getAsLong());
        }
    }

    /**
     * The keys, with the one that a token names if it can be had. Complete at once unless they must be fetched for it; fails with
     * {@link ErrorCode#OVERLOADED} if they can't be had now.
     */
    synchronized CompletableFuture<List<VerificationKey>> keysFor(TokenAlgorithm algorithm, @Nullable String kid) {
        long now = nanoTime.getAsLong();
        long age = now - fetchedNanos;
        List<VerificationKey> known = known(age);
        boolean has = known != null && known.stream().anyMatch(key -> key.isFor(algorithm, kid));
        boolean stale = known == null || age >= config.refresh().toNanos();
        if (has && !stale) {
            return CompletableFuture.completedFuture(known);
        }
        if (fetching == null && now - notBeforeNanos >= 0) {
            fetch(now);
            if (fetching == null) {
                // The answer was there already, and what is known isn't what it was.
                return completed(algorithm, kid);
            }
        }
        // Where tokens come all the time, the old keys do until the new ones are there. Where none came for long they
        // don't,
        // unless the provider is known to be down.
        boolean goodMeanwhile = failures > 0 || age < 2 * config.refresh().toNanos();
        if (has && (goodMeanwhile || fetching == null)) {
            return CompletableFuture.completedFuture(known);
        }
        return fetching == null
                ? completed(algorithm, kid)
                : fetching.thenCompose(fetched -> completed(algorithm, kid));
    }

    /** The keys as they are now, whatever could be fetched. */
    private synchronized CompletableFuture<List<VerificationKey>> completed(
            TokenAlgorithm algorithm, @Nullable String kid) {
        List<VerificationKey> known = known(nanoTime.getAsLong() - fetchedNanos);
        boolean has = known != null && known.stream().anyMatch(key -> key.isFor(algorithm, kid));
        if (known == null || (!has && failures > 0)) {
            return CompletableFuture.failedFuture(new ProtocolException(
                    ErrorCode.OVERLOADED,
                    "the token can't be checked now: the identity provider gives no keys; try again"));
        }
        return CompletableFuture.completedFuture(known);
    }

    private @Nullable List<VerificationKey> known(long age) {
        return age < config.keep().toNanos() ? keys : null;
    }

    private void fetch(long now) {
        if (closed) {
            return;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        fetching = done;
        notBeforeNanos = now + config.minInterval().toNanos();
        HttpRequest get = HttpRequest.newBuilder(URI.create(config.url()))
                .header("accept", "application/jwk-set+json, application/json")
                .timeout(config.timeout())
                .build();
        CompletableFuture<HttpResponse<byte[]>> answer =
                http.sendAsync(get, head -> new BoundedBody(config.bytes().toIntExact()));
        request = answer;
        answer.copy()
                // The request's own timeout ends with the answer's head.
                .orTimeout(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(this::read)
                .whenComplete((set, failure) -> {
                    answer.cancel(true);
                    fetched(set, failure);
                    done.complete(null);
                });
    }

    private List<VerificationKey> read(HttpResponse<byte[]> answer) {
        if (answer.statusCode() != 200) {
            throw new CompletionException(new IOException("it answered with status " + answer.statusCode()));
        }
        try {
            Map<String, Object> set = JSONObjectUtils.parse(new String(answer.body(), StandardCharsets.UTF_8));
            Map<String, Object>[] all = JSONObjectUtils.getJSONObjectArray(set, "keys");
            if (all == null) {
                throw new CompletionException(new IOException("its answer has no keys"));
            }
            return read(all);
        } catch (ParseException e) {
            throw new CompletionException(new IOException("its answer isn't a key set", e));
        }
    }

    private List<VerificationKey> read(Map<String, Object>[] all) {
        List<VerificationKey> read = new ArrayList<>();
        for (Map<String, Object> jwk : all) {
            String why = read.size() == MAX_KEYS ? "there are more than " + MAX_KEYS : null;
            try {
                if (why == null) {
                    read.add(key(JWK.parse(jwk)));
                }
            } catch (ParseException | JOSEException | IllegalArgumentException e) {
                why = String.valueOf(e.getMessage());
            }
            if (why != null) {
                tellSkipped(String.valueOf(jwk.get("kid")), why);
            }
        }
        return List.copyOf(read);
    }

    /** @throws IllegalArgumentException if it isn't for what is wanted here */
    private static VerificationKey key(JWK jwk) throws JOSEException {
        if (jwk.getKeyUse() != null && !jwk.getKeyUse().equals(KeyUse.SIGNATURE)) {
            throw new IllegalArgumentException("its use is " + jwk.getKeyUse());
        }
        if (jwk.getKeyOperations() != null && !jwk.getKeyOperations().contains(KeyOperation.VERIFY)) {
            throw new IllegalArgumentException("it isn't for verifying");
        }
        TokenAlgorithm algorithm = jwk.getAlgorithm() == null
                ? implied(jwk)
                : TokenAlgorithm.of(jwk.getAlgorithm().getName());
        if (algorithm == null || algorithm.isSecret()) {
            throw new IllegalArgumentException("its algorithm isn't taken");
        }
        return VerificationKey.ofPublicKey(jwk.getKeyID(), algorithm, publicKey(jwk));
    }

    /** The algorithm of a key that doesn't name one; null for no kind that is taken. */
    private static @Nullable TokenAlgorithm implied(JWK jwk) {
        if (jwk instanceof RSAKey) {
            // What OpenID Connect prescribes, and what those sign with who leave it out.
            return TokenAlgorithm.RS256;
        }
        if (jwk instanceof ECKey ec) {
            Curve curve = ec.getCurve();
            return curve.equals(Curve.P_256)
                    ? TokenAlgorithm.ES256
                    : curve.equals(Curve.P_384)
                            ? TokenAlgorithm.ES384
                            : curve.equals(Curve.P_521) ? TokenAlgorithm.ES512 : null;
        }
        return jwk instanceof OctetKeyPair ? TokenAlgorithm.EDDSA : null;
    }

    private static PublicKey publicKey(JWK jwk) throws JOSEException {
        if (jwk instanceof RSAKey rsa) {
            return rsa.toPublicKey();
        }
        if (jwk instanceof ECKey ec) {
            return ec.toPublicKey();
        }
        if (jwk instanceof OctetKeyPair pair && pair.getCurve().equals(Curve.Ed25519)) {
            return ed25519(pair.getDecodedX());
        }
        throw new IllegalArgumentException("a key of this kind isn't taken");
    }

    /** The JDK's key of an Ed25519 key's 32 bytes. */
    static PublicKey ed25519(byte[] x) {
        byte[] encoded = new byte[ED25519_PREFIX.length + x.length];
        System.arraycopy(ED25519_PREFIX, 0, encoded, 0, ED25519_PREFIX.length);
        System.arraycopy(x, 0, encoded, ED25519_PREFIX.length, x.length);
        try {
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not an Ed25519 key", e);
        }
    }

    /** Once for each: the set is fetched again and again. */
    private synchronized void tellSkipped(String kid, String why) {
        if (toldSkipped.size() < MAX_KEYS && toldSkipped.add(kid)) {
            log.info(
                    "A key of the identity provider isn't used. kid={} reason={}",
                    Printable.of(kid),
                    Printable.of(why));
        }
    }

    private synchronized void fetched(@Nullable List<VerificationKey> set, @Nullable Throwable failure) {
        fetching = null;
        request = null;
        if (closed) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (set != null) {
            if (failures > 0) {
                log.info("The identity provider gives keys again. failures={}", failures);
            }
            failures = 0;
            keys = set;
            fetchedNanos = now;
            notBeforeNanos = now + config.minInterval().toNanos();
            log.debug("The identity provider's keys are here. keys={}", set);
            return;
        }
        failures++;
        if (failures == 1) {
            log.warn(
                    "The identity provider gives no keys; those that are known stay good for {}. url={} reason={}",
                    config.keep(),
                    LoggedUrl.of(URI.create(config.url())),
                    reason(failure));
        }
        notBeforeNanos = now + backOffNanos();
    }

    private long backOffNanos() {
        long first = config.minInterval().toNanos();
        long doubled = first << Math.min(failures - 1, 16);
        return Math.max(first, Math.min(doubled, MAX_BACK_OFF.toNanos()));
    }

    private static String reason(@Nullable Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause);
    }

    /** Ends what is under way; who waits for it is told. */
    @Override
    public void close() {
        CompletableFuture<?> last;
        synchronized (this) {
            closed = true;
            last = request;
        }
        if (last != null) {
            last.cancel(true);
        }
    }
}
