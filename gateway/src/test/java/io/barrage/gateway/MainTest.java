package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.config.ConfigReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

class MainTest {

    @TempDir
    private Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Logger logger = (Logger) LoggerFactory.getLogger(Main.class);
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private GatewayConfig served;

    @BeforeEach
    void listen() {
        logged.start();
        logger.addAppender(logged);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(logged);
        Logging.apply(ConfigReader.parse(LogConfig.class, ""));
    }

    private int run(String... arguments) {
        CommandLine commandLine = Main.commandLine(environment, folder, (config, source) -> served = config);
        return commandLine
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private List<String> errors() {
        return err.toString().replace(folder + "/", "").lines().toList();
    }

    @Test
    void servesDevelopmentProfileWithALoudWarning() {
        assertEquals(0, run("serve"));
        assertEquals(Profile.DEVELOPMENT, served.profile());
        assertEquals(
                List.of(Level.WARN),
                logged.list.stream().map(ILoggingEvent::getLevel).toList());
        assertTrue(logged.list.get(0).getFormattedMessage().contains("anyone may connect"));
    }

    @Test
    void servesWhatTheFileInTheWorkingDirectorySays() throws Exception {
        Files.writeString(folder.resolve("barrage.yaml"), "auth: none\nclients: {port: 1}");
        assertEquals(0, run("serve"));
        assertEquals(Profile.PRODUCTION, served.profile());
        assertEquals(1, served.clients().port());
        assertEquals(List.of(), logged.list);
    }

    @Test
    void prefersTheFileThatIsNamed() throws Exception {
        Files.writeString(folder.resolve("barrage.yaml"), "auth: none\nclients: {port: 1}");
        Files.writeString(folder.resolve("other.yaml"), "auth: none\nclients: {port: 2}");
        assertEquals(0, run("serve", "--config", "other.yaml"));
        assertEquals(2, served.clients().port());
    }

    @Test
    void takesVariablesAndFlags() {
        environment.put("BARRAGE_CLIENTS_PORT", "1");
        environment.put("BARRAGE_BACKEND_PORT", "2");
        assertEquals(0, run("serve", "--clients.port", "3", "--log.level=warn"));
        assertEquals(3, served.clients().port());
        assertEquals(2, served.backend().port());
        assertEquals(LogConfig.Level.WARN, served.log().level());
    }

    @Test
    void tellsAllMistakesOneOnALine() throws Exception {
        Files.writeString(folder.resolve("barrage.yaml"), "auht: none");
        environment.put("BARRAGE_CLIENT_PORT", "1");
        assertEquals(2, run("serve", "--clients.prot", "3", "--confg=x", "--log.level", "loud"));
        assertNull(served);
        assertEquals(
                List.of(
                        "barrage.yaml:1:1: auht: unknown key; did you mean auth?",
                        "BARRAGE_CLIENT_PORT: unknown variable; did you mean BARRAGE_CLIENTS_PORT?",
                        "--clients.prot: unknown flag; did you mean --clients.port?",
                        "--confg: unknown flag; did you mean --config?",
                        "--log.level: expected trace, debug, info, warn or error, found \"loud\""),
                errors());
    }

    @Test
    void refusesAFileThatIsMissing() {
        assertEquals(2, run("serve", "--config", "no.yaml"));
        assertEquals(List.of("no.yaml: no such file"), errors());
    }

    @Test
    void checks() throws Exception {
        assertEquals(0, run("config", "check"));
        Path file = folder.resolve("barrage.yaml");
        Files.writeString(file, "auth: none");
        assertEquals(0, run("config", "check"));
        assertEquals(List.of(), errors());
        Files.writeString(file, "auth: some\nbroker: redis");
        assertEquals(1, run("config", "check"));
        assertEquals(2, errors().size());
        assertNull(served);
    }

    @Test
    void prints() throws Exception {
        assertEquals(0, run("config", "print", "--clients.port", "9"));
        assertTrue(out.toString().contains("  port: 9  # --clients.port\n"), out.toString());
        assertEquals(2, run("config", "print", "--clients.port", "x"));
    }

    @Test
    void makesKeysWhoseHashBelongsToThem() {
        assertEquals(0, run("key", "--name", "shop", "--scope", "publish,control"));
        String key = out.toString().lines().findFirst().orElseThrow();
        String yaml = "auth: none\n" + out.toString().substring(key.length());
        ApiKeys keys = ApiKeys.of(
                ConfigReader.parse(GatewayConfig.class, yaml).backend().keys());
        assertEquals("shop", keys.verify(key).name());
        assertEquals(Set.of(Scope.PUBLISH, Scope.CONTROL), keys.verify(key).scopes());
        assertEquals(out.toString().indexOf(key), out.toString().lastIndexOf(key));
    }

    @Test
    void refusesKeysThatCouldNotBeConfigured() {
        assertEquals(2, run("key", "--name", "a\"b"));
        assertEquals(2, run("key", "--name", "a b"));
        assertEquals(2, run("key", "--scope", "all"));
        assertEquals("", out.toString());
    }

    private static final String SECRET = TokenFixture.SECRET;

    private String made() {
        String token = out.toString().strip();
        out.getBuffer().setLength(0);
        return token;
    }

    @Test
    void makesTokensThatTheGatewayTakes() throws Exception {
        Files.writeString(
                folder.resolve("barrage.yaml"),
                "auth: {keys: [{kid: k1, alg: HS256, secret: " + SECRET + "}], audience: [barrage, b], issuer: me}");
        assertEquals(
                0,
                run(
                        "token",
                        "--sub",
                        "u7",
                        "--subscribe",
                        "room:*,news",
                        "--publish",
                        "room:42",
                        "--join",
                        "news",
                        "--info",
                        "{\"name\":\"Ada\"}",
                        "--expires",
                        "10m"),
                err.toString());
        String token = made();
        assertEquals(0, run("token", "check", token));
        String said = made();
        assertTrue(said.startsWith("The gateway would take this token.\n"), said);
        for (String expected : List.of(
                "\"kid\":\"k1\"",
                "\"aud\":\"barrage\"",
                "\"iss\":\"me\"",
                "\"info\":{\"name\":\"Ada\"}",
                "user: u7",
                "subscribe: [room:*, news]",
                "publish: [room:42]",
                "join: [news]")) {
            assertTrue(said.contains(expected), expected + " in " + said);
        }
        assertFalse(said.contains(SECRET));
        assertEquals(0, run("token", "check", token, "--config", "barrage.yaml"));
    }

    @Test
    void saysWhyTheGatewayWouldRefuseAToken() throws Exception {
        environment.put("BARRAGE_AUTH_SECRET", SECRET);
        assertEquals(0, run("token", "--sub", "u7"), err.toString());
        String token = made();
        assertEquals(0, run("token", "check", token), out.toString());
        out.getBuffer().setLength(0);
        environment.put("BARRAGE_AUTH_SECRET", "another secret of thirty-two bytes");
        assertEquals(1, run("token", "check", token));
        String said = made();
        assertTrue(said.contains("would refuse this token (unauthorized): the token's signature isn't right"), said);
        assertTrue(said.contains("\"sub\":\"u7\""), said);
        assertEquals(1, run("token", "check", "abc"));
        assertTrue(made().contains("isn't a signed JWT"));
    }

    @Test
    void makesTokensWithAPrivateKey() throws Exception {
        for (String pair : List.of("rsa", "ec256", "ec384", "ec521", "ed25519")) {
            Path privateKey = folder.resolve(pair + "-private.pem");
            Path publicKey = folder.resolve(pair + ".pem");
            Files.writeString(privateKey, TokenFixture.privatePem(pair));
            Files.writeString(publicKey, TokenFixture.publicPem(pair));
            String alg = Map.of("rsa", "PS512", "ec256", "ES256", "ec384", "ES384", "ec521", "ES512")
                    .getOrDefault(pair, "EdDSA");
            Files.writeString(
                    folder.resolve("barrage.yaml"),
                    "auth: {keys: [{kid: k1, alg: " + alg + ", file: '" + publicKey + "'}]}");
            assertEquals(0, run("token", "--file", privateKey.toString(), "--alg", alg, "--key", "k1"), err.toString());
            assertEquals(0, run("token", "check", made()), out.toString());
            out.getBuffer().setLength(0);
        }
        // Of a public key nobody can make a token.
        assertEquals(2, run("token"));
        assertEquals(2, run("token", "--key", "k1"));
        assertTrue(err.toString().contains("has the public part only"), err.toString());
    }

    @Test
    void refusesToMakeTokensThatNobodyWouldTake() throws Exception {
        Path pem = folder.resolve("p.pem");
        Files.writeString(pem, TokenFixture.privatePem("ec256"));
        Map<String, String[]> wrong = new LinkedHashMap<>();
        wrong.put("no auth.keys to sign with", new String[] {"token"});
        wrong.put("too short: a secret for HS256", new String[] {"token", "--secret", "short"});
        wrong.put("RS256 needs --file", new String[] {"token", "--secret", SECRET, "--alg", "RS256"});
        wrong.put("are two keys", new String[] {"token", "--secret", SECRET, "--file", "x"});
        wrong.put("--expires: expected a duration", new String[] {"token", "--secret", SECRET, "--expires", "soon"});
        wrong.put("--alg: expected HS256", new String[] {"token", "--secret", SECRET, "--alg", "none"});
        wrong.put("'sub' can't be used", new String[] {"token", "--secret", SECRET, "--sub", "a b"});
        wrong.put("('subscribe') can't be used", new String[] {"token", "--secret", SECRET, "--subscribe", "a**"});
        wrong.put("aren't well-formed JSON", new String[] {"token", "--secret", SECRET, "--info", "{"});
        wrong.put("there is no file nowhere.pem", new String[] {"token", "--file", "nowhere.pem"});
        wrong.put(
                "RS256 needs an RSA key, this is an EC key on P-256",
                new String[] {"token", "--file", pem.toString(), "--alg", "RS256"});
        wrong.forEach((why, arguments) -> {
            err.getBuffer().setLength(0);
            assertEquals(2, run(arguments), String.join(" ", arguments));
            assertTrue(err.toString().contains(why), why + ": " + err);
            assertFalse(err.toString().contains(SECRET));
        });
        assertEquals("", out.toString());
    }

    @Test
    void showsVersion() {
        assertEquals(0, run("version"));
        assertTrue(out.toString().startsWith("barrage "));
    }

    @Test
    void explainsItself() {
        assertEquals(2, run());
        assertEquals(2, run("sevre"));
        assertEquals(2, run("serve", "stray"));
        assertEquals(0, run("serve", "--help"));
        assertTrue(out.toString().contains("--limits.messageBytes"));
        assertFalse(out.toString().contains("`"));
        assertNull(served);
    }
}
