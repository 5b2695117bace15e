package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LoggingTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream before = System.out;
    private final Logger log = LoggerFactory.getLogger("io.barrage.gateway.Something");

    @BeforeEach
    void capture() {
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() {
        System.setOut(before);
        apply("");
    }

    private static void apply(String yaml) {
        Logging.apply(ConfigReader.parse(LogConfig.class, yaml));
    }

    private String logged() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void writesOneLineForPeople() {
        apply("");
        log.info("Something happened port={}", 7);
        log.atWarn().addKeyValue("count", 3).log("Something else");
        log.debug("Nothing");
        List<String> lines = logged().lines().toList();
        assertEquals(2, lines.size(), logged());
        assertTrue(
                lines.get(0).matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} INFO  Something - Something happened port=7"),
                lines.get(0));
        assertTrue(lines.get(1).endsWith(" WARN  Something - Something else count=3"), lines.get(1));
    }

    @Test
    void writesOneObjectForMachines() {
        apply("{format: json, level: debug}");
        log.debug("Something \"happened\" port={}", 7, new IllegalStateException("why"));
        assertTrue(logged().startsWith("{"), logged());
        assertTrue(logged().contains("\"formattedMessage\":\"Something \\\"happened\\\" port=7\""), logged());
        assertTrue(logged().contains("why"), logged());
        assertEquals(1, logged().strip().lines().count(), logged());
    }

    @Test
    void keepsLibrariesQuiet() {
        Logger netty = LoggerFactory.getLogger("io.netty.bootstrap");
        apply("{level: trace}");
        assertFalse(netty.isInfoEnabled());
        assertTrue(netty.isWarnEnabled());
        apply("{level: error}");
        assertFalse(netty.isWarnEnabled());
    }
}
