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
import io.barrage.gateway.config.ConfigReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
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
        CommandLine commandLine = Main.commandLine(environment, folder, config -> served = config);
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
