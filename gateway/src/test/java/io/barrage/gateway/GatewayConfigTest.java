package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.AuthMode;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Loaded;
import java.nio.file.Files;
import java.nio.file.Path;
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
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
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
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
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
                    budget: none
                    coalesce: 0s
                    coalesceMax: 1s
                    interval: 500ms
                    publishValues: none
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
                limits:
                  messageBytes: 64KiB
                  bodyBytes: 1MiB
                  connections: 0
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
        assertEquals(AuthMode.NONE, config.auth());
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
    void saysThatTokensAndOtherBrokersAreNotSupported() throws Exception {
        assertEquals(
                List.of(
                        "b.yaml:2:3: auth: expected none, found a section with keys; tokens are not supported by this"
                                + " version",
                        "b.yaml:3:9: broker: expected memory, found \"redis\"; other brokers are not supported by this"
                                + " version"),
                errors("auth:\n  audience: barrage\nbroker: redis"));
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
                List.of("b.yaml:5:12: backend.keys[1].name: \"a\" is the name of another key already"),
                errors("""
                        auth: none
                        backend:
                          keys:
                          - {name: a, hash: '%s', scopes: [read]}
                          - {name: a, hash: '%s', scopes: [read]}
                        """.formatted(hash, hash)));
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

    @Test
    void refusesReliableDeliveryWithoutTheHistoryToRecoverFrom() throws Exception {
        assertEquals(
                List.of("b.yaml:2:34: namespaces[0].history.size: must be at least twice log.size (1024) for"
                        + " `delivery: reliable`, so that whoever is closed with 4408 can recover; found 0"),
                errors("auth: none\nnamespaces: [{name: a, delivery: reliable}]"));
    }
}
