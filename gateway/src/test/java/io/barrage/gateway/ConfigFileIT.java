package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Loaded;
import io.barrage.gateway.testkit.HookBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** A running gateway follows its configuration file, however that is replaced, unless something is wrong with it. */
class ConfigFileIT {
    private static final String KEY = "a key of this test";

    private static final String START = """
            auth: none
            metrics: {open: true}
            clients: {host: 127.0.0.1, port: 0}
            backend:
              host: 127.0.0.1
              port: 0
              keys: [{name: a, hash: "%s", scopes: [read]}]
            server: {loops: 1}
            limits: {inbound: none}
            """.formatted(ApiKeys.hash(KEY));

    private static String room(String rules) {
        return START + "namespaces:\n  - name: room\n    " + rules + "\n";
    }

    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
                warnings.add(event.getFormattedMessage());
            }
        }
    };

    @TempDir
    private Path folder;

    @BeforeEach
    void listen() {
        appender.start();
        root.addAppender(appender);
    }

    @AfterEach
    void stopListening() {
        root.detachAppender(appender);
    }

    /** A gateway that was started with a file, one client on it, and what becomes of the client's publishes. */
    private static final class Running implements AutoCloseable {
        final Gateway gateway;
        final Reload reload;
        final RawWebSocket client;
        int said;

        Running(Path file) throws Exception {
            ConfigSource source = ConfigSource.of(file, (path, content) -> GatewayConfig.reader(path, content, Map.of())
                    .load());
            this.gateway = Gateway.start(source.parse(source.atStart()).value());
            this.reload = Reload.start(source, gateway);
            this.client = RawWebSocket.open(gateway.clientsPort(), "?topic=room:1");
            client.expect("welcome");
            client.expect("subscribed");
        }

        /** Whether the client may publish. */
        boolean mayPublish() throws IOException {
            said++;
            client.say("{\"type\":\"publish\",\"id\":" + said + ",\"topic\":\"room:1\",\"data\":1}");
            String answer = client.text();
            if (answer.startsWith("{\"type\":\"published\"")) {
                client.expect("message");
                return true;
            }
            assertTrue(answer.contains("\"code\":\"not_permitted\""), answer);
            return false;
        }

        double reloads(String result) throws IOException {
            try (RawHttp http = new RawHttp(gateway.backendPort())) {
                String all = http.say("GET /metrics HTTP/1.1\nHost: localhost\n\n")
                        .answer()
                        .body();
                return Double.parseDouble(GatewayUnderTest.find(
                        "barrage_config_reloads_total\\{result=\"" + result + "\",?\\} (\\S+)", all));
            }
        }

        void awaitRefusal(int count) throws Exception {
            GatewayUnderTest.await("refused", () -> reloads("refused") == count);
        }

        @Override
        public void close() throws IOException {
            client.close();
            reload.close();
            gateway.close();
        }
    }

    @Test
    void followsAFileThatIsWrittenInPlaceRenamedOverOrSwappedBehindALink() throws Exception {
        // As Kubernetes mounts a config map: the file is a link through a link to a folder, and that one is swapped.
        Path one = Files.createDirectory(folder.resolve("one"));
        Path two = Files.createDirectory(folder.resolve("two"));
        Files.writeString(one.resolve("barrage.yaml"), room("publish: none"));
        Files.writeString(two.resolve("barrage.yaml"), room("publish: anyone"));
        Path data = Files.createSymbolicLink(folder.resolve("data"), Path.of("one"));
        Path file = Files.createSymbolicLink(folder.resolve("barrage.yaml"), Path.of("data", "barrage.yaml"));
        try (Running running = new Running(file)) {
            assertTrue(!running.mayPublish());
            Path next = Files.createSymbolicLink(folder.resolve("next"), Path.of("two"));
            Files.move(next, data, StandardCopyOption.ATOMIC_MOVE);
            GatewayUnderTest.await("the link's new file is in effect", running::mayPublish);

            Files.writeString(two.resolve("barrage.yaml"), room("publish: none"));
            GatewayUnderTest.await("what was written is in effect", () -> !running.mayPublish());

            Path renamed = folder.resolve("barrage.yaml~");
            Files.writeString(renamed, room("publish: anyone"));
            Files.move(renamed, file, StandardCopyOption.ATOMIC_MOVE);
            GatewayUnderTest.await("the renamed file is in effect", running::mayPublish);
            GatewayUnderTest.await("all are counted", () -> running.reloads("applied") == 3);
            assertEquals(0, running.reloads("refused"));
        }
        assertEquals(List.of(), warnings);
    }

    @Test
    void keepsWhatItHasWhenTheFileIsWrongAndSaysWhere() throws Exception {
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: anyone"));
        try (Running running = new Running(file)) {
            Files.writeString(file, room("publsh: none\n    budget: 5"));
            running.awaitRefusal(1);
            int line = (int) START.lines().count() + 3;
            assertEquals(
                    List.of(
                            "The configuration is wrong: " + file + ":" + line
                                    + ":5: namespaces[0].publsh: unknown key; did you mean namespaces[0].publish?",
                            "The configuration is wrong: " + file + ":" + (line + 1)
                                    + ":13: namespaces[0].budget: expected a rate (50/s, 20/m, 100/h) or none, found \"5\"",
                            "The gateway goes on with the configuration that it has. file=" + file + " mistakes=2"),
                    warnings);
            assertTrue(running.mayPublish());
            warnings.clear();

            Files.delete(file);
            GatewayUnderTest.await("it is told that the file is gone", () -> !warnings.isEmpty());
            assertTrue(running.mayPublish());
            Files.writeString(file, room("publish: none"));
            GatewayUnderTest.await("what came back is in effect", () -> !running.mayPublish());
            assertEquals(1, warnings.size(), warnings.toString());
        }
    }

    @Test
    void opensNoDoor() throws Exception {
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: anyone"));
        try (Running running = new Running(file)) {
            Files.writeString(file, "profile: development\n" + room("publish: none"));
            running.awaitRefusal(1);
            assertTrue(warnings.get(0).contains("profile: development"), warnings.toString());
            assertTrue(running.mayPublish());
            warnings.clear();

            Files.writeString(file, room("publish: none").replaceFirst("keys: .*", "keys: []"));
            running.awaitRefusal(2);
            assertTrue(warnings.get(0).contains("backend.keys"), warnings.toString());
            assertTrue(running.mayPublish());
            warnings.clear();

            Files.writeString(file, room("publish: none").replace("auth: none\n", ""));
            running.awaitRefusal(3);
            assertTrue(warnings.get(0).contains("auth: missing"), warnings.toString());
            assertTrue(running.mayPublish());
        }
    }

    /** Whether who shows this token is let in; {@code name} is the user's. */
    private static boolean letsIn(Gateway gateway, String token, String name) throws IOException {
        try (RawWebSocket socket = RawWebSocket.open(gateway.clientsPort(), "?token=" + token)) {
            String first = socket.text();
            if (first.startsWith("{\"type\":\"error\"")) {
                assertTrue(first.contains("\"code\":\"unauthorized\""), first);
                return false;
            }
            assertTrue(first.startsWith("{\"type\":\"welcome\"") && first.contains("\"user\":\"" + name + "\""), first);
            return true;
        }
    }

    private static String signed(String secret, String user) {
        return TokenFixture.signed(
                "HS256",
                new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"),
                "{\"alg\":\"HS256\"}",
                "{\"sub\":\"" + user + "\",\"exp\":" + (System.currentTimeMillis() / 1000 + 600) + "}");
    }

    @Test
    void tokenKeysChangeWithTheFileAndWithTheFilesThatItNames() throws Exception {
        String one = "1".repeat(32);
        String two = "2".repeat(32);
        String three = "3".repeat(32);
        Path secret = folder.resolve("secret");
        Files.writeString(secret, one);
        String keys = "auth: {anonymous: true, keys: [{alg: HS256, file: \"" + secret + "\"}%s]}";
        String yaml = room("publish: anyone");
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, yaml.replace("auth: none", keys.formatted("")));
        try (Running running = new Running(file)) {
            assertTrue(letsIn(running.gateway, signed(one, "u1"), "u1"));
            assertTrue(!letsIn(running.gateway, signed(two, "u2"), "u2"));

            Files.writeString(
                    file, yaml.replace("auth: none", keys.formatted(", {alg: HS256, secret: \"" + two + "\"}")));
            GatewayUnderTest.await("the second key is known", () -> letsIn(running.gateway, signed(two, "u2"), "u2"));
            assertTrue(letsIn(running.gateway, signed(one, "u1"), "u1"));

            Files.writeString(secret, three);
            GatewayUnderTest.await(
                    "the file's new key is known", () -> letsIn(running.gateway, signed(three, "u3"), "u3"));
            assertTrue(!letsIn(running.gateway, signed(one, "u1"), "u1"));
            assertTrue(letsIn(running.gateway, signed(two, "u2"), "u2"));
            assertTrue(running.mayPublish());
            assertEquals(List.of(), warnings);

            Files.delete(secret);
            running.awaitRefusal(1);
            assertTrue(warnings.get(0).contains("auth.keys[0].file"), warnings.toString());
            assertTrue(letsIn(running.gateway, signed(three, "u3"), "u3"));
        }
    }

    @Test
    void letsNobodyInWhoHadToProveWhoItIs() throws Exception {
        String tokens = "auth: {issuer: me, keys: [{alg: HS256, secret: \"" + "1".repeat(32) + "\"}]}\n";
        String[] doors = {
            "auth: none",
            "profile: development",
            tokens.replace("issuer: me", "issuer: me, anonymous: true"),
            tokens.replace("issuer: me, ", "")
        };
        for (String yaml : doors) {
            assertTrue(!doors(tokens, yaml).isEmpty(), yaml);
            assertEquals(List.of(), doors(yaml, yaml), yaml);
        }
        String[] others = {
            tokens,
            tokens + "namespaces: [{name: room, publish: anyone}]",
            tokens.replace("me", "you"),
            tokens.replace("1", "2")
        };
        for (String yaml : others) {
            assertEquals(List.of(), doors(tokens, yaml), yaml);
        }

        Path file = folder.resolve("barrage.yaml");
        String yaml =
                room("publish: anyone").replace("auth: none\n", tokens.replace("issuer: me, ", "anonymous: true, "));
        Files.writeString(file, yaml);
        try (Running running = new Running(file)) {
            Files.writeString(file, room("publish: none"));
            running.awaitRefusal(1);
            assertTrue(warnings.get(0).contains("auth: none"), warnings.toString());
            assertTrue(running.mayPublish());
        }
    }

    private static List<String> doors(String before, String after) throws ConfigException {
        return Reload.openedDoors(loaded(before).value(), loaded(after));
    }

    private static Loaded<GatewayConfig> loaded(String yaml) throws ConfigException {
        return ConfigReader.of(GatewayConfig.class).yaml("yaml", yaml).load();
    }

    @Test
    void takesNoTokensThatWereForNobody() throws Exception {
        String tokens = "auth: {audience: [me, us], keys: [{alg: HS256, secret: \"" + "1".repeat(32) + "\"}]}\n";
        assertEquals(
                List.of("auth.audience: without it the tokens that name no audience are taken"),
                doors(tokens, tokens.replace("audience: [me, us], ", "")));
        assertEquals(List.of(), doors(tokens, tokens.replace("me, us", "you")));
        assertEquals(List.of(), doors(tokens.replace("audience: [me, us], ", ""), tokens));
    }

    @Test
    void letsNobodyInBecauseTheBackendIsDown() throws Exception {
        String hooks =
                "auth: none\nhooks: {secret: " + HookBackend.SECRET + ", connect: {url: 'http://b/c', onFailure: %s}}";
        String refuse = hooks.formatted("refuse");
        String allow = hooks.formatted("allow");
        List<String> opened = doors(refuse, allow);
        assertEquals(1, opened.size(), opened.toString());
        assertTrue(opened.get(0).startsWith("hooks.connect.onFailure: allow "), opened.toString());
        assertEquals(List.of(), doors(allow, refuse));
        assertEquals(List.of(), doors(allow, allow));
        assertEquals(List.of(), doors("auth: none", allow));
    }

    @Test
    void aNamespaceThatIsGoneOpensItsTopicsToNobody() throws Exception {
        String auth = "auth: {keys: [{alg: HS256, secret: \"" + "1".repeat(32) + "\"}]}\n";
        String closed = auth + "namespaces: [{name: vip, subscribe: token, publish: authenticated}]";
        String mistyped = closed.replace("vip", "vlp");
        assertEquals(
                List.of(
                        "namespaces: without 'vip' its topics follow 'default', which allows more: subscribe was token and"
                                + " would be anyone"),
                doors(closed, mistyped));
        assertEquals(List.of(), doors(closed, closed.replace("subscribe: token", "subscribe: anyone")));
        String[] asClosed = {"{name: default, subscribe: token}", "{name: default, subscribe: none}"};
        for (String others : asClosed) {
            assertEquals(List.of(), doors(closed, auth + "namespaces: [" + others + "]"), others);
        }
        String open = auth + "namespaces: [{name: room, publish: token, publishValues: token}]";
        assertEquals(List.of(), doors(open, auth));
        String byDefault = auth + "namespaces: [{name: default, subscribe: none, publish: token}, {name: room}]";
        for (String slip : List.of("", "{name: defualt, subscribe: none}, ")) {
            assertEquals(
                    List.of("namespaces: 'default' isn't listed any more and allows more then: subscribe was none and"
                            + " would be anyone"),
                    doors(byDefault, auth + "namespaces: [" + slip + "{name: room}]"),
                    slip);
        }
        assertEquals(List.of(), doors(byDefault, auth + "namespaces: [{name: default}, {name: room}]"));

        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: anyone") + "  - {name: vip, subscribe: none}\n");
        try (Running running = new Running(file)) {
            Files.writeString(file, room("publish: none") + "  - {name: vlp, subscribe: none}\n");
            running.awaitRefusal(1);
            assertTrue(warnings.get(0).contains("namespaces: without 'vip'"), warnings.toString());
            assertTrue(running.mayPublish());
        }
    }

    @Test
    void takesWhatItRefusedOnceTheKeyFileThatWasMissingIsThere() throws Exception {
        String secret = "1".repeat(32);
        Path key = folder.resolve("key");
        Path file = folder.resolve("barrage.yaml");
        String yaml = room("publish: anyone");
        String tokens =
                yaml.replace("auth: none", "auth: {anonymous: true, keys: [{alg: HS256, file: \"" + key + "\"}]}");
        Files.writeString(file, yaml);
        try (Running running = new Running(file)) {
            Files.writeString(file, tokens);
            running.awaitRefusal(1);
            assertTrue(warnings.get(0).contains("there is no file " + key), warnings.toString());
            Files.writeString(key, secret);
            GatewayUnderTest.await("it is taken", () -> running.reloads("applied") == 1);
            assertTrue(letsIn(running.gateway, signed(secret, "u1"), "u1"));
            assertEquals(1, running.reloads("refused"));

            // What is in effect is watched as before.
            String another = "2".repeat(32);
            Files.writeString(key, another);
            GatewayUnderTest.await("it is taken", () -> letsIn(running.gateway, signed(another, "u2"), "u2"));
        }
    }

    @Test
    void looksAtTheKeyFilesOfWhatItRefused() throws Exception {
        Path key = folder.resolve("key");
        Files.writeString(key, ApiKeys.hash("another key"));
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: anyone"));
        try (Running running = new Running(file)) {
            // Refused for what a reload doesn't open; the key has nothing to do with it.
            Files.writeString(
                    file,
                    "profile: development\n"
                            + room("publish: none").replaceFirst("hash: \"[^\"]*\"", "file: \"" + key + "\""));
            running.awaitRefusal(1);
            Files.writeString(key, ApiKeys.hash("a third key"));
            running.awaitRefusal(2);
            assertTrue(running.mayPublish());
        }
    }

    @Test
    void takesTheRestAndNamesWhatNeedsARestart() throws Exception {
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: none"));
        try (Running running = new Running(file)) {
            Files.writeString(file, room("publish: anyone").replace("loops: 1", "loops: 2") + "memory: {tail: 1MiB}\n");
            GatewayUnderTest.await("the rest is in effect", running::mayPublish);
            GatewayUnderTest.await("it is told", () -> !warnings.isEmpty());
            assertEquals(
                    List.of("Some changes of the configuration need a restart; until then the old values stay."
                            + " keys=memory.tail,server.loops"),
                    warnings);
        }
    }

    @Test
    void readsOnRequestWhatHasNotChanged() throws Exception {
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, room("publish: none"), UTF_8);
        try (Running running = new Running(file)) {
            running.reload.request();
            GatewayUnderTest.await("read", () -> running.reloads("applied") == 1);
        }
        assertEquals(List.of(), warnings);
    }
}
