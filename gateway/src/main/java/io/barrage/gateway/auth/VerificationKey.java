package io.barrage.gateway.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import org.jspecify.annotations.Nullable;

/**
 * A key that tokens are checked with. It is for one algorithm, whatever a token's header says: else a public RSA key, which
 * everybody has, could be taken for the secret of an HMAC. Thread-safe, and immutable.
 */
final class VerificationKey {
    /** RFC 7518 section 3.3. */
    private static final int MIN_RSA_BITS = 2048;

    private static final int ED25519_SIGNATURE_BYTES = 64;

    /** Checks a signature. */
    private interface Check {
        boolean verify(byte[] signed, byte[] signature) throws JOSEException, GeneralSecurityException;
    }

    private final @Nullable String kid;
    private final TokenAlgorithm algorithm;
    private final Check check;

    private VerificationKey(@Nullable String kid, TokenAlgorithm algorithm, Check check) {
        this.kid = kid;
        this.algorithm = algorithm;
        this.check = check;
    }

    /**
     * A secret.
     *
     * @throws IllegalArgumentException if it is too short
     */
    static VerificationKey ofSecret(@Nullable String kid, TokenAlgorithm algorithm, byte[] secret) {
        if (secret.length < algorithm.minSecretBytes()) {
            throw new IllegalArgumentException("too short: a secret for " + algorithm + " has at least "
                    + algorithm.minSecretBytes() + " bytes, this one has " + secret.length
                    + "; openssl rand -base64 48 makes one");
        }
        try {
            return new VerificationKey(kid, algorithm, check(algorithm, new MACVerifier(secret)));
        } catch (JOSEException e) {
            throw new IllegalArgumentException("not a secret for " + algorithm, e);
        }
    }

    /**
     * A public key.
     *
     * @throws IllegalArgumentException if it isn't one for the algorithm, or is too weak
     */
    static VerificationKey ofPublicKey(@Nullable String kid, TokenAlgorithm algorithm, PublicKey key) {
        try {
            return new VerificationKey(kid, algorithm, check(algorithm, key));
        } catch (JOSEException e) {
            throw new IllegalArgumentException("not a key for " + algorithm + ": " + e.getMessage(), e);
        }
    }

    private static Check check(TokenAlgorithm algorithm, PublicKey key) throws JOSEException {
        if (algorithm.kind() == TokenAlgorithm.Kind.RSA && key instanceof RSAPublicKey rsa) {
            int bits = rsa.getModulus().bitLength();
            if (bits < MIN_RSA_BITS) {
                throw new IllegalArgumentException(
                        "too short: an RSA key has at least " + MIN_RSA_BITS + " bits, this one has " + bits);
            }
            return check(algorithm, new RSASSAVerifier(rsa));
        }
        if (algorithm.kind() == TokenAlgorithm.Kind.EC
                && key instanceof ECPublicKey ec
                && algorithm.curve().equals(Curve.forECParameterSpec(ec.getParams()))) {
            return check(algorithm, new ECDSAVerifier(ec));
        }
        if (algorithm.kind() == TokenAlgorithm.Kind.ED25519
                && key instanceof EdECPublicKey ed
                && ed.getParams().getName().equals("Ed25519")) {
            return (signed, signature) -> {
                // The JDK takes one with zeros behind it, too.
                if (signature.length != ED25519_SIGNATURE_BYTES) {
                    return false;
                }
                Signature verifier = Signature.getInstance("Ed25519");
                verifier.initVerify(ed);
                verifier.update(signed);
                return verifier.verify(signature);
            };
        }
        throw new IllegalArgumentException("the wrong kind of key: " + algorithm + " needs "
                + algorithm.keyDescription() + ", this is " + describe(key));
    }

    private static Check check(TokenAlgorithm algorithm, JWSVerifier verifier) {
        // Of the token's own header the verifier sees nothing: what it says was judged before.
        JWSHeader header = new JWSHeader(algorithm.jws());
        return (signed, signature) -> verifier.verify(header, signed, Base64URL.encode(signature));
    }

    /** What a key is, for a sentence. */
    static String describe(java.security.Key key) {
        if (key instanceof java.security.interfaces.RSAKey) {
            return "an RSA key";
        }
        if (key instanceof java.security.interfaces.ECKey ec) {
            Curve curve = Curve.forECParameterSpec(ec.getParams());
            return "an EC key" + (curve == null ? "" : " on " + curve.getName());
        }
        if (key instanceof java.security.interfaces.EdECKey ed) {
            return "an " + ed.getParams().getName() + " key";
        }
        return "a key for " + key.getAlgorithm();
    }

    @Nullable
    String kid() {
        return kid;
    }

    TokenAlgorithm algorithm() {
        return algorithm;
    }

    /** Whether a token with this algorithm and key id may have been signed by it. */
    boolean isFor(TokenAlgorithm wanted, @Nullable String wantedKid) {
        return algorithm == wanted && (kid == null || wantedKid == null || kid.equals(wantedKid));
    }

    /** Whether the signature is its. */
    boolean verifies(byte[] signed, byte[] signature) {
        try {
            return check.verify(signed, signature);
        } catch (JOSEException | GeneralSecurityException ignored) {
            // A signature of another length or form: not its.
            return false;
        }
    }

    /** Without what it is made of. */
    @Override
    public String toString() {
        return algorithm + " key " + (kid == null ? "without id" : kid);
    }
}
