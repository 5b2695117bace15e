package io.barrage.gateway.auth;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Says what a token grants: checks that one of the configured keys has signed it, that it is for this gateway, and when.
 *
 * <p>Thread-safe, and blocks nobody. A reload makes a new one, which goes on with the keys that the old one has fetched.
 */
public final class TokenVerifier implements AutoCloseable {
    private final AuthConfig config;
    private final List<VerificationKey> keys;
    private final @Nullable Jwks jwks;
    private final LongSupplier nowMillis;
    private final LongSupplier nanoTime;

    TokenVerifier(AuthConfig config, LongSupplier nowMillis, LongSupplier nanoTime) {
        this(config, nowMillis, nanoTime, null);
    }

    private TokenVerifier(
            AuthConfig config, LongSupplier nowMillis, LongSupplier nanoTime, @Nullable TokenVerifier before) {
        this.config = config;
        // First: it may fail, and then nothing is left to be closed.
        this.keys = config.keys().stream().map(TokenKeyConfig::key).toList();
        this.nowMillis = nowMillis;
        this.nanoTime = nanoTime;
        if (config.jwks() == null) {
            this.jwks = null;
        } else if (before != null && config.jwks().equals(before.config.jwks())) {
            this.jwks = before.jwks;
        } else {
            this.jwks = new Jwks(config.jwks(), nanoTime);
        }
    }

    /**
     * Reads the keys, and begins to fetch those that must be.
     *
     * @throws IllegalArgumentException with a sentence if a file can't be read or has no key of the right kind
     */
    public static TokenVerifier of(AuthConfig config) {
        TokenVerifier verifier = new TokenVerifier(config, System::currentTimeMillis, System::nanoTime);
        if (verifier.jwks != null) {
            verifier.jwks.warmUp();
        }
        return verifier;
    }

    /**
     * The verifier for another configuration: reads the keys anew, and goes on with those that are fetched, or being fetched,
     * if they still come from where they came from. This one is then to be closed by {@link #closeFor}.
     *
     * @throws IllegalArgumentException as {@link #of} does; then nothing has changed
     */
    public TokenVerifier with(AuthConfig changed) {
        TokenVerifier next = new TokenVerifier(changed, nowMillis, nanoTime, this);
        if (next.jwks != null && next.jwks != jwks) {
            next.jwks.warmUp();
        }
        return next;
    }

    /** What it was made of. */
    public AuthConfig config() {
        return config;
    }

    /**
     * What the token grants. Complete at once unless keys must be fetched for it.
     *
     * <p>Fails with a {@link ProtocolException} that says what is wrong and shows nothing of the token but names in it:
     * {@link ErrorCode#TOKEN_EXPIRED}, {@link ErrorCode#UNAUTHORIZED}, or {@link ErrorCode#OVERLOADED} if the token may be good
     * but can't be checked now.
     */
    public CompletableFuture<Grant> verify(String token) {
        try {
            if (config.isNone()) {
                throw refused("this gateway takes no tokens: it runs with 'auth: none'");
            }
            SignedToken signed = SignedToken.parse(token, config.tokenBytes().toIntExact());
            if (jwks == null || signed.algorithm().isSecret() || keys.stream().anyMatch(signed::isSignedBy)) {
                return CompletableFuture.completedFuture(grant(signed, keys));
            }
            return jwks.keysFor(signed.algorithm(), signed.kid()).thenApply(fetched -> {
                List<VerificationKey> all = new ArrayList<>(keys);
                all.addAll(fetched);
                return grant(signed, all);
            });
        } catch (ProtocolException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private Grant grant(SignedToken signed, List<VerificationKey> candidates) {
        if (candidates.stream().noneMatch(signed::isSignedBy)) {
            throw unproved(signed, candidates);
        }
        // Of a token that nobody has signed not even the claims are looked at.
        TokenClaims claims = TokenClaims.parse(signed.claims());
        checkTimes(claims);
        checkAudience(claims);
        if (config.issuer() != null && !config.issuer().equals(claims.issuer())) {
            throw refused("the token's claim 'iss' is "
                    + (claims.issuer() == null ? "missing" : Printable.of(claims.issuer()))
                    + ", and this gateway takes tokens of another issuer");
        }
        long expires = claims.expires() == null ? 0 : claims.expires();
        return new Grant(
                claims.subject(), true, expires, claims.info(), claims.subscribe(), claims.publish(), claims.join());
    }

    /**
     * Reads claims as those of a token are, without asking who has signed them.
     *
     * @throws ProtocolException that names the claim that is wrong
     */
    public static void checkClaims(String json) {
        TokenClaims.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    private static ProtocolException unproved(SignedToken signed, List<VerificationKey> candidates) {
        TokenAlgorithm algorithm = signed.algorithm();
        if (candidates.stream().noneMatch(key -> key.algorithm() == algorithm)) {
            String known = candidates.stream()
                    .map(key -> key.algorithm().toString())
                    .distinct()
                    .collect(Collectors.joining(", "));
            return refused("the token is signed with " + algorithm + ", and this gateway has no key for that, but for: "
                    + (known.isEmpty() ? "nothing" : known));
        }
        if (signed.kid() != null && candidates.stream().noneMatch(key -> key.isFor(algorithm, signed.kid()))) {
            return refused("the token's key " + Printable.of(signed.kid()) + " isn't known here for " + algorithm);
        }
        return refused("the token's signature isn't right: signed with another key, or changed on the way");
    }

    private void checkTimes(TokenClaims claims) {
        long now = nowMillis.getAsLong();
        long leeway = config.leeway().toMillis();
        if (claims.expires() == null) {
            throw refused("the token has no claim 'exp': it would be good for ever");
        }
        long ended = now - claims.expires() * 1000;
        if (ended >= leeway) {
            throw new ProtocolException(
                    ErrorCode.TOKEN_EXPIRED, "the token has expired " + ended / 1000 + " s ago (claim 'exp')");
        }
        long early = claims.notBefore() * 1000 - now;
        if (early > leeway) {
            throw refused("the token isn't good yet, for another " + early / 1000 + " s (claim 'nbf')");
        }
    }

    private void checkAudience(TokenClaims claims) {
        if (config.audience().isEmpty()) {
            if (!claims.audience().isEmpty()) {
                throw refused("the token is for an audience (claim 'aud'), and this gateway isn't told to be one:"
                        + " 'auth.audience' isn't set");
            }
        } else if (claims.audience().isEmpty()) {
            throw refused("the token has no claim 'aud', and must name this gateway's audience");
        } else if (claims.audience().stream().noneMatch(config.audience()::contains)) {
            throw refused("the token is for another audience: " + Printable.of(String.join(", ", claims.audience()))
                    + " (claim 'aud')");
        }
    }

    private static ProtocolException refused(String sentence) {
        return new ProtocolException(ErrorCode.UNAUTHORIZED, sentence);
    }

    /** Ends the fetching of keys, unless the one that takes this one's place goes on with it. */
    public void closeFor(TokenVerifier next) {
        if (jwks != next.jwks) {
            close();
        }
    }

    /** Ends the fetching of keys. */
    @Override
    public void close() {
        if (jwks != null) {
            jwks.close();
        }
    }
}
