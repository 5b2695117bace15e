package io.barrage.gateway.hooks;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Signs requests as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body, one signature for each secret. Immutable.
 */
final class WebhookSigner {
    private static final String ALGORITHM = "HmacSHA256";
    private static final String PREFIX = "whsec_";
    private static final int LEAST_BYTES = 24;
    private static final int MOST_BYTES = 64;

    private final List<SecretKeySpec> keys;

    private WebhookSigner(List<SecretKeySpec> keys) {
        this.keys = keys;
    }

    /**
     * Signs with each of the secrets.
     *
     * @throws IllegalArgumentException if one isn't {@code whsec_} and 24 to 64 bytes in base64
     */
    static WebhookSigner of(List<String> secrets) {
        List<SecretKeySpec> keys = new ArrayList<>();
        for (String secret : secrets) {
            byte[] bytes = decode(secret);
            if (bytes == null) {
                throw new IllegalArgumentException("a secret isn't whsec_ and 24 to 64 bytes in base64");
            }
            keys.add(new SecretKeySpec(bytes, ALGORITHM));
        }
        return new WebhookSigner(List.copyOf(keys));
    }

    /** The bytes of a secret; null if it isn't one. */
    static byte @Nullable [] decode(String secret) {
        if (!secret.startsWith(PREFIX)) {
            return null;
        }
        try {
            byte[] bytes = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
            return bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES ? null : bytes;
        } catch (IllegalArgumentException ignored) {
            return null;
        }
    }

    /** What the header {@code webhook-signature} says: {@code v1,...}, with a space between two. */
    String sign(String id, long epochSeconds, byte[] body) {
        StringBuilder signatures = new StringBuilder();
        for (SecretKeySpec key : keys) {
            if (signatures.length() > 0) {
                signatures.append(' ');
            }
            signatures.append("v1,").append(Base64.getEncoder().encodeToString(mac(key, id, epochSeconds, body)));
        }
        return signatures.toString();
    }

    private static byte[] mac(SecretKeySpec key, String id, long epochSeconds, byte[] body) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update((id + "." + epochSeconds + ".").getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(body);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }
}
