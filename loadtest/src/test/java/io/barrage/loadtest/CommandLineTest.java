package io.barrage.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CommandLineTest {
    private static String refused(int code, String... arguments) {
        StringWriter err = new StringWriter();
        assertEquals(code, Main.commandLine().setErr(new PrintWriter(err)).execute(arguments), err.toString());
        return err.toString();
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "10s,10000", "2m,120000", "1h,3600000"})
    void readsDurations(String text, long millis) {
        assertEquals(Duration.ofMillis(millis), Durations.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "s", "-1s", "1.5s", "10 s", "1d"})
    void refusesWhatIsNoDuration(String text) {
        assertThrows(IllegalArgumentException.class, () -> Durations.parse(text));
    }

    @Test
    void loadsNobodyElsesMachineByAccident() {
        String err = refused(2, "fanout", "--clients", "192.0.2.1:80");
        assertTrue(err.contains("--allow-remote"), err);
    }

    @Test
    void refusesATopicThatNoGatewayTakes() {
        assertTrue(refused(2, "replay", "--topic", "no spaces").contains("--topic 'no spaces'"));
    }

    @Test
    void refusesAnUnknownTarget() {
        assertTrue(refused(2, "fanout", "--target", "carrier-pigeon").contains("netty-group"));
    }

    @Test
    void refusesAWindowTogetherWithARate() {
        assertTrue(refused(2, "fanout", "--window", "1", "--rate", "1").contains("mutually exclusive"));
    }

    @Test
    void namesTheLineOfABadFile(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("bad.xml"), "<i>\n<d p=\"x\">y</d></i>");
        assertTrue(refused(1, "replay", file.toString()).contains("bad.xml, line 2: "));
    }

    @Test
    void namesAFileThatIsNotThere() {
        assertTrue(refused(1, "replay", "nowhere.xml").contains("nowhere.xml: no such file"));
    }
}
