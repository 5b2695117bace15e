package io.barrage.gateway.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ApiKeysTest {

    private static final String OLD = ApiKeys.generate();
    private static final String NEW = ApiKeys.generate();

    private static ApiKeyConfig config(String name, String key, Scope... scopes) {
        return new ApiKeyConfig(name, ApiKeys.hash(key), List.of(scopes));
    }

    @Test
    void knowsEachOfSeveralKeys() {
        ApiKeys keys = ApiKeys.of(
                List.of(config("old", OLD, Scope.PUBLISH), config("new", NEW, Scope.PUBLISH, Scope.READ, Scope.READ)));
        assertEquals(new ApiKey("old", Set.of(Scope.PUBLISH)), keys.verify(OLD));
        assertEquals(new ApiKey("new", Set.of(Scope.PUBLISH, Scope.READ)), keys.verify(NEW));
        assertFalse(keys.isEmpty());
    }

    @Test
    void allowsOnlyItsScopes() {
        ApiKey key = ApiKeys.of(List.of(config("a", OLD, Scope.READ))).verify(OLD);
        assertTrue(key.allows(Scope.READ));
        assertFalse(key.allows(Scope.PUBLISH));
        assertFalse(key.allows(Scope.CONTROL));
    }

    @Test
    void knowsNothingElse() {
        ApiKeys keys = ApiKeys.of(List.of(config("old", OLD, Scope.PUBLISH)));
        assertNull(keys.verify(NEW));
        assertNull(keys.verify(""));
        assertNull(keys.verify(OLD + " "));
        assertNull(keys.verify(OLD.substring(1)));
        assertNull(keys.verify(ApiKeys.hash(OLD)));
        assertNull(ApiKeys.of(List.of()).verify(OLD));
        assertTrue(ApiKeys.of(List.of()).isEmpty());
    }

    @Test
    void hashesAsEverybodyElseDoes() {
        assertEquals("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", ApiKeys.hash("abc"));
    }

    @Test
    void takesCapitalDigits() {
        String hash = "sha256:" + ApiKeys.hash(OLD).substring(7).toUpperCase(java.util.Locale.ROOT);
        assertEquals(
                "a",
                ApiKeys.of(List.of(new ApiKeyConfig("a", hash, List.of(Scope.READ))))
                        .verify(OLD)
                        .name());
    }

    @Test
    void generatesDifferentKeysOf256Bits() {
        assertTrue(OLD.matches("brg_[A-Za-z0-9_-]{43}"), OLD);
        assertNotEquals(OLD, NEW);
    }

    @Test
    void refusesHashesThatAreNone() {
        for (String hash : List.of("", "abc", OLD, "sha256:", "sha256:" + "0".repeat(63), "sha1:" + "0".repeat(64))) {
            ApiKeyConfig config = new ApiKeyConfig("a", hash, List.of(Scope.READ));
            assertThrows(IllegalArgumentException.class, () -> ApiKeys.of(List.of(config)), hash);
        }
    }

    @Test
    void namesWhatIsWrongWithAKeyButNeverTheKey() {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> ConfigReader.parse(ApiKeyConfig.class, "{name: a b, hash: " + OLD + ", scopes: []}"))
                .getMessage();
        assertTrue(message.contains("name: expected 1 to 64 letters"), message);
        assertTrue(message.contains("hash: expected sha256: and 64 hexadecimal digits"), message);
        assertTrue(message.contains("scopes: missing"), message);
        assertFalse(message.contains(OLD), message);
    }

    @Test
    void printsNoHashes() {
        assertFalse(config("a", OLD).toString().contains(ApiKeys.hash(OLD).substring(7)));
    }
}
