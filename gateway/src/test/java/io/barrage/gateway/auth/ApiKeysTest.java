package io.barrage.gateway.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Rate;
import io.barrage.protocol.TopicName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiKeysTest {

    private static final String OLD = ApiKeys.generate();
    private static final String NEW = ApiKeys.generate();

    private static ApiKeyConfig config(String name, String key, Scope... scopes) {
        return new ApiKeyConfig(name, ApiKeys.hash(key), null, List.of(scopes), Rate.NONE, List.of());
    }

    private static ApiKeyConfig hashed(String hash) {
        return new ApiKeyConfig("a", hash, null, List.of(Scope.READ), Rate.NONE, List.of());
    }

    @Test
    void knowsEachOfSeveralKeys() {
        ApiKeys keys = ApiKeys.of(
                List.of(config("old", OLD, Scope.PUBLISH), config("new", NEW, Scope.PUBLISH, Scope.READ, Scope.READ)));
        assertEquals(new ApiKey("old", Set.of(Scope.PUBLISH), Rate.NONE, null), keys.verify(OLD));
        assertEquals(new ApiKey("new", Set.of(Scope.PUBLISH, Scope.READ), Rate.NONE, null), keys.verify(NEW));
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
        assertEquals("a", ApiKeys.of(List.of(hashed(hash))).verify(OLD).name());
    }

    @Test
    void generatesDifferentKeysOf256Bits() {
        assertTrue(OLD.matches("brg_[A-Za-z0-9_-]{43}"), OLD);
        assertNotEquals(OLD, NEW);
    }

    @Test
    void refusesHashesThatAreNone() {
        for (String hash : List.of("", "abc", OLD, "sha256:", "sha256:" + "0".repeat(63), "sha1:" + "0".repeat(64))) {
            ApiKeyConfig config = hashed(hash);
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

    private static ApiKeyConfig file(Path file) {
        return ConfigReader.parse(ApiKeyConfig.class, "{name: a, file: '" + file + "', scopes: [read]}");
    }

    @Test
    void readsTheKeyOrItsHashFromAFile(@TempDir Path folder) throws IOException {
        Path key = Files.writeString(folder.resolve("key"), OLD + "\n");
        Path hash = Files.writeString(folder.resolve("hash"), "\r\n " + ApiKeys.hash(NEW) + " \r\n");
        ApiKeys keys = ApiKeys.of(List.of(file(key), file(hash)));
        assertEquals("a", keys.verify(OLD).name());
        assertEquals("a", keys.verify(NEW).name());
        assertFalse(file(key).toString().contains(OLD));
    }

    @Test
    void namesWhatIsWrongWithAFileButNeverWhatItHolds(@TempDir Path folder) throws IOException {
        assertWrong("file: there is no file " + folder.resolve("none"), folder.resolve("none"));
        Path secret = Files.writeString(folder.resolve("secret"), "hunter 2");
        assertWrong("file: the file " + secret + " must hold an API key as it is sent", secret);
        Path empty = Files.createFile(folder.resolve("empty"));
        assertWrong("file: the file " + empty + " must hold an API key", empty);
        Path two = Files.writeString(folder.resolve("two"), OLD + "\n" + NEW);
        assertWrong("file: the file " + two + " must hold an API key", two);
        Path bytes = Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xff, 1});
        assertWrong("file: the file " + bytes + " can't be read", bytes);
        Path large = Files.write(folder.resolve("large"), new byte[5000]);
        assertWrong("file: the file " + large + " is too large for an API key", large);
    }

    private static void assertWrong(String expected, Path file) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> file(file)).getMessage();
        assertTrue(message.contains(expected), message);
        assertFalse(message.contains("hunter") || message.contains(OLD), message);
    }

    @Test
    void aKeyComesFromOnePlace() {
        assertTrue(parse("{name: a, scopes: [read]}")
                .contains("hash: missing; expected the key's hash, or a `file` with it"));
        assertTrue(parse("{name: a, file: f, hash: '" + ApiKeys.hash(OLD) + "', scopes: [read]}")
                .contains("hash: a key comes from a file or has its hash here, not both"));
        assertTrue(parse("{name: a, hash: '" + ApiKeys.hash(OLD) + "', scopes: [publish], topics: ['a*b']}")
                .contains("topics: topic pattern 'a*b' is neither a topic nor the beginning of one"));
    }

    private static String parse(String yaml) {
        return assertThrows(IllegalArgumentException.class, () -> ConfigReader.parse(ApiKeyConfig.class, yaml))
                .getMessage();
    }

    @Test
    void publishesToItsTopicsOnly() {
        ApiKey key = ApiKeys.of(List.of(ConfigReader.parse(
                        ApiKeyConfig.class,
                        "{name: a, hash: '" + ApiKeys.hash(OLD) + "', scopes: [publish], topics: ['score:*', news]}")))
                .verify(OLD);
        assertTrue(key.mayPublishTo(TopicName.of("score:7")));
        assertTrue(key.mayPublishTo(TopicName.of("news")));
        assertFalse(key.mayPublishTo(TopicName.of("news:7")));
        assertFalse(key.mayPublishTo(TopicName.of("score")));
        assertFalse(key.mayPublishTo(TopicName.ofUser("score:7")));
        assertTrue(ApiKeys.of(List.of(config("b", NEW))).verify(NEW).mayPublishTo(TopicName.ofUser("u7")));
    }
}
