package io.barrage.gateway.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECKey;
import java.security.interfaces.RSAKey;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Makes tokens, for trying things out and for scripts; a backend makes its own with a library of its language. Immutable and
 * thread-safe.
 */
public final class TokenSigner {
    private static final JsonFactory JSON = new JsonFactory();

    /** Signs. */
    private interface Signing {
        byte[] sign(byte[] text) throws JOSEException, GeneralSecurityException;
    }

    private final TokenAlgorithm algorithm;
    private final @Nullable String kid;
    private final Signing signing;

    private TokenSigner(TokenAlgorithm algorithm, @Nullable String kid, Signing signing) {
        this.algorithm = algorithm;
        this.kid = kid;
        this.signing = signing;
    }

    /**
     * What a token is to say. Immutable.
     *
     * @param expires in seconds since 1970
     * @param info JSON; null for none
     */
    public record Claims(
            @Nullable String subject,
            long issued,
            long expires,
            List<String> audience,
            @Nullable String issuer,
            @Nullable String info,
            List<String> subscribe,
            List<String> publish,
            List<String> join) {

        private byte[] json() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
                out.writeStartObject();
                if (subject != null) {
                    out.writeStringProperty("sub", subject);
                }
                if (issuer != null) {
                    out.writeStringProperty("iss", issuer);
                }
                if (audience.size() == 1) {
                    out.writeStringProperty("aud", audience.get(0));
                } else {
                    array(out, "aud", audience);
                }
                out.writeNumberProperty("iat", issued);
                out.writeNumberProperty("exp", expires);
                if (info != null) {
                    out.writeName("info");
                    out.writeRawValue(info);
                }
                if (!subscribe.isEmpty() || !publish.isEmpty()) {
                    out.writeObjectPropertyStart("topics");
                    array(out, "subscribe", subscribe);
                    array(out, "publish", publish);
                    out.writeEndObject();
                }
                array(out, "join", join);
                out.writeEndObject();
            }
            return bytes.toByteArray();
        }

        private static void array(JsonGenerator out, String name, List<String> values) {
            if (!values.isEmpty()) {
                out.writeArrayPropertyStart(name);
                values.forEach(out::writeString);
                out.writeEndArray();
            }
        }
    }

    /**
     * Signs with a secret.
     *
     * @throws IllegalArgumentException if it is too short for the algorithm
     */
    public static TokenSigner ofSecret(@Nullable String kid, TokenAlgorithm algorithm, String secret) {
        return ofSecret(kid, algorithm, secret.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Signs with a key of the configuration, which must be a secret: of others the gateway has the public part only.
     *
     * @throws IllegalArgumentException if the key's file can't be read
     */
    public static TokenSigner of(TokenKeyConfig key) {
        return ofSecret(key.kid(), key.alg(), key.secretBytes());
    }

    private static TokenSigner ofSecret(@Nullable String kid, TokenAlgorithm algorithm, byte[] secret) {
        // Says what is wrong with it.
        VerificationKey.ofSecret(kid, algorithm, secret);
        return new TokenSigner(algorithm, kid, text -> sign(new MACSigner(secret), algorithm, text));
    }

    /**
     * Signs with the private key of a PEM file.
     *
     * @param algorithm null for the usual one of the key
     * @throws IllegalArgumentException if the file can't be read, has no private key, or one that isn't for the algorithm
     */
    public static TokenSigner ofFile(@Nullable String kid, @Nullable TokenAlgorithm algorithm, String file) {
        PrivateKey key = Pem.privateKey(TokenKeyConfig.read(file));
        TokenAlgorithm usual = usual(key);
        TokenAlgorithm chosen = algorithm == null ? usual : algorithm;
        // An RSA key is for several, the others are for one each.
        if (chosen.kind() != usual.kind() || (!(key instanceof RSAKey) && chosen != usual)) {
            throw new IllegalArgumentException("the wrong kind of key: " + chosen + " needs " + chosen.keyDescription()
                    + ", this is " + VerificationKey.describe(key));
        }
        return new TokenSigner(chosen, kid, text -> {
            if (key instanceof EdECKey) {
                Signature signature = Signature.getInstance("Ed25519");
                signature.initSign(key);
                signature.update(text);
                return signature.sign();
            }
            JWSSigner signer = key instanceof ECPrivateKey ec ? new ECDSASigner(ec) : new RSASSASigner(key);
            return sign(signer, chosen, text);
        });
    }

    private static TokenAlgorithm usual(PrivateKey key) {
        if (key instanceof RSAKey) {
            return TokenAlgorithm.RS256;
        }
        if (key instanceof EdECKey ed && ed.getParams().getName().equals("Ed25519")) {
            return TokenAlgorithm.EDDSA;
        }
        if (key instanceof ECKey ec) {
            Curve curve = Curve.forECParameterSpec(ec.getParams());
            for (TokenAlgorithm algorithm : List.of(TokenAlgorithm.ES256, TokenAlgorithm.ES384, TokenAlgorithm.ES512)) {
                if (algorithm.curve().equals(curve)) {
                    return algorithm;
                }
            }
        }
        throw new IllegalArgumentException("tokens aren't signed with " + VerificationKey.describe(key));
    }

    private static byte[] sign(JWSSigner signer, TokenAlgorithm algorithm, byte[] text) throws JOSEException {
        return signer.sign(new JWSHeader(algorithm.jws()), text).decode();
    }

    /**
     * A token.
     *
     * @throws IllegalArgumentException if the key can't sign
     */
    public String sign(Claims claims) {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), header)) {
            out.writeStartObject();
            out.writeStringProperty("alg", algorithm.toString());
            out.writeStringProperty("typ", "JWT");
            if (kid != null) {
                out.writeStringProperty("kid", kid);
            }
            out.writeEndObject();
        }
        String text = base64(header.toByteArray()) + "." + base64(claims.json());
        try {
            return text + "." + base64(signing.sign(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (JOSEException | GeneralSecurityException e) {
            throw new IllegalArgumentException("the key can't sign: " + e.getMessage(), e);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
