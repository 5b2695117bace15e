package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.auth.TokenAlgorithm;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.auth.TokenKeyConfig;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Loaded;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayConfigTest {

    private static final String KEYS = "keys: [{name: shop, hash: 'sha256:" + "0".repeat(64) + "', scopes: [publish]}]";

    @TempDir
    private Path folder;

    private ConfigReader<GatewayConfig> reader(String yaml) throws Exception {
        return reader(yaml, Map.of());
    }

    private ConfigReader<GatewayConfig> reader(String yaml, Map<String, String> environment) throws Exception {
        Path file = folder.resolve("b.yaml");
        Files.writeString(file, yaml);
        return GatewayConfig.reader(file, environment);
    }

    private GatewayConfig load(String yaml) throws Exception {
        return reader(yaml).load().value();
    }

    private List<String> errors(String yaml) throws Exception {
        return errors(reader(yaml));
    }

    private List<String> errors(ConfigReader<GatewayConfig> reader) {
        return assertThrows(ConfigException.class, reader::load).errors().stream()
                .map(error -> error.replace(folder + "/", ""))
                .toList();
    }

    private static GatewayConfig withoutFile(Map<String, String> environment) throws Exception {
        return GatewayConfig.reader(null, environment).load().value();
    }

    @Test
    void hasExactlyTheseKeysAndDefaults() throws Exception {
        assertEquals(
                """
                profile: production
                clients:
                  host: 0.0.0.0
                  port: 8080
                  origins: []
                  compression: true
                  trustedProxies: []
                  proxyHeader: x-forwarded-for
                backend:
                  host: 127.0.0.1
                  port: 8081
                  keys: []
                auth: none  # b.yaml:1:7
                heartbeat: 25s
                heartbeatTimeout: 10s
                broker: memory
                namespaces:
                  - name: room  # b.yaml:2:21
                    subscribe: anyone
                    publish: none
                    maxClientPriority: normal
                    presence: counts
                    members:
                      max: 1000
                      grace: 5s
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
                    # onHookFailure: not set
                    delivery: lossy
                    history:
                      size: 0
                      ttl: 10m
                    log:
                      size: 1024
                      bytes: 1MiB
                    limits:
                      perSender: none
                      repeatWindow: 0s
                  - name: default  # follows from other keys
                    subscribe: anyone
                    publish: none
                    maxClientPriority: normal
                    presence: counts
                    members:
                      max: 1000
                      grace: 5s
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
                    # onHookFailure: not set
                    delivery: lossy
                    history:
                      size: 0
                      ttl: 10m
                    log:
                      size: 1024
                      bytes: 1MiB
                    limits:
                      perSender: none
                      repeatWindow: 0s
                  - name: "$user"  # follows from other keys
                    subscribe: none  # follows from other keys
                    publish: none
                    maxClientPriority: normal
                    presence: off  # follows from other keys
                    members:
                      max: 1000
                      grace: 5s
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
                    # onHookFailure: not set
                    delivery: lossy
                    history:
                      size: 0
                      ttl: 10m
                    log:
                      size: 1024
                      bytes: 1MiB
                    limits:
                      perSender: none
                      repeatWindow: 0s
                hooks:
                  # secret: not set
                  # secondSecret: not set
                  connect:
                    # url: not set
                    timeout: 2s
                    onFailure: refuse
                    maxInFlight: 256
                  subscribe:
                    # url: not set
                    timeout: 2s
                    onFailure: refuse
                    maxInFlight: 256
                  publish:
                    # url: not set
                    timeout: 2s
                    onFailure: refuse
                    maxInFlight: 256
                  events:
                    # url: not set
                    timeout: 5s
                    kinds: []
                    namespaces: []
                    every: 500ms
                    batch: 100
                    grace: 1s
                limits:
                  messageBytes: 64KiB
                  bodyBytes: 1MiB
                  connections: 0
                  connectionsPerUser: 1000
                  connectionsPerAddress: 10000
                  handshakes: 10000/s
                  handshakesPerAddress: 500/s
                  countLoopback: false
                  inbound: 500/s
                  requests: 1000/s
                  subscriptionsPerConnection: 128
                  requestTimeout: 10s
                  keepAliveTimeout: 75s
                memory:
                  queue: 16MiB
                  log: 256MiB
                  pinned: 64MiB
                  tail: 128MiB
                metrics:
                  open: false
                drain:
                  deadline: 20s
                  spread: 5s
                server:
                  transport: auto
                  loops: 0
                log:
                  level: info
                  format: text
                """,
                reader("auth: none\nnamespaces: [{name: room}]").load().print().replace(folder + "/", ""));
    }

    @Test
    void isDevelopmentWithoutFile() throws Exception {
        GatewayConfig config = withoutFile(Map.of());
        assertEquals(Profile.DEVELOPMENT, config.profile());
        assertEquals(AuthConfig.NONE, config.auth());
        assertEquals(List.of("default", "$user", "demo", "hot"), names(config));
        assertEquals(Who.NONE, config.namespaces().get(0).publish());
        assertEquals(Who.ANYONE, config.namespaces().get(2).publish());
    }

    private static List<String> names(GatewayConfig config) {
        return config.namespaces().stream().map(NamespaceConfig::name).toList();
    }

    @Test
    void leavesNamespacesOfItsUserAlone() throws Exception {
        GatewayConfig config =
                load("profile: development\nnamespaces: [{name: demo}, {name: default, publish: anyone}]");
        assertEquals(List.of("demo", "default", "$user", "hot"), names(config));
        assertEquals(Who.NONE, config.namespaces().get(0).publish());
        assertEquals(Who.ANYONE, config.namespaces().get(1).publish());
    }

    @Test
    void hasNoDemoInProduction() throws Exception {
        assertEquals(List.of("default", "$user"), names(load("auth: none")));
    }

    @Test
    void startsWithAuthOrInDevelopmentOnly() throws Exception {
        String missing =
                "auth: missing; outside the development profile it must be said who may connect: `auth: none` lets anyone";
        assertEquals(List.of("b.yaml: " + missing), errors("heartbeat: 25s"));
        assertEquals(List.of("b.yaml: " + missing), errors(""));
        assertEquals(List.of(missing), errors(GatewayConfig.reader(null, Map.of("BARRAGE_PROFILE", "production"))));
        assertNotNull(load("auth: none").auth());
        assertNotNull(load("profile: development").auth());
        assertNotNull(withoutFile(Map.of("BARRAGE_PROFILE", "production", "BARRAGE_AUTH", "none"))
                .auth());
    }

    @Test
    void saysThatOtherBrokersAreNotSupported() throws Exception {
        assertEquals(
                List.of("b.yaml:2:9: broker: expected memory, found \"redis\"; other brokers are not supported by this"
                        + " version"),
                errors("auth: none\nbroker: redis"));
    }

    private static final String SECRET = "0123456789abcdef".repeat(4);

    private String pem(String pair) throws Exception {
        Path file = folder.resolve(pair + ".pem");
        Files.writeString(file, TokenFixture.publicPem(pair));
        return file.toString();
    }

    @Test
    void readsTokens() throws Exception {
        Loaded<GatewayConfig> loaded =
                reader("""
                auth:
                  keys:
                    - {kid: k1, alg: rs256, file: '%s'}
                    - {kid: k2, alg: EdDSA, file: '%s'}
                    - {alg: HS256, secret: %s}
                  jwks: {url: "https://id.example/keys"}
                  audience: barrage
                  issuer: https://id.example
                """.formatted(pem("rsa"), pem("ed25519"), SECRET)).load();
        AuthConfig auth = loaded.value().auth();
        assertEquals(List.of("barrage"), auth.audience());
        assertEquals(
                List.of(TokenAlgorithm.RS256, TokenAlgorithm.EDDSA, TokenAlgorithm.HS256),
                auth.keys().stream().map(TokenKeyConfig::alg).toList());
        assertFalse(auth.isNone());
        assertEquals(
                """
                auth:
                  keys:
                    - kid: k1  # b.yaml:3:13
                      alg: RS256  # b.yaml:3:22
                      file: FOLDER/rsa.pem  # b.yaml:3:35
                      # secret: not set
                    - kid: k2  # b.yaml:4:13
                      alg: EdDSA  # b.yaml:4:22
                      file: FOLDER/ed25519.pem  # b.yaml:4:35
                      # secret: not set
                    - # kid: not set
                      alg: HS256  # b.yaml:5:13
                      # file: not set
                      secret: "***"  # b.yaml:5:28
                  jwks:
                    url: https://id.example/keys  # b.yaml:6:15
                    refresh: 10m
                    minInterval: 30s
                    keep: 24h
                    timeout: 5s
                    bytes: 256KiB
                  audience:
                    - barrage  # b.yaml:7:13
                  issuer: https://id.example  # b.yaml:8:11
                  leeway: 30s
                  anonymous: false
                  renewal: 30s
                  tokenBytes: 8KiB
                """,
                loaded.print()
                        .replace(folder + "/b.yaml", "b.yaml")
                        .replace(folder.toString(), "FOLDER")
                        .replaceFirst("(?s).*?(?=auth:)", "")
                        .replaceFirst("(?s)heartbeat:.*", ""));
        assertFalse(loaded.value().toString().contains(SECRET));
    }

    @Test
    void readsBackTheTokensThatItPrints() throws Exception {
        String yaml = "auth: {keys: [{alg: RS256, file: '" + pem("rsa") + "'}], audience: [a, b]}";
        Loaded<GatewayConfig> loaded = reader(yaml).load();
        assertEquals(loaded.value(), ConfigReader.parse(GatewayConfig.class, loaded.print()));
    }

    @Test
    void takesSecretFromVariable() throws Exception {
        Loaded<GatewayConfig> loaded = GatewayConfig.reader(null, Map.of("BARRAGE_AUTH_SECRET", SECRET))
                .load();
        assertEquals("env", loaded.value().auth().keys().get(0).kid());
        assertFalse(loaded.print().contains(SECRET));
        assertFalse(loaded.value().toString().contains(SECRET));
        // It is stronger than the file, and than a word of the same rank it can't be.
        assertFalse(reader("auth: none", Map.of("BARRAGE_AUTH_SECRET", SECRET))
                .load()
                .value()
                .auth()
                .isNone());
        assertEquals(
                List.of("BARRAGE_AUTH: auth: is none, but keys of it are given, too: by BARRAGE_AUTH_SECRET"),
                errors(GatewayConfig.reader(null, Map.of("BARRAGE_AUTH_SECRET", SECRET, "BARRAGE_AUTH", "none"))));
        assertEquals(
                List.of("BARRAGE_AUTH_SECRET: auth.keys[0].secret: too short: a secret for HS256 has at least 32 bytes,"
                        + " this one has 5; openssl rand -base64 48 makes one"),
                errors(GatewayConfig.reader(null, Map.of("BARRAGE_AUTH_SECRET", "short"))));
    }

    @Test
    void letsAStrongerSourceSayThatThereAreNoTokens() throws Exception {
        String yaml = "auth: {keys: [{alg: HS256, secret: " + SECRET + "}]}";
        assertTrue(reader(yaml, Map.of("BARRAGE_AUTH", "none"))
                .load()
                .value()
                .auth()
                .isNone());
        assertTrue(
                reader(yaml).flags(Map.of("auth", "none")).load().value().auth().isNone());
        // A mistake below it is one nevertheless.
        assertEquals(
                1,
                errors(reader("auth: {keys: [{alg: HS1, secret: " + SECRET + "}]}", Map.of("BARRAGE_AUTH", "none")))
                        .size());
        assertEquals(
                "x",
                reader(yaml, Map.of("BARRAGE_AUTH_ISSUER", "x"))
                        .load()
                        .value()
                        .auth()
                        .issuer());
    }

    @Test
    void namesWhatIsWrongWithTokenKeys() throws Exception {
        Path nonsense = folder.resolve("nonsense.pem");
        Files.writeString(nonsense, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
        Path empty = folder.resolve("empty.pem");
        Files.writeString(empty, "");
        Path pkcs1 = folder.resolve("pkcs1.pem");
        Files.writeString(pkcs1, TokenFixture.pem("RSA PUBLIC KEY", new byte[9]));
        Path secretKey = folder.resolve("private.pem");
        Files.writeString(secretKey, TokenFixture.privatePem("rsa"));
        Map<String, String> wrong = new LinkedHashMap<>();
        wrong.put(
                "{alg: HS384, secret: " + SECRET.substring(17) + "}",
                "secret: too short: a secret for HS384 has at least 48");
        wrong.put(
                "{alg: RS256, secret: " + SECRET + "}",
                "secret: a secret is for HS256, HS384 and HS512; RS256 needs `file`");
        wrong.put("{alg: RS256}", "file: missing; expected a file with an RSA key");
        wrong.put("{alg: HS256}", "file: missing; expected a file with a secret, or a secret in `secret`");
        wrong.put(
                "{alg: HS256, secret: " + SECRET + ", file: x}", "secret: a key comes from a file or is a secret here");
        wrong.put("{alg: RS256, file: 'nowhere.pem'}", "file: there is no file nowhere.pem");
        wrong.put("{alg: RS256, file: '" + folder + "'}", "can't be read");
        wrong.put("{alg: RS256, file: '" + pem("ec256") + "'}", "RS256 needs an RSA key, this is an EC key on P-256");
        wrong.put("{alg: ES256, file: '" + pem("rsa") + "'}", "ES256 needs an EC key on P-256, this is an RSA key");
        wrong.put(
                "{alg: ES384, file: '" + pem("ec256") + "'}",
                "ES384 needs an EC key on P-384, this is an EC key on P-256");
        wrong.put("{alg: EdDSA, file: '" + pem("ed448") + "'}", "EdDSA needs an Ed25519 key, this is an Ed448 key");
        wrong.put(
                "{alg: RS256, file: '" + pem("rsa-short") + "'}",
                "file: too short: an RSA key has at least 2048 bits, this one has 1024");
        wrong.put("{alg: RS256, file: '" + nonsense + "'}", "neither an RSA nor an EC nor an Ed25519 key");
        wrong.put("{alg: RS256, file: '" + empty + "'}", "not a PEM file");
        wrong.put("{alg: RS256, file: '" + pkcs1 + "'}", "openssl rsa -RSAPublicKey_in -pubout");
        wrong.put("{alg: RS256, file: '" + secretKey + "'}", "this is a private key");
        wrong.put("{alg: none}", "alg: expected HS256, HS384,");
        wrong.put("{alg: RS265, file: x}", "ES512 or EdDSA, found \"RS265\"");
        wrong.put("{kid: 'a b', alg: HS256, secret: " + SECRET + "}", "kid: expected 1 to 128 printable");
        for (Map.Entry<String, String> entry : wrong.entrySet()) {
            List<String> errors = errors("auth: {keys: [" + entry.getKey() + "]}");
            assertEquals(1, errors.size(), errors.toString());
            assertTrue(errors.get(0).contains("auth.keys[0]."), errors.get(0));
            assertTrue(errors.get(0).contains(entry.getValue()), errors.get(0));
            assertFalse(errors.get(0).contains(SECRET.substring(17)), errors.get(0));
        }
    }

    @Test
    void namesWhatIsWrongWithTokens() throws Exception {
        String key = "keys: [{kid: k, alg: HS256, secret: " + SECRET + "}";
        Map<String, String> wrong = new LinkedHashMap<>();
        wrong.put("auth: {}", "auth.keys: no keys: tokens need `keys`, `jwks` or the variable BARRAGE_AUTH_SECRET");
        wrong.put("auth: {anonymous: true}", "auth.keys: no keys");
        wrong.put("auth: tokens", "auth: expected none or keys: keys, jwks, audience,");
        wrong.put("auth: [none]", "auth: expected none or keys: keys, jwks,");
        wrong.put(
                "auth: {" + key + ", {kid: k, alg: HS512, secret: " + SECRET + "}]}",
                "auth.keys[1].kid: \"k\" is the id of another key");
        wrong.put("auth: {" + key + "], audience: ['']}", "auth.audience[0]: must not be empty");
        wrong.put("auth: {" + key + "], audience: {a: b}}", "auth.audience: expected a list");
        wrong.put("auth: {" + key + "], issuer: ' '}", "auth.issuer: must not be empty");
        wrong.put("auth: {" + key + "], leeway: 6m}", "auth.leeway: expected a duration");
        wrong.put("auth: {" + key + "], isuer: x}", "auth.isuer: unknown key; did you mean auth.issuer?");
        wrong.put("auth: {jwks: {}}", "auth.jwks.url: missing");
        wrong.put("auth: {jwks: 'https://id.example'}", "auth.jwks: expected keys: url, refresh,");
        for (String url : List.of(
                "http://id.example/keys",
                "ftp://localhost",
                "keys",
                "https://a:b@c/",
                "file:///keys",
                "http://127.0.0.1.evil.example/")) {
            wrong.put("auth: {jwks: {url: '" + url + "'}}", "auth.jwks.url: expected an https URL");
        }
        wrong.put("auth: {jwks: {url: 'a b'}}", "auth.jwks.url: not a URL");
        wrong.put("auth: {jwks: {url: 'https://'}}", "auth.jwks.url: not a URL");
        wrong.put(
                "auth: {jwks: {url: 'https://a/', refresh: 2h, keep: 1h}}",
                "auth.jwks.keep: must not be shorter than refresh");
        wrong.put(
                "auth: none\nnamespaces: [{name: a, subscribe: token}]",
                "namespaces[0].subscribe: nobody could: `token` asks for a token, and with `auth: none` there are none");
        wrong.put("auth: none\nnamespaces: [{name: a, publish: authenticated}]", "namespaces[0].publish: nobody could");
        wrong.put(
                "profile: development\nnamespaces: [{name: a, publishValues: token}]",
                "namespaces[0].publishValues: nobody could");
        for (Map.Entry<String, String> entry : wrong.entrySet()) {
            List<String> errors = errors(entry.getKey());
            assertEquals(1, errors.size(), errors.toString());
            assertTrue(errors.get(0).contains(entry.getValue()), errors.get(0));
            assertFalse(errors.get(0).contains(SECRET), errors.get(0));
        }
        for (String url : List.of(
                "https://id.example/keys", "http://localhost:1/", "http://127.0.0.1/keys", "http://[::1]:8/k")) {
            assertNotNull(load("auth: {jwks: {url: '" + url + "'}}").auth().jwks());
        }
        assertNotNull(load("auth: {" + key + "]}\nnamespaces: [{name: a, subscribe: token, publish: authenticated}]"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "[::]"})
    void refusesBackendBeyondLoopbackWithoutKey(String host) throws Exception {
        List<String> errors = errors("auth: none\nbackend: {host: '" + host + "'}");
        assertEquals(1, errors.size());
        assertEquals(
                "b.yaml:2:17: backend.host: " + host + " can be reached from other machines, but there is no API key:"
                        + " anybody could publish and control. Make a key with `barrage key` and put it into"
                        + " backend.keys or into BARRAGE_BACKEND_KEY, or bind to 127.0.0.1",
                errors.get(0));
        assertEquals(
                host,
                load("auth: none\nbackend: {host: '" + host + "', " + KEYS + "}")
                        .backend()
                        .host());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"})
    void opensBackendOnLoopbackWithoutKey(String host) throws Exception {
        assertEquals(
                host,
                load("auth: none\nbackend: {host: '" + host + "'}").backend().host());
    }

    @Test
    void refusesBackendHostsThatNobodyKnows() throws Exception {
        assertEquals(
                List.of("b.yaml:2:17: backend.host: no address is known for \"no such host\""),
                errors("auth: none\nbackend: {host: no such host}"));
        assertEquals(1, errors("auth: none\nbackend: {host: ''}").size());
        assertEquals(1, errors("auth: none\nclients: {host: ''}").size());
    }

    @Test
    void takesKeyFromVariable() throws Exception {
        String key = ApiKeys.generate();
        Loaded<GatewayConfig> loaded = reader(
                        "auth: none\nbackend: {host: 0.0.0.0, " + KEYS + "}", Map.of("BARRAGE_BACKEND_KEY", key))
                .load();
        ApiKeys keys = ApiKeys.of(loaded.value().backend().keys());
        assertEquals("env", keys.verify(key).name());
        assertEquals(3, keys.verify(key).scopes().size());
        assertTrue(keys.verify(key).allows(Scope.CONTROL));
        assertFalse(loaded.print().contains(key));
        assertFalse(loaded.print().contains(ApiKeys.hash(key)));
        assertFalse(loaded.value().toString().contains(key));
        assertNotEquals(
                0,
                withoutFile(Map.of("BARRAGE_BACKEND_KEY", key, "BARRAGE_BACKEND_HOST", "0.0.0.0"))
                        .backend()
                        .keys()
                        .size());
    }

    @Test
    void refusesKeysThatCannotBeSent() {
        List<String> errors = errors(GatewayConfig.reader(
                null, Map.of("BARRAGE_BACKEND_KEY", "hunter 2", "BARRAGE_BACKEND_HOST", "0.0.0.0")));
        // Not also that there is no key.
        assertEquals(1, errors.size());
        assertTrue(errors.get(0).startsWith("BARRAGE_BACKEND_KEY: expected an API key as it is sent"), errors.get(0));
        assertFalse(errors.get(0).contains("hunter"));
    }

    @Test
    void refusesTwoKeysOrNamespacesOfOneName() throws Exception {
        String hash = "sha256:" + "0".repeat(64);
        assertEquals(
                List.of(
                        "b.yaml:5:12: backend.keys[1].name: \"a\" is the name of another key already, with other scopes,"
                                + " rate or topics: only the hash or the file of a key may be changed"),
                errors("""
                        auth: none
                        backend:
                          keys:
                          - {name: a, hash: '%s', scopes: [read]}
                          - {name: a, hash: '%s', scopes: [read, publish]}
                        """.formatted(hash, hash)));
        assertEquals(
                List.of(
                        "b.yaml:6:12: backend.keys[2].name: \"a\" is the name of two other keys already: an old one and a new"
                                + " one are all"),
                errors("""
                        auth: none
                        backend:
                          keys:
                          - {name: a, hash: '%s', scopes: [read]}
                          - {name: a, hash: '%s', scopes: [read]}
                          - {name: a, hash: '%s', scopes: [read]}
                        """.formatted(hash, hash, hash)));
        assertEquals(
                List.of("b.yaml:2:32: namespaces[1].name: \"a\" is listed twice"),
                errors("auth: none\nnamespaces: [{name: a}, {name: a}]"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a:b", "-a", ".a", "a b", "$other", "$users", "ä", "a/b"})
    void refusesNamesThatNoTopicCanHave(String name) throws Exception {
        List<String> errors = errors("auth: none\nnamespaces: [{name: '" + name + "'}]");
        assertEquals(1, errors.size());
        assertTrue(errors.get(0).contains("namespaces[0].name: expected a letter or digit"), errors.get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "7", "room", "a.b_c~d=e-f", "$user"})
    void takesNamesThatTopicsCanHave(String name) throws Exception {
        assertEquals(
                name,
                load("auth: none\nnamespaces: [{name: '" + name + "'}]")
                        .namespaces()
                        .get(0)
                        .name());
    }

    @Test
    void refusesLogsThatHoldNoTwoMessages() throws Exception {
        assertEquals(
                List.of("b.yaml:3:37: namespaces[0].log.bytes: must be at least 514KiB: two messages of"
                        + " limits.messageBytes (256KiB) and their envelopes; found 513KiB"),
                errors("auth: none\nlimits: {messageBytes: 256KiB}\nnamespaces: [{name: a, log: {bytes: 513KiB}}]"));
        assertNotNull(
                load("auth: none\nlimits: {messageBytes: 256KiB}\nnamespaces: [{name: a, log: {bytes: 514KiB}}]"));
    }

    @Test
    void growsLogsThatNobodyConfigured() throws Exception {
        GatewayConfig config = load("profile: development\nlimits: {messageBytes: 1MiB}");
        assertTrue(config.namespaces().stream()
                .allMatch(namespace -> namespace.log().bytes().bytes() > 2 << 20));
    }

    @Test
    void refusesContradictions() throws Exception {
        assertEquals(
                List.of(
                        "b.yaml:3:14: limits.bodyBytes: must hold at least one message of limits.messageBytes (64KiB)",
                        "b.yaml:4:17: memory.queue: must hold two messages of limits.messageBytes (64KiB) and their"
                                + " envelopes",
                        "b.yaml:5:17: drain.spread: must not be longer than drain.deadline, after which nobody is left to"
                                + " spread",
                        "b.yaml:6:17: backend.port: both listeners can't have port 8080",
                        "b.yaml:7:38: namespaces[0].log.bytes: must not be more than memory.log (256MiB), which all"
                                + " topics share; found 257MiB"),
                errors("""
                        auth: none
                        limits:
                          bodyBytes: 63KiB
                        memory: {queue: 128KiB}
                        drain: {spread: 21s}
                        backend: {port: 8080}
                        namespaces: [{name: aa, log: {bytes: 257MiB}}]
                        """));
    }

    @Test
    void letsListenersShareAPortOnDifferentAddresses() throws Exception {
        assertNotNull(load("auth: none\nclients: {host: 192.0.2.1, port: 80}\nbackend: {port: 80}"));
        assertNotNull(load("auth: none\nclients: {port: 0}\nbackend: {port: 0}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://live.example", "http://localhost:3000", "*", "https://[::1]:8443"})
    void takesOrigins(String origin) throws Exception {
        assertEquals(
                List.of(origin),
                load("auth: none\nclients: {origins: ['" + origin + "']}")
                        .clients()
                        .origins());
    }

    @ParameterizedTest
    @ValueSource(strings = {"live.example", "https://live.example/", "https://*.example", "https://a b", "null", ""})
    void refusesWhatBrowsersNeverSendAsOrigin(String origin) throws Exception {
        List<String> errors = errors("auth: none\nclients: {origins: ['" + origin + "']}");
        assertEquals(1, errors.size());
        assertTrue(errors.get(0).startsWith("b.yaml:2:21: clients.origins[0]: expected an origin"), errors.get(0));
    }

    @Test
    void readsBackWhatItPrints() throws Exception {
        Loaded<GatewayConfig> loaded = GatewayConfig.reader(null, Map.of()).load();
        assertEquals(loaded.value(), ConfigReader.parse(GatewayConfig.class, loaded.print()));
    }

    private static final String HOOK_SECRET = "whsec_" + "A".repeat(32);

    @Test
    void refusesRulesThatAskWithoutAHookToAsk() throws Exception {
        assertEquals(
                List.of(
                        "b.yaml:2:50: hooks.publish.url: missing; namespaces[0].publish is `hook`, which asks there",
                        "b.yaml:2:71: hooks.publish.url: missing; namespaces[0].publishValues is `hook`, which asks there"),
                errors("""
                        auth: none
                        namespaces: [{name: a, subscribe: hook, publish: hook, publishValues: hook}]
                        hooks: {secret: %s, subscribe: {url: 'http://127.0.0.1:1/'}}
                        """.formatted(HOOK_SECRET)));
    }

    @Test
    void wantsHooksSignedAndNeverShowsTheSecret() throws Exception {
        List<String> missing = errors("auth: none\nhooks: {connect: {url: 'http://127.0.0.1:1/'}}");
        assertEquals(1, missing.size(), missing.toString());
        assertTrue(
                missing.get(0).contains("hooks.secret: missing; the requests to connect.url are signed with it"),
                missing.get(0));
        List<String> wrong = errors("auth: none\nhooks: {secret: hunter2hunter2, secondSecret: whsec_aHVudGVyMg==}");
        assertEquals(2, wrong.size(), wrong.toString());
        wrong.forEach(error -> assertFalse(error.contains("hunter") || error.contains("aHVu"), error));
        String secret = "whsec_" + "c2VjcmV0".repeat(4);
        Loaded<GatewayConfig> loaded = GatewayConfig.reader(null, Map.of("BARRAGE_HOOKS_SECRET", secret))
                .load();
        assertEquals(secret, loaded.value().hooks().secret());
        assertFalse(loaded.print().contains("c2VjcmV0"), loaded.print());
        assertFalse(
                loaded.value().toString().contains("c2VjcmV0"), loaded.value().toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "backend.example/x",
                "ftp://backend.example/",
                "http:///x",
                "http://u:pw@b/",
                "http://b/#x",
                "http://b /"
            })
    void refusesUrlsThatCannotBeCalled(String url) throws Exception {
        List<String> errors = errors("auth: none\nhooks: {secret: " + HOOK_SECRET + ", events: {url: '" + url + "'}}");
        assertEquals(1, errors.size(), errors.toString());
        assertTrue(
                errors.get(0).startsWith("b.yaml:2:") && errors.get(0).contains("hooks.events.url: expected a URL"),
                errors.get(0));
        assertFalse(errors.get(0).contains("pw"), errors.get(0));
    }

    @Test
    void tellsOnlyOfNamespacesThatThereAre() throws Exception {
        assertEquals(
                List.of("b.yaml:2:37: hooks.events.namespaces[1]: \"rom\" is no namespace of this configuration"),
                errors("auth: none\nhooks: {events: {namespaces: [room, rom]}}\nnamespaces: [{name: room}]"));
    }

    @Test
    void refusesReliableDeliveryWithoutTheHistoryToRecoverFrom() throws Exception {
        assertEquals(
                List.of("b.yaml:2:34: namespaces[0].history.size: must be at least twice log.size (1024) for"
                        + " `delivery: reliable`, so that whoever is closed with 4408 can recover; found 0"),
                errors("auth: none\nnamespaces: [{name: a, delivery: reliable}]"));
    }
}
