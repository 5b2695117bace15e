package io.barrage.gateway.auth;

import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A token taken apart (RFC 7515 section 7.1), of which nothing is proved yet. Immutable.
 *
 * <p>Of its header only {@code alg} and {@code kid} are used, to choose among our own keys: keys that it brings or names
 * ({@code jwk}, {@code x5c}, {@code jku}, {@code x5u}) are ignored.
 */
final class SignedToken {
    private static final int JWS_PARTS = 3;
    private static final int JWE_PARTS = 5;

    /** A token of another type was issued for something else (RFC 8725 section 3.11). */
    private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/jwt", "application/at+jwt");

    private final TokenAlgorithm algorithm;
    private final @Nullable String kid;
    private final byte[] signed;
    private final byte[] claims;
    private final byte[] signature;

    private SignedToken(
            TokenAlgorithm algorithm, @Nullable String kid, byte[] signed, byte[] claims, byte[] signature) {
        this.algorithm = algorithm;
        this.kid = kid;
        this.signed = signed;
        this.claims = claims;
        this.signature = signature;
    }

    /**
     * Takes a token apart.
     *
     * @throws ProtocolException that says what is wrong with it, and shows nothing of it but names
     */
    static SignedToken parse(String token, int maxLength) {
        if (token.length() > maxLength) {
            throw TokenJson.bad(
                    "the token has " + token.length() + " characters, and at most " + maxLength + " are taken");
        }
        String[] parts = token.split("\\.", -1);
        if (parts.length == JWE_PARTS) {
            throw TokenJson.bad("the token is encrypted (it has five parts), which isn't taken: sign it instead");
        }
        if (parts.length != JWS_PARTS) {
            throw TokenJson.bad("the token isn't a signed JWT: that has three parts with a dot between them, this has "
                    + parts.length);
        }
        byte[] header = decode(parts[0], "header");
        byte[] claims = decode(parts[1], "claims");
        byte[] signature = decode(parts[2], "signature");
        byte[] signed = token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);

        String alg = null;
        String kid = null;
        try (TokenJson json = TokenJson.open("header", header)) {
            for (String name = json.nextField(); name != null; name = json.nextField()) {
                switch (name) {
                    case "alg" -> alg = json.string();
                    case "kid" -> kid = json.string();
                    case "typ" -> checkType(json);
                    // What must be understood isn't (RFC 7515 section 4.1.11), whatever it is.
                    case "crit" -> throw json.wrong("names extensions, and none is taken");
                    case "b64" -> checkEncoding(json);
                    case "cty" -> checkContent(json);
                    case "enc", "zip" -> throw json.wrong("isn't for signed tokens");
                    default -> json.skip();
                }
            }
        }
        if (alg == null) {
            throw TokenJson.bad("the token's header has no 'alg'");
        }
        TokenAlgorithm algorithm = TokenAlgorithm.of(alg);
        if (algorithm == null) {
            throw TokenJson.bad("the token's algorithm " + Printable.of(alg) + " isn't taken");
        }
        return new SignedToken(algorithm, kid, signed, claims, signature);
    }

    private static void checkType(TokenJson json) {
        String type = json.string();
        if (!TYPES.contains(type.toLowerCase(Locale.ROOT))) {
            throw json.wrong("must be JWT or at+jwt, if it is there; this is " + Printable.of(type));
        }
    }

    /** RFC 7797. Its {@code crit} refuses it, too, where the issuer keeps to that. */
    private static void checkEncoding(TokenJson json) {
        if (!json.isTrue()) {
            throw json.wrong("must not be false: the claims are Base64");
        }
    }

    private static void checkContent(TokenJson json) {
        if (json.string().toLowerCase(Locale.ROOT).endsWith("jwt")) {
            throw json.wrong("says that it holds another token, which isn't taken");
        }
    }

    private static byte[] decode(String part, String name) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            // One text for each token: the decoder takes padding, and bits in the last character that mean nothing.
            if (Base64.getUrlEncoder().withoutPadding().encodeToString(bytes).equals(part)) {
                return bytes;
            }
        } catch (IllegalArgumentException ignored) {
            // Told below: the decoder's own words quote the token.
        }
        throw TokenJson.bad("the token's " + name + " isn't base64url without padding");
    }

    TokenAlgorithm algorithm() {
        return algorithm;
    }

    /** Which key it says to be signed with; null if it doesn't say. */
    @Nullable
    String kid() {
        return kid;
    }

    /** Whether the key has signed it. */
    boolean isSignedBy(VerificationKey key) {
        return key.isFor(algorithm, kid) && key.verifies(signed, signature);
    }

    /** The claims as they were sent, which a valid signature alone makes true. Not to be changed. */
    byte[] claims() {
        return claims;
    }

    /** Without what it consists of, so that it can't slip into a log. */
    @Override
    public String toString() {
        return "SignedToken[" + algorithm + "]";
    }
}
