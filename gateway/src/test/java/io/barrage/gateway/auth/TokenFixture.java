package io.barrage.gateway.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;

/** Makes tokens, right and wrong ones, with keys of its own. */
public final class TokenFixture {
    /** Long enough for every HS algorithm. */
    public static final String SECRET = "0123456789abcdef".repeat(4);

    private static final Map<String, KeyPair> PAIRS = new HashMap<>();

    private TokenFixture() {}

    /** The pair of a name, made once: an RSA key takes a while. */
    public static synchronized KeyPair pair(String name) {
        return PAIRS.computeIfAbsent(name, ignored -> generate(name));
    }

    private static KeyPair generate(String name) {
        try {
            if (name.startsWith("rsa")) {
                KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
                rsa.initialize(name.equals("rsa-short") ? 1024 : 2048);
                return rsa.generateKeyPair();
            }
            if (name.startsWith("ed")) {
                return KeyPairGenerator.getInstance(name.startsWith("ed448") ? "Ed448" : "Ed25519")
                        .generateKeyPair();
            }
            KeyPairGenerator ec = KeyPairGenerator.getInstance("EC");
            ec.initialize(new ECGenParameterSpec("secp" + name.substring(2, 5) + "r1"));
            return ec.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** The name of the pair that an algorithm is tested with. */
    public static String pairOf(String alg) {
        return switch (alg) {
            case "ES256" -> "ec256";
            case "ES384" -> "ec384";
            case "ES512" -> "ec521";
            case "EdDSA" -> "ed25519";
            default -> "rsa";
        };
    }

    /** The key that signs, of one of our algorithms. */
    public static Key signingKey(String alg) {
        return alg.startsWith("HS")
                ? new SecretKeySpec(SECRET.getBytes(UTF_8), "HMAC")
                : pair(pairOf(alg)).getPrivate();
    }

    public static String pem(String form, byte[] bytes) {
        return "-----BEGIN " + form + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes) + "\n-----END " + form + "-----\n";
    }

    public static String publicPem(String pair) {
        return pem("PUBLIC KEY", pair(pair).getPublic().getEncoded());
    }

    public static String privatePem(String pair) {
        return pem("PRIVATE KEY", pair(pair).getPrivate().getEncoded());
    }

    public static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    public static String base64(String text) {
        return base64(text.getBytes(UTF_8));
    }

    /** A token with this header and these claims, whatever they are, signed as {@code alg} says. */
    public static String signed(String alg, Key key, String header, String claims) {
        return signed(alg, key, header.getBytes(UTF_8), claims.getBytes(UTF_8));
    }

    static String signed(String alg, Key key, byte[] header, byte[] claims) {
        String text = base64(header) + "." + base64(claims);
        return text + "." + base64(signature(alg, key, text.getBytes(UTF_8)));
    }

    private static byte[] signature(String alg, Key key, byte[] text) {
        try {
            if (alg.equals("EdDSA")) {
                Signature ed = Signature.getInstance("Ed25519");
                ed.initSign((PrivateKey) key);
                ed.update(text);
                return ed.sign();
            }
            JWSSigner signer = alg.startsWith("HS")
                    ? new MACSigner(key.getEncoded())
                    : alg.startsWith("ES") ? new ECDSASigner((ECPrivateKey) key) : new RSASSASigner((PrivateKey) key);
            return signer.sign(new JWSHeader(TokenAlgorithm.valueOf(alg).jws()), text)
                    .decode();
        } catch (JOSEException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A token with a plain header. */
    public static String token(String alg, String claims) {
        return signed(alg, signingKey(alg), "{\"alg\":\"" + alg + "\",\"typ\":\"JWT\"}", claims);
    }

    /** An HS256 token of {@link #SECRET}. */
    public static String token(String claims) {
        return token("HS256", claims);
    }

    /** An HS256 token that is good for so long. */
    public static String token(String claims, long seconds) {
        long exp = System.currentTimeMillis() / 1000 + seconds;
        return token("{\"exp\":" + exp + (claims.isEmpty() ? "" : "," + claims) + "}");
    }

    /** The {@code x} of a JWK. */
    static byte[] rawEd25519(String pair) {
        byte[] encoded = ((EdECPublicKey) pair(pair).getPublic()).getEncoded();
        return java.util.Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
    }
}
