package io.barrage.gateway.auth;

import static io.barrage.gateway.auth.TokenFixture.SECRET;
import static io.barrage.gateway.auth.TokenFixture.base64;
import static io.barrage.gateway.auth.TokenFixture.pair;
import static io.barrage.gateway.auth.TokenFixture.pairOf;
import static io.barrage.gateway.auth.TokenFixture.publicPem;
import static io.barrage.gateway.auth.TokenFixture.signed;
import static io.barrage.gateway.auth.TokenFixture.signingKey;
import static io.barrage.gateway.auth.TokenFixture.token;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenVerifierTest {
    /** What the clock shows, in seconds since 1970. */
    private static final long NOW = 1_790_000_000;

    private static final String GOOD = "{\"sub\":\"u7\",\"exp\":" + (NOW + 60) + "}";
    private static final String HS_KEY = "keys: [{alg: HS256, secret: " + SECRET + "}]";

    @TempDir
    private Path folder;

    private static TokenVerifier verifier(String yaml) {
        return new TokenVerifier(ConfigReader.parse(AuthConfig.class, yaml), () -> NOW * 1000, System::nanoTime);
    }

    private String file(String pair) throws IOException {
        Path file = folder.resolve(pair + ".pem");
        Files.writeString(file, publicPem(pair));
        return file.toString();
    }

    private static Grant grant(String yaml, String token) {
        CompletableFuture<Grant> grant = verifier(yaml).verify(token);
        assertTrue(grant.isDone(), "nothing is fetched");
        return grant.join();
    }

    /** Why the token is refused. */
    private static ProtocolException refusal(TokenVerifier verifier, String token) {
        CompletableFuture<Grant> grant = verifier.verify(token);
        assertTrue(grant.isDone(), "nothing is fetched");
        Throwable cause = assertThrows(CompletionException.class, grant::join).getCause();
        ProtocolException refusal = assertInstanceOf(ProtocolException.class, cause);
        for (String part : token.split("\\.", -1)) {
            assertFalse(part.length() > 8 && refusal.getMessage().contains(part), refusal.getMessage());
        }
        assertFalse(refusal.getMessage().contains(SECRET));
        return refusal;
    }

    private static void refuses(String yaml, String token, String why) {
        ProtocolException refusal = refusal(verifier(yaml), token);
        assertEquals(ErrorCode.UNAUTHORIZED, refusal.code(), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(why), refusal.getMessage());
    }

    private static void refuses(String token, String why) {
        refuses(HS_KEY, token, why);
    }

    // ---------------------------------------------------------------- what is right

    @ParameterizedTest
    @ValueSource(strings = {"HS256", "HS384", "HS512"})
    void takesTokensOfSecrets(String alg) {
        assertEquals(
                "u7",
                grant("keys: [{alg: " + alg + ", secret: " + SECRET + "}]", token(alg, GOOD))
                        .user());
    }

    @ParameterizedTest
    @ValueSource(strings = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
    void takesTokensOfKeysInFiles(String alg) throws IOException {
        String yaml = "keys: [{kid: k1, alg: " + alg + ", file: '" + file(pairOf(alg)) + "'}]";
        Grant grant = grant(yaml, token(alg, GOOD));
        assertEquals("u7", grant.user());
        assertTrue(grant.authenticated());
        assertEquals(NOW + 60, grant.expires());
        assertEquals(
                "u7",
                grant(
                                yaml.toLowerCase(java.util.Locale.ROOT)
                                        .replace(
                                                folder.toString().toLowerCase(java.util.Locale.ROOT),
                                                folder.toString()),
                                token(alg, GOOD))
                        .user());
    }

    @Test
    void takesTheOtherNameOfEdDsa() throws IOException {
        String token = signed("EdDSA", pair("ed25519").getPrivate(), "{\"alg\":\"Ed25519\"}", GOOD);
        assertEquals(
                "u7",
                grant("keys: [{alg: EdDSA, file: '" + file("ed25519") + "'}]", token)
                        .user());
    }

    @Test
    void takesSecretsFromFiles() throws IOException {
        Path file = folder.resolve("secret");
        Files.writeString(file, SECRET + "\n");
        assertEquals(
                "u7",
                grant("keys: [{alg: HS256, file: '" + file + "'}]", token(GOOD)).user());
    }

    @Test
    void readsEveryClaim() {
        Grant grant = grant(
                HS_KEY + "\naudience: [barrage, other]\nissuer: https://id.example",
                token("{\"sub\":\"u7\",\"exp\":" + (NOW + 60) + ".75,\"nbf\":" + (NOW - 5) + ",\"iat\":" + NOW
                        + ",\"iss\":\"https://id.example\",\"aud\":[\"shop\",\"barrage\"],\"jti\":\"x\","
                        + "\"info\": { \"name\" : \"Ada\", \"n\": [1, 2.50, 1e400, null] },"
                        + "\"topics\":{\"subscribe\":[\"room:*\",\"news\"],\"publish\":[\"room:42\"],\"more\":{}},"
                        + "\"join\":[\"room:42\",\"news\",\"room:42\"],\"unknown\":{\"a\":[{}]}}"));
        assertEquals("u7", grant.user());
        assertEquals(NOW + 60, grant.expires());
        assertEquals("{\"name\":\"Ada\",\"n\":[1,2.50,1E+400,null]}", grant.info());
        assertTrue(grant.subscribe().match(TopicName.of("room:1")));
        assertTrue(grant.subscribe().match(TopicName.of("news")));
        assertFalse(grant.subscribe().match(TopicName.of("newspaper")));
        assertTrue(grant.publish().match(TopicName.of("room:42")));
        assertFalse(grant.publish().match(TopicName.of("room:43")));
        assertEquals(List.of(TopicName.of("room:42"), TopicName.of("news")), grant.join());
    }

    @Test
    void keepsHalfAnEmojiOfItsInfoEscaped() {
        assertEquals(
                "{\"name\":\"\\uD83D\",\"more\":[\"\\uDE00\\uD83D!\"]}",
                grant(
                                HS_KEY,
                                token("{\"exp\":" + (NOW + 60) + ",\"info\":{\"name\":\"\\ud83d\","
                                        + "\"more\":[\"\\ude00\\ud83d!\"]}}"))
                        .info());
        refusesClaims("\"info\":{\"\\ude00\":1}", "aren't well-formed JSON");
        String whole = "{\"\ud83d\ude00\":\"\ud83d\ude00\"}";
        for (String emoji : List.of(whole, "{\"\\ud83d\\ude00\":\"\\ud83d\\ude00\"}")) {
            assertEquals(
                    whole,
                    grant(HS_KEY, token("{\"exp\":" + (NOW + 60) + ",\"info\":" + emoji + "}"))
                            .info());
        }
    }

    @Test
    void takesTokensWithoutUserAndWithoutInfo() {
        Grant grant = grant(HS_KEY, token("{\"exp\":" + (NOW + 60) + ",\"info\":null}"));
        assertNull(grant.user());
        assertNull(grant.info());
        assertTrue(grant.authenticated());
    }

    @Test
    void letsClocksDiffer() {
        assertEquals(
                NOW - 29, grant(HS_KEY, token("{\"exp\":" + (NOW - 29) + "}")).expires());
        grant(HS_KEY, token("{\"exp\":" + (NOW + 60) + ",\"nbf\":" + (NOW + 30) + "}"));
        // A clock of the issuer that is ahead harms nobody.
        grant(HS_KEY, token("{\"exp\":" + (NOW + 600) + ",\"iat\":" + (NOW + 500) + "}"));
    }

    @Test
    void ignoresWhatElseStandsInTheHeader() {
        String header =
                "{\"typ\":\"at+JWT\",\"alg\":\"HS256\",\"x5t\":\"abc\",\"jku\":\"https://evil.example\",\"b64\":true}";
        assertEquals(
                "u7",
                grant(HS_KEY, signed("HS256", signingKey("HS256"), header, GOOD))
                        .user());
    }

    // ---------------------------------------------------------------- keys

    @Test
    void takesTheOldAndTheNewKeyWhileKeysChange() {
        String other = "f".repeat(32);
        String yaml =
                "keys: [{kid: old, alg: HS256, secret: " + SECRET + "}, {kid: new, alg: HS256, secret: " + other + "}]";
        SecretKeySpec old = new SecretKeySpec(SECRET.getBytes(UTF_8), "HMAC");
        SecretKeySpec fresh = new SecretKeySpec(other.getBytes(UTF_8), "HMAC");
        assertEquals(
                "u7",
                grant(yaml, signed("HS256", old, "{\"alg\":\"HS256\",\"kid\":\"old\"}", GOOD))
                        .user());
        assertEquals(
                "u7",
                grant(yaml, signed("HS256", fresh, "{\"alg\":\"HS256\",\"kid\":\"new\"}", GOOD))
                        .user());
        // Without an id all of them are tried.
        assertEquals(
                "u7",
                grant(yaml, signed("HS256", fresh, "{\"alg\":\"HS256\"}", GOOD)).user());
        refuses(yaml, signed("HS256", fresh, "{\"alg\":\"HS256\",\"kid\":\"old\"}", GOOD), "signature isn't right");
        refuses(yaml, signed("HS256", fresh, "{\"alg\":\"HS256\",\"kid\":\"x\"}", GOOD), "key 'x' isn't known here");
    }

    @Test
    void refusesOtherKeys() throws IOException {
        String wrong = signed("HS256", new SecretKeySpec(new byte[32], "HMAC"), "{\"alg\":\"HS256\"}", GOOD);
        refuses(wrong, "signature isn't right");
        String yaml = "keys: [{alg: RS256, file: '" + file("rsa") + "'}]";
        refuses(yaml, signed("RS256", pair("rsa-other").getPrivate(), "{\"alg\":\"RS256\"}", GOOD), "signature isn't");
    }

    /** The public key's bytes as they are known to everybody, taken for a secret. */
    @Test
    void refusesPublicKeysAsSecrets() throws IOException {
        String yaml = "keys: [{alg: RS256, file: '" + file("rsa") + "'}]";
        for (byte[] known : List.of(
                publicPem("rsa").getBytes(UTF_8), pair("rsa").getPublic().getEncoded())) {
            String token = signed("HS256", new SecretKeySpec(known, "HMAC"), "{\"alg\":\"HS256\"}", GOOD);
            refuses(yaml, token, "no key for that, but for: RS256");
        }
    }

    @Test
    void refusesOtherAlgorithmsOfTheSameKey() throws IOException {
        String yaml = "keys: [{alg: RS256, file: '" + file("rsa") + "'}]";
        refuses(yaml, token("RS512", GOOD), "no key for that");
        refuses(yaml, token("PS256", GOOD), "no key for that");
        refuses(token("HS512", GOOD), "signed with HS512, and this gateway has no key for that, but for: HS256");
        // The header says what the key is for, the signature is another's.
        refuses(yaml, signed("PS256", signingKey("PS256"), "{\"alg\":\"RS256\"}", GOOD), "signature isn't right");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"none", "None", "NONE", "nOnE", "", "hs256", "HS1", "ES256K", "dir", "RSA-OAEP", "../HS256"})
    void refusesUnsignedTokensAndUnknownAlgorithms(String alg) {
        String header = "{\"alg\":\"" + alg + "\"}";
        refuses(base64(header) + "." + base64(GOOD) + ".", "isn't taken");
        refuses(signed("HS256", signingKey("HS256"), header, GOOD), "isn't taken");
    }

    @Test
    void refusesAGoodHeaderWithoutSignature() {
        refuses(base64("{\"alg\":\"HS256\"}") + "." + base64(GOOD) + ".", "signature isn't right");
    }

    /** A token that brings its own key. */
    @Test
    void ignoresKeysInTheHeader() throws IOException {
        String yaml = "keys: [{alg: EdDSA, file: '" + file("ed25519") + "'}]";
        String header = "{\"alg\":\"EdDSA\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""
                + base64(TokenFixture.rawEd25519("ed-other")) + "\"},\"jku\":\"https://evil.example/keys\","
                + "\"x5u\":\"https://evil.example/cert\",\"x5c\":[\"abc\"]}";
        refuses(yaml, signed("EdDSA", pair("ed-other").getPrivate(), header, GOOD), "signature isn't right");
    }

    /** CVE-2022-21449: r and s of 0 once satisfied the JDK. */
    @Test
    void refusesEmptyEcSignatures() throws IOException {
        String yaml = "keys: [{alg: ES256, file: '" + file("ec256") + "'}]";
        String text = base64("{\"alg\":\"ES256\"}") + "." + base64(GOOD) + ".";
        refuses(yaml, text + base64(new byte[64]), "signature isn't right");
        refuses(yaml, text + base64(new byte[70]), "signature isn't right");
        refuses(yaml, text, "signature isn't right");
    }

    // ---------------------------------------------------------------- headers

    private static void refusesHeader(String header, String why) {
        refuses(signed("HS256", signingKey("HS256"), header, GOOD), why);
    }

    @Test
    void refusesHeadersThatAskForMore() {
        refusesHeader("{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "'crit' names extensions");
        refusesHeader("{\"alg\":\"HS256\",\"crit\":[]}", "'crit' names extensions");
        refusesHeader("{\"alg\":\"HS256\",\"b64\":false}", "'b64' must not be false");
        refusesHeader("{\"alg\":\"HS256\",\"b64\":\"false\"}", "'b64' must be true or false");
        refusesHeader("{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", "'b64' must not be false");
        refusesHeader("{\"alg\":\"HS256\",\"cty\":\"JWT\"}", "holds another token");
        refusesHeader("{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "'zip' isn't for signed tokens");
        refusesHeader("{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", "'enc' isn't for signed tokens");
        refusesHeader("{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}", "this is 'logout+jwt'");
    }

    @Test
    void refusesBrokenHeaders() {
        refusesHeader("{}", "no 'alg'");
        refusesHeader("{\"alg\":7}", "'alg' must be a string");
        refusesHeader("{\"alg\":[\"HS256\"]}", "'alg' must be a string");
        refusesHeader("{\"alg\":\"HS256\",\"kid\":null}", "'kid' must be a string");
        refusesHeader("{\"alg\":\"HS256\",\"alg\":\"none\"}", "header twice");
        refusesHeader("{\"alg\":\"none\",\"alg\":\"HS256\"}", "header twice");
        refusesHeader("{\"alg\":\"HS256\"", "aren't well-formed JSON");
        refusesHeader("{\"alg\":\"HS256\"} {}", "text behind");
        refusesHeader("[\"HS256\"]", "aren't a JSON object");
        refusesHeader(" {\"alg\":\"HS256\"}", "aren't a JSON object");
        refusesHeader("", "aren't a JSON object");
        refusesHeader("{\"alg\":\"HS256\",\"a\":" + "[".repeat(20) + "]".repeat(20) + "}", "nested more than 16");
    }

    @Test
    void refusesOtherEncodings() {
        byte[] utf16 = "{\"alg\":\"HS256\"}".getBytes(java.nio.charset.StandardCharsets.UTF_16BE);
        refuses(signed("HS256", signingKey("HS256"), utf16, GOOD.getBytes(UTF_8)), "aren't a JSON object");
        byte[] latin = "{\"sub\":\"\u00e9\"}".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        refuses(signed("HS256", signingKey("HS256"), "{\"alg\":\"HS256\"}".getBytes(UTF_8), latin), "aren't UTF-8");
    }

    // ---------------------------------------------------------------- forms

    @ParameterizedTest
    @CsvSource({
        "'', three parts",
        "abc, three parts",
        "a.b, three parts",
        "a.b.c.d, three parts",
        "a.b.c.d.e, encrypted",
        "a.b.c.d.e.f, three parts",
        ".., aren't a JSON object",
        "e30.e30., no 'alg'",
        "e30=.e30.e30, base64url",
        "e3+.e30.e30, base64url",
        "' e30.e30.e30', base64url",
        "e31.e30.e30, base64url"
    })
    void refusesWhatIsNoSignedToken(String token, String why) {
        refuses(token, why);
    }

    @Test
    void refusesLongTokensUnread() {
        String yaml = HS_KEY + "\ntokenBytes: 1KiB";
        String long1 = token("{\"exp\":" + (NOW + 60) + ",\"a\":\"" + "x".repeat(1024) + "\"}");
        refuses(yaml, long1, "and at most 1024 are taken");
        grant(HS_KEY, long1);
        refuses("a".repeat(8193), "has 8193 characters, and at most 8192");
    }

    // ---------------------------------------------------------------- claims

    private static void refusesClaims(String claims, String why) {
        refuses(token("{\"exp\":" + (NOW + 60) + "," + claims + "}"), why);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "\"sub\":7                          | 'sub' must be a string",
                "\"sub\":null                       | 'sub' must be a string",
                "\"sub\":\"\"                       | 'sub' can't be used: a user's name has 1 to 128",
                "\"sub\":\"a b\"                    | 'sub' can't be used: a user's name is printable",
                "\"sub\":\"a\",\"sub\":\"b\"        | claim twice",
                "\"exp\":99                         | claim twice",
                "\"nbf\":\"1\"                      | 'nbf' must be a number",
                "\"nbf\":-1                         | 'nbf' must be seconds since 1970",
                "\"iat\":{}                         | 'iat' must be a number",
                "\"iss\":7                          | 'iss' must be a string",
                "\"aud\":7                          | 'aud' must be a string or an array of strings",
                "\"aud\":[7]                        | 'aud' must be a string or an array of strings",
                "\"topics\":[]                      | 'topics' must be an object with subscribe and publish",
                "\"topics\":{\"subscribe\":\"a\"}   | 'topics.subscribe' must be an array of strings",
                "\"topics\":{\"publish\":[1]}       | 'topics.publish' must be an array of strings",
                "\"topics\":{\"publish\":[\"a**\"]} | 'topics' ('publish') can't be used: topic pattern",
                "\"topics\":{\"subscribe\":[\"$user:u8\"]} | 'topics' ('subscribe') can't be used",
                "\"topics\":{\"subscribe\":[],\"subscribe\":[\"*\"]} | claim twice",
                "\"join\":{}                        | 'join' must be an array of strings",
                "\"join\":[\"$user:u8\"]            | 'join' can't be used: topic names that start with '$'",
                "\"info\":{\"a\":1,\"a\":2}         | claim twice",
                "\"a\":01                           | aren't well-formed JSON"
            })
    void namesTheClaimThatIsWrong(String claims, String why) {
        refusesClaims(claims, why);
    }

    @Test
    void boundsClaims() {
        refusesClaims("\"info\":\"" + "x".repeat(1023) + "\"", "'info' has more than 1024 bytes");
        refusesClaims("\"info\":" + "[".repeat(20) + "]".repeat(20), "nested more than 16");
        StringBuilder many = new StringBuilder("\"c0\":0");
        StringBuilder topics = new StringBuilder("\"a\"");
        for (int i = 1; i <= 200; i++) {
            many.append(",\"c").append(i).append("\":0");
            topics.append(",\"a").append(i).append('"');
        }
        refusesClaims(many.toString(), "more than 200 claims");
        refusesClaims("\"join\":[" + topics + "]", "'join' names more than 100 topics");
    }

    @Test
    void refusesTokensThatWouldBeGoodForEver() {
        refuses(token("{\"sub\":\"u7\"}"), "no claim 'exp'");
        refuses(token("{\"exp\":\"" + (NOW + 60) + "\"}"), "'exp' must be a number");
        refuses(token("{\"exp\":" + (NOW + 60) + "000}"), "seconds since 1970, not milliseconds");
        refuses(token("{\"exp\":1e300}"), "seconds since 1970");
        refuses(token("{\"exp\":" + "9".repeat(900) + "}"), "seconds since 1970");
        refuses(token("{\"exp\":" + "9".repeat(5000) + "}"), "aren't well-formed JSON");
        refuses(token("{\"exp\":null}"), "'exp' must be a number");
    }

    @Test
    void refusesTokensOutOfTheirTime() {
        ProtocolException expired = refusal(verifier(HS_KEY), token("{\"exp\":" + (NOW - 30) + "}"));
        assertEquals(ErrorCode.TOKEN_EXPIRED, expired.code());
        assertEquals("the token has expired 30 s ago (claim 'exp')", expired.getMessage());
        ProtocolException strict = refusal(verifier(HS_KEY + "\nleeway: 0s"), token("{\"exp\":" + NOW + "}"));
        assertEquals(ErrorCode.TOKEN_EXPIRED, strict.code());
        refuses(token("{\"exp\":" + (NOW + 60) + ",\"nbf\":" + (NOW + 31) + "}"), "isn't good yet, for another 31 s");
    }

    @Test
    void refusesTokensForOthers() {
        String yaml = HS_KEY + "\naudience: barrage";
        String start = "{\"exp\":" + (NOW + 60);
        grant(yaml, token(start + ",\"aud\":\"barrage\"}"));
        refuses(yaml, token(start + ",\"aud\":\"shop\"}"), "for another audience: 'shop'");
        refuses(yaml, token(start + ",\"aud\":[\"shop\",\"Barrage\"]}"), "for another audience: 'shop, Barrage'");
        refuses(yaml, token(start + ",\"aud\":[]}"), "no claim 'aud'");
        refuses(yaml, token(start + "}"), "no claim 'aud'");
        refuses(token(start + ",\"aud\":\"barrage\"}"), "'auth.audience' isn't set");
    }

    @Test
    void refusesOtherIssuers() {
        String yaml = HS_KEY + "\nissuer: https://id.example";
        String start = "{\"exp\":" + (NOW + 60);
        grant(yaml, token(start + ",\"iss\":\"https://id.example\"}"));
        refuses(yaml, token(start + ",\"iss\":\"https://id.example/\"}"), "'iss' is 'https://id.example/'");
        refuses(yaml, token(start + "}"), "'iss' is missing");
    }

    @Test
    void takesNoTokensWithoutAuth() {
        ProtocolException refusal = refusal(TokenVerifier.of(AuthConfig.NONE), token(GOOD));
        assertEquals("this gateway takes no tokens: it runs with 'auth: none'", refusal.getMessage());
    }

    // ---------------------------------------------------------------- chance

    /** Whatever is changed in a good token, it isn't one any more; and nothing else than a refusal comes of it. */
    @ParameterizedTest
    @ValueSource(strings = {"HS256", "RS256", "ES256", "EdDSA"})
    void refusesEveryMutation(String alg) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        TokenVerifier verifier = verifier(
                alg.equals("HS256") ? HS_KEY : "keys: [{alg: " + alg + ", file: '" + file(pairOf(alg)) + "'}]");
        String good = token(alg, GOOD);
        assertEquals("u7", verifier.verify(good).join().user());
        for (int i = 0; i < 3_000; i++) {
            String mutant = mutation(good, random);
            if (!mutant.equals(good)) {
                CompletableFuture<Grant> grant = verifier.verify(mutant);
                assertTrue(grant.isCompletedExceptionally(), "taken: " + mutant + " seed " + seed);
                Throwable cause =
                        assertThrows(CompletionException.class, grant::join).getCause();
                assertInstanceOf(ProtocolException.class, cause, mutant + " seed " + seed);
            }
        }
    }

    private static String mutation(String good, Random random) {
        StringBuilder text = new StringBuilder(good);
        int at = random.nextInt(good.length());
        switch (random.nextInt(7)) {
            case 0 -> text.setCharAt(at, (char) (' ' + random.nextInt(95)));
            case 1 -> text.deleteCharAt(at);
            case 2 -> text.insert(at, (char) random.nextInt(random.nextBoolean() ? 128 : 65_536));
            case 3 -> text.setLength(at);
            case 4 -> text.append(good, 0, at);
            case 5 -> {
                // A bit of what is encoded.
                String[] parts = good.split("\\.", -1);
                int part = random.nextInt(3);
                byte[] bytes = Base64.getUrlDecoder().decode(parts[part]);
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                parts[part] = base64(bytes);
                return String.join(".", parts);
            }
            default -> {
                String[] parts = good.split("\\.", -1);
                int part = random.nextInt(3);
                byte[] bytes = Base64.getUrlDecoder().decode(parts[part]);
                parts[part] = base64(Arrays.copyOf(bytes, random.nextInt(bytes.length + 8)));
                return String.join(".", parts);
            }
        }
        return text.toString();
    }

    @Test
    void survivesNoise() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        TokenVerifier verifier = verifier(HS_KEY);
        for (int i = 0; i < 2_000; i++) {
            byte[] claims = new byte[random.nextInt(64)];
            random.nextBytes(claims);
            String json = random.nextBoolean()
                    ? "{\"exp\":" + NOW + new String(claims, java.nio.charset.StandardCharsets.ISO_8859_1)
                    : new String(claims, java.nio.charset.StandardCharsets.ISO_8859_1);
            CompletableFuture<Grant> grant = verifier.verify(token(json));
            if (grant.isCompletedExceptionally()) {
                Throwable cause =
                        assertThrows(CompletionException.class, grant::join).getCause();
                assertInstanceOf(ProtocolException.class, cause, "seed " + seed);
            }
        }
    }
}
