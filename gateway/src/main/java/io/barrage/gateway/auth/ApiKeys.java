package io.barrage.gateway.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keys that backends may show. Immutable and thread-safe: a reload makes a new set.
 *
 * <p>A key has 256 random bits, so that a plain SHA-256 is enough: there is nothing to guess for which a slow hash would
 * buy time, and a publish pays for the hash each time.
 */
public final class ApiKeys {

    static final String NAME_PATTERN = "[A-Za-z0-9._-]{1,64}";
    static final String HASH_PATTERN = "sha256:[0-9a-fA-F]{64}";

    static final Pattern NAME = Pattern.compile(NAME_PATTERN);
    static final Pattern HASH = Pattern.compile(HASH_PATTERN);

    /** What a client can send as a bearer token at all. */
    public static final Pattern BEARER = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

    private static final String HASH_PREFIX = "sha256:";
    /** Lets secret scanners and people recognise a key that leaked. */
    private static final String KEY_PREFIX = "brg_";

    private static final int KEY_BYTES = 32;

    private static final class Entry {
        private final ApiKey key;
        private final byte[] hash;

        Entry(ApiKey key, byte[] hash) {
            this.key = key;
            this.hash = hash;
        }
    }

    private final List<Entry> entries;

    private ApiKeys(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /**
     * The keys of a configuration; reads their files.
     *
     * @throws IllegalArgumentException if a hash isn't {@code sha256:} and 64 hexadecimal digits, or a file holds no key
     */
    public static ApiKeys of(List<ApiKeyConfig> configs) {
        List<Entry> entries = new ArrayList<>();
        for (ApiKeyConfig config : configs) {
            byte[] hash = HexFormat.of().parseHex(config.keyHash().substring(HASH_PREFIX.length()));
            entries.add(new Entry(config.key(), hash));
        }
        return new ApiKeys(entries);
    }

    /** Whether there are none, so that only loopback may be served. */
    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /**
     * The key whose secret this is; null if there is none. The time it takes tells nothing about the keys.
     *
     * @param bearer what follows {@code Bearer } in the request
     */
    public @Nullable ApiKey verify(String bearer) {
        byte[] hash = sha256(bearer);
        ApiKey found = null;
        // All of them, each in constant time: neither the matching key's place nor its matching digits show in the
        // time.
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(entry.hash, hash)) {
                found = entry.key;
            }
        }
        return found;
    }

    /** A new key: {@code brg_} and 32 random bytes in base64url. */
    public static String generate() {
        byte[] random = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(random);
        return KEY_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /** What is kept of a key: {@code sha256:} and hexadecimal digits. */
    public static String hash(String key) {
        return HASH_PREFIX + HexFormat.of().formatHex(sha256(key));
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
