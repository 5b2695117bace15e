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
import java.util.List;
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

    @Test
    void reportWantsToKnowWhereTo(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("r.json"), "{}");
        assertTrue(refused(2, "report", file.toString()).contains("--html FILE"));
        assertTrue(refused(2, "report", file.toString(), "--html", "x.html").contains("r: not a result of this tool"));
        assertTrue(refused(1, "report", "nowhere.json", "--html", "x.html").contains("nowhere.json: no such file"));
        Files.writeString(file, "{");
        assertTrue(refused(1, "report", file.toString(), "--html", "x.html").contains("r.json: no JSON"));
        Files.writeString(file, "[]");
        assertTrue(refused(1, "report", file.toString(), "--html", "x.html").contains("r.json: not a result"));
    }

    @Test
    void reportDrawsThePlotsThatAreWanted(@TempDir Path directory) throws IOException {
        String latency = "{\"count\":5,\"p50\":1,\"p90\":2,\"p99\":3,\"p999\":4,\"max\":5,\"mean\":2}";
        Path file = Files.writeString(
                directory.resolve("r.json"),
                "{\"measured\":{\"command\":\"replies\"},\"ping\":" + latency + ",\"subscribe\":" + latency + "}");
        String svg = directory.resolve("plots").toString();
        assertTrue(refused(2, "report", file.toString(), "--svg", svg, "--plots", "overview")
                .contains("--plots overview: there are [r-latency.svg]"));
        assertEquals("", refused(0, "report", file.toString(), "--svg", svg, "--plots", "latency"));
        assertTrue(Files.exists(directory.resolve("plots/r-latency.svg")));
    }

    @Test
    void connectTakesAnyWebSocketServerOnThisMachine() {
        assertTrue(refused(2, "connect", "--url", "http://127.0.0.1/").contains("ws://host:port/path"));
        assertTrue(refused(2, "connect", "--url", "ws://192.0.2.1:80/").contains("--allow-remote"));
        assertTrue(refused(2, "connect", "--url", "ws://[::").contains("no URL"));
        assertTrue(refused(2, "connect", "--rate", "1", "--in-progress", "1").contains("mutually exclusive"));
        assertTrue(refused(2, "connect", "--connections", "2000000000").contains("open files leaves room for"));
        assertTrue(refused(2, "connect", "--target", "nchan", "--without-topic").contains("barrage.v1"));
    }

    @Test
    void connectTakesTopicsOrNone() {
        assertTrue(refused(2, "connect", "--topics", "0").contains("--topics 0 is less than 1"));
        assertTrue(refused(2, "connect", "--topics", "2", "--without-topic").contains("exclude each other"));
        assertTrue(refused(2, "connect", "--warmup-connections", "0").contains("warmup-connections: 0"));
    }

    @Test
    void compareStartsServersInSomeOfItsRounds() {
        assertTrue(
                refused(2, "compare", "--rounds", "2", "--starts", "3").contains("starts: 3 is not from 1 to the 2"));
        assertTrue(refused(2, "compare", "--starts", "0").contains("starts: 0"));
    }

    @Test
    void compareTakesVariantsByName() {
        assertTrue(refused(2, "compare", "--variant", "-Xmx1g").contains("is not NAME=ARGS"));
        assertTrue(refused(2, "compare", "--variant", "nats=-Xmx1g").contains("another gateway's"));
    }

    @Test
    void servesPeersOnThisMachineOnly() {
        assertTrue(refused(2, "serve-peer", "--clients", "192.0.2.1:80").contains("127.0.0.1 only"));
        assertTrue(refused(2, "serve-peer", "--backend", "[::1]:8081").contains("127.0.0.1 only"));
        assertTrue(refused(1, "serve-peer", "--gateway", "nowhere.jar")
                .contains("barrage is missing: no file nowhere.jar"));
    }

    @Test
    void readsAProcessThatIsThereOnly() {
        for (String command : List.of("fanout", "replay", "connect", "slow", "hot", "likes", "churn", "replies")) {
            assertTrue(
                    refused(2, command, "--pid", "2147483647").contains("--pid 2147483647: there is no such process"));
        }
        assertTrue(refused(2, "encodings", "--pid", "2147483647").contains("no such process"));
        assertTrue(refused(2, "encodings").contains("needs the server's pid"));
    }

    @Test
    void encodingsAreThoseOfBarrageOnItsTopics() {
        assertTrue(refused(2, "encodings", "--target", "barrage-batch").contains("--target barrage-batch"));
        assertTrue(refused(2, "encodings", "--target", "nchan").contains("barrage.v1"));
        assertTrue(refused(2, "encodings", "--topic", "no spaces").contains("--topic 'no spaces'"));
    }

    @Test
    void connectsToAUrlOrToAGateway() {
        String url = "ws://127.0.0.1:1/";
        for (String option : List.of("--target=nchan", "--clients=127.0.0.1:1", "--backend=127.0.0.1:1")) {
            String err = refused(2, "connect", "--url", url, option);
            assertTrue(err.contains("and --url exclude each other"), err);
        }
        assertTrue(refused(2, "connect", "--url", url, "--topics", "2").contains("a --url with {n}"));
    }

    @Test
    void namesTheOptionOfABadAddress() {
        assertTrue(refused(2, "fanout", "--backend", "nowhere").contains("--backend: 'nowhere' is not host:port"));
        assertTrue(refused(2, "serve-peer", "--clients", "nowhere").contains("--clients: 'nowhere' is not host:port"));
    }

    @Test
    void refusesLessThanNoSamplesAndNoPatience() {
        assertTrue(refused(2, "fanout", "--samples", "-1").contains("samples: -1 is less than 0"));
        assertTrue(refused(2, "fanout", "--patience", "0s").contains("patience: 0 ms isn't positive"));
    }

    @Test
    void asksForAResultsFolderBeforeTheRun(@TempDir Path directory) {
        Path nowhere = directory.resolve("missing").resolve("r.json");
        String err = refused(2, "fanout", "--json", nowhere.toString());
        assertTrue(err.contains("'--json'") && err.contains("there is no folder " + nowhere.getParent()), err);
        assertTrue(refused(2, "fanout", "--json", directory.toString()).contains("is a folder"));
        assertTrue(refused(2, "report", "r.json", "--html", nowhere.toString()).contains("there is no folder"));
    }

    @Test
    void saysWhatIsWrongWithAFile(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(
                directory.resolve("r.json"), "{\"measured\":{\"command\":\"replies\"},\"refused\":0}");
        String err = refused(1, "report", file.toString(), "--svg", file.toString());
        assertTrue(err.startsWith("loadtest: " + file + ": FileAlreadyExistsException"), err);
    }

    @Test
    void refusesASpanThatIsNoDuration() {
        assertTrue(refused(2, "fanout", "--warmup", "5").contains("'5' is not a duration"));
    }

    @Test
    void churnNeedsSomebodyWhoStays() {
        assertTrue(refused(2, "churn", "--churning", "100%").contains("one must stay"));
        assertTrue(refused(2, "churn", "--resets", "150%").contains("share from 0 to 1"));
    }
}
