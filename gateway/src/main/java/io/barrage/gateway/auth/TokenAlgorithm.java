package io.barrage.gateway.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a token may be signed (RFC 7518 section 3.1, RFC 8037). {@code none} isn't among them. Immutable. */
public enum TokenAlgorithm {
    HS256("HS256", Kind.SECRET, 32),
    HS384("HS384", Kind.SECRET, 48),
    HS512("HS512", Kind.SECRET, 64),
    RS256("RS256", Kind.RSA, 0),
    RS384("RS384", Kind.RSA, 0),
    RS512("RS512", Kind.RSA, 0),
    PS256("PS256", Kind.RSA, 0),
    PS384("PS384", Kind.RSA, 0),
    PS512("PS512", Kind.RSA, 0),
    ES256("ES256", Kind.EC, 0),
    ES384("ES384", Kind.EC, 0),
    ES512("ES512", Kind.EC, 0),
    EDDSA("EdDSA", Kind.ED25519, 0);

    /** What a key for it is. */
    enum Kind {
        /** Bytes that signer and gateway share. */
        SECRET("a secret"),
        RSA("an RSA key"),
        EC("an EC key"),
        ED25519("an Ed25519 key");

        private final String description;

        Kind(String description) {
            this.description = description;
        }
    }

    private final String name;
    private final Kind kind;
    private final int minSecretBytes;

    TokenAlgorithm(String name, Kind kind, int minSecretBytes) {
        this.name = name;
        this.kind = kind;
        this.minSecretBytes = minSecretBytes;
    }

    /** The algorithm of a header's {@code alg}; null if it isn't one that is taken. */
    static @Nullable TokenAlgorithm of(String name) {
        if (name.equals("Ed25519")) {
            // What RFC 9864 calls it.
            return EDDSA;
        }
        for (TokenAlgorithm algorithm : values()) {
            if (algorithm.name.equals(name)) {
                return algorithm;
            }
        }
        return null;
    }

    JWSAlgorithm jws() {
        return JWSAlgorithm.parse(name);
    }

    Kind kind() {
        return kind;
    }

    /** Whether whoever can check a token with its key can also make one. */
    public boolean isSecret() {
        return kind == Kind.SECRET;
    }

    /** The least length of its secret, which is that of the hash (RFC 7518 section 3.2). */
    int minSecretBytes() {
        return minSecretBytes;
    }

    /** The curve of its keys, for {@code ES*}. */
    Curve curve() {
        return Objects.requireNonNull(Curve.forJWSAlgorithm(jws()), "no curve of " + this)
                .iterator()
                .next();
    }

    /** What its key must be, for a sentence. */
    String keyDescription() {
        return kind == Kind.EC ? kind.description + " on " + curve().getName() : kind.description;
    }

    /** The name as tokens have it. */
    @Override
    public String toString() {
        return name;
    }
}
