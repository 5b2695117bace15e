package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {

    enum Mode {
        FAST,
        VERY_SLOW
    }

    record Door(
            @Setting(value = "localhost", doc = "Host.") String host,

            @Setting(value = "8080", min = "0", max = "65535", doc = "Port.")
            int port,

            @Setting(doc = "Names.") List<String> names)
            implements Checked {
        @Override
        public void check(Contradictions found) {
            if (port == 666 && names.isEmpty()) {
                found.add("666 needs names", "port", "names");
            }
        }
    }

    record Rule(
            @Setting(doc = "Name.") String name,
            @Setting(value = "10s", doc = "Pause.") Duration pause,
            @Setting(doc = "Modes.") List<Mode> modes) {
        Rule {
            if (name.equals("forbidden")) {
                throw new IllegalArgumentException("that name is taken");
            }
        }
    }

    record House(
            @Setting(value = "fast", doc = "Mode.", hint = "there are no others")
            Mode mode,

            @Setting(value = "25s", min = "1s", doc = "Beat.")
            Duration heartbeat,

            @Setting(value = "64KiB", max = "1MiB", doc = "Size.")
            ByteSize messageBytes,

            @Setting(value = "5000000000", doc = "Long.") long total,
            @Setting(value = "false", doc = "Open.") boolean open,

            @Setting(doc = "Password.", secret = true) @Nullable
            String password,

            @Setting(doc = "Door.") Door clients,
            @Setting(doc = "Rules.") List<Rule> rules)
            implements Checked {
        @Override
        public void check(Contradictions found) {
            if (clients.port() == 1 && mode == Mode.FAST) {
                found.add("fast doesn't go with port 1", "clients.port", "mode");
            }
        }
    }

    private static final House DEFAULTS = new House(
            Mode.FAST,
            Duration.ofSeconds(25),
            new ByteSize(65_536),
            5_000_000_000L,
            false,
            null,
            new Door("localhost", 8080, List.of()),
            List.of());

    private final ConfigReader<House> reader = ConfigReader.of(House.class);

    private static List<String> errors(ConfigReader<House> reader) {
        return assertThrows(ConfigException.class, reader::load).errors();
    }

    private static List<String> errors(String yaml) {
        return errors(ConfigReader.of(House.class).yaml("f.yaml", yaml));
    }

    private static void assertError(String expected, String yaml) {
        assertEquals(List.of(expected), errors(yaml));
    }

    @Test
    void takesDefaultsForWhatIsNotWritten() throws Exception {
        assertEquals(DEFAULTS, reader.load().value());
        assertEquals(DEFAULTS, ConfigReader.parse(House.class, ""));
        assertEquals(DEFAULTS, ConfigReader.parse(House.class, "# nothing but a comment\n"));
    }

    @Test
    void readsEveryType() {
        House house = ConfigReader.parse(House.class, """
                mode: very_slow
                heartbeat: 500m
                messageBytes: 1000
                total: 9000000000
                open: true
                password: "x: y"
                clients:
                  host: no
                  port: 0080
                  names: [a, 'b c', "8"]
                rules:
                  - name: one
                    modes: [fast, VERY_SLOW]
                  - {name: two, pause: 2h}
                """);
        assertEquals(
                new House(
                        Mode.VERY_SLOW,
                        Duration.ofMinutes(500),
                        new ByteSize(1000),
                        9_000_000_000L,
                        true,
                        "x: y",
                        new Door("no", 80, List.of("a", "b c", "8")),
                        List.of(
                                new Rule("one", Duration.ofSeconds(10), List.of(Mode.FAST, Mode.VERY_SLOW)),
                                new Rule("two", Duration.ofHours(2), List.of()))),
                house);
    }

    @Test
    void takesSectionsAndListsWithoutContentForDefaults() {
        assertEquals(DEFAULTS, ConfigReader.parse(House.class, "clients:\n  # port: 1\nrules:\n"));
        assertEquals(DEFAULTS, ConfigReader.parse(House.class, "clients: {names: }"));
    }

    @Test
    void refusesWordsWithoutValue() {
        assertError("f.yaml:1:6: mode: expected fast or very_slow, found nothing; there are no others", "mode:\n");
        assertError("f.yaml:1:15: rules[0].name: expected a text, found nothing", "rules: [{name: }]");
    }

    @Test
    void tellsWhatWasExpectedAndWhatWasFound() {
        assertError(
                "f.yaml:2:9: clients.port: expected a whole number from 0 to 65535, found \"abc\"",
                "clients:\n  port: abc");
        assertError(
                "f.yaml:1:17: clients.port: expected a whole number from 0 to 65535, found \"65536\"",
                "clients: {port: 65536}");
        assertError(
                "f.yaml:1:17: clients.port: expected a whole number from 0 to 65535, found \"-1\"",
                "clients: {port: -1}");
        assertError(
                "f.yaml:1:12: heartbeat: expected a duration (500ms, 25s, 10m, 2h) of at least 1s, found \"999ms\"",
                "heartbeat: 999ms");
        assertError(
                "f.yaml:1:12: heartbeat: expected a duration (500ms, 25s, 10m, 2h) of at least 1s, found \"25\"",
                "heartbeat: 25");
        assertError(
                "f.yaml:1:15: messageBytes: expected a size (64KiB, 1MiB, 2GiB or a number of bytes) up to 1MiB, found \"2MiB\"",
                "messageBytes: 2MiB");
        assertError("f.yaml:1:7: open: expected true or false, found \"yes\"", "open: yes");
        assertError("f.yaml:1:7: mode: expected fast or very_slow, found a list; there are no others", "mode: [fast]");
        assertError("f.yaml:1:17: clients.host: expected a text, found a section with keys", "clients: {host: {a: 1}}");
        assertError("f.yaml:1:10: clients: expected keys: host, port, names, found a single value", "clients: 8080");
        assertError("f.yaml:1:18: clients.names: expected a list, found a single value", "clients: {names: a}");
        assertError("f.yaml:1:8: rules: expected a list, found a section with keys", "rules: {name: a}");
        assertError("f.yaml:1:9: rules[0]: expected keys: name, pause, modes, found a single value", "rules: [a]");
        assertError(
                "f.yaml:3:27: rules[1].modes[1]: expected fast or very_slow, found \"warp\"",
                "rules:\n- {name: a}\n- {name: b, modes: [fast, warp]}");
    }

    @Test
    void namesTheNearestKey() {
        assertError("f.yaml:1:1: heart_beat: unknown key; did you mean heartbeat?", "heart_beat: 1s");
        assertError("f.yaml:2:3: clients.prot: unknown key; did you mean clients.port?", "clients:\n  prot: 1");
        assertError("f.yaml:1:1: port: unknown key; did you mean clients.port?", "port: 1");
        assertError("f.yaml:1:11: clients.mode: unknown key; did you mean mode?", "clients: {mode: fast}");
        assertError("f.yaml:1:1: client.port: unknown key; did you mean clients.port?", "client.port: 1");
        assertError(
                "f.yaml:1:19: rules[0].nam: unknown key; did you mean rules[0].name?", "rules: [{name: a, nam: b}]");
        assertError(
                "f.yaml:1:1: zzzzzz: unknown key; expected one of: mode, heartbeat, messageBytes, total, open, password,"
                        + " clients, rules",
                "zzzzzz: 1");
        assertError(
                "f.yaml:1:1: clients.port: unknown key: keys are nested, not dotted; write `clients:` and the rest"
                        + " indented below it",
                "clients.port: 1");
    }

    @Test
    void listsAllMistakesInReadingOrder() {
        assertEquals(
                List.of(
                        "f.yaml:1:1: moed: unknown key; did you mean mode?",
                        "f.yaml:2:8: total: expected a whole number, found \"x\"",
                        "f.yaml:4:9: clients.port: expected a whole number from 0 to 65535, found \"y\"",
                        "HOUSE_OPEN: open: expected true or false, found \"1\"",
                        "HOUSE_OPNE: unknown variable; did you mean HOUSE_OPEN?",
                        "--clients.port: expected a whole number from 0 to 65535, found \"z\"",
                        "--clients.prot: unknown flag; did you mean --clients.port?"),
                errors(ConfigReader.of(House.class)
                        .yaml("f.yaml", "moed: fast\ntotal: x\nclients:\n  port: y")
                        .variables("HOUSE_", Map.of("HOUSE_OPNE", "true", "HOUSE_OPEN", "1"))
                        .flags(Map.of("clients.prot", "1", "clients.port", "z"))));
    }

    @Test
    void overridesFileByVariableByFlag() throws Exception {
        reader.fallback("clients.port", "1", "nothing better")
                .yaml("f.yaml", "mode: very_slow\nclients: {port: 2, host: file}\nheartbeat: 2s")
                .variables("HOUSE_", Map.of("HOUSE_CLIENTS_PORT", "3", "HOUSE_HEARTBEAT", "3s", "OTHER", "x"))
                .flags(Map.of("clients.port", "4"));
        House house = reader.load().value();
        assertEquals(new Door("file", 4, List.of()), house.clients());
        assertEquals(Duration.ofSeconds(3), house.heartbeat());
        assertEquals(Mode.VERY_SLOW, house.mode());
    }

    @Test
    void fallsBackOnlyWhereNothingIsWritten() throws Exception {
        assertEquals(
                3,
                reader.fallback("clients.port", "3", "why")
                        .load()
                        .value()
                        .clients()
                        .port());
        assertEquals(
                2,
                reader.yaml("f.yaml", "clients: {port: 2}\nmode: very_slow")
                        .load()
                        .value()
                        .clients()
                        .port());
    }

    @Test
    void tellsMistakesInTheFileEvenIfOverridden() {
        assertEquals(
                List.of("f.yaml:1:7: open: expected true or false, found \"2\""),
                errors(reader.yaml("f.yaml", "open: 2").flags(Map.of("open", "true"))));
    }

    @Test
    void derivesVariableNamesFromPaths() {
        assertEquals("BARRAGE_CLIENTS_HOST", Schema.variable("BARRAGE_", "clients.host"));
        assertEquals("BARRAGE_LIMITS_PER_SENDER", Schema.variable("BARRAGE_", "limits.perSender"));
    }

    @Test
    void refusesListsOutsideTheFile() {
        assertEquals(
                List.of(
                        "HOUSE_CLIENTS_NAMES: clients.names: lists are set in the file only",
                        "--clients.names: lists are set in the file only"),
                errors(reader.variables("HOUSE_", Map.of("HOUSE_CLIENTS_NAMES", "a,b"))
                        .flags(Map.of("clients.names", "a"))));
    }

    @Test
    void takesEmptyVariablesForAbsent() throws Exception {
        assertEquals(
                DEFAULTS,
                reader.variables("HOUSE_", Map.of("HOUSE_CLIENTS_PORT", "", "HOUSE_X", ""))
                        .load()
                        .value());
    }

    @Test
    void ignoresServiceLinksOfKubernetes() throws Exception {
        Map<String, String> links = Map.of(
                "HOUSE_SERVICE_HOST", "10.0.0.1",
                "HOUSE_SERVICE_PORT", "8080",
                "HOUSE_SERVICE_PORT_HTTP", "8080",
                "HOUSE_PORT", "tcp://10.0.0.1:8080",
                "HOUSE_PORT_8080_TCP", "tcp://10.0.0.1:8080",
                "HOUSE_PORT_8080_TCP_ADDR", "10.0.0.1",
                "HOUSE_CLIENTS_PORT", "tcp://10.0.0.1:8080",
                "HOUSE_CLIENTS_SERVICE_HOST", "10.0.0.1");
        assertEquals(DEFAULTS, reader.variables("HOUSE_", links).load().value());
    }

    @Test
    void appendsOneRecordFromVariable() throws Exception {
        reader.appendingVariable(
                        "HOUSE_RULE", "rules", value -> Map.of("name", List.of(value), "modes", List.of("fast")))
                .yaml("f.yaml", "rules: [{name: a}]")
                .variables("HOUSE_", Map.of("HOUSE_RULE", "b"));
        assertEquals(
                List.of(
                        new Rule("a", Duration.ofSeconds(10), List.of()),
                        new Rule("b", Duration.ofSeconds(10), List.of(Mode.FAST))),
                reader.load().value().rules());
    }

    @Test
    void tellsWhatAnAppendingVariableRefuses() {
        reader.appendingVariable("HOUSE_RULE", "rules", value -> {
                    throw new IllegalArgumentException("not like this");
                })
                .variables("HOUSE_", Map.of("HOUSE_RULE", "b", "HOUSE_RULES_", "x"));
        assertEquals(
                List.of("HOUSE_RULE: not like this", "HOUSE_RULES_: unknown variable; did you mean HOUSE_RULE?"),
                errors(reader));
    }

    @Test
    void demandsWhatHasNoDefault() {
        assertError("f.yaml:2:3: rules[0].name: missing; expected a text", "rules:\n- pause: 1s");
        assertNull(ConfigReader.parse(House.class, "").password());
    }

    @Test
    void tellsContradictionsAtTheirLine() {
        assertError("f.yaml:2:9: clients.port: 666 needs names", "clients:\n  port: 666");
        assertError("f.yaml:1:17: clients.port: fast doesn't go with port 1", "clients: {port: 1}");
        assertEquals(
                List.of("--clients.port: fast doesn't go with port 1"),
                errors(reader.yaml("f.yaml", "clients: {port: 2}").flags(Map.of("clients.port", "1"))));
    }

    @Test
    void tellsNoContradictionThatRestsOnSomethingUnreadable() {
        assertEquals(1, errors("clients: {port: 666, names: 1}").size());
        assertEquals(1, errors("clients: {port: 666, nams: [a]}").size());
        assertEquals(1, errors("clients: {port: 1}\nmoed: very_slow").size());
        assertEquals(1, errors("clients: {port: 1}\nmode: warp").size());
    }

    @Test
    void tellsContradictionsBesideOtherMistakes() {
        assertEquals(
                List.of(
                        "f.yaml:1:17: clients.port: fast doesn't go with port 1",
                        "f.yaml:2:7: open: expected true or false, found \"x\""),
                errors("clients: {port: 1}\nopen: x"));
    }

    @Test
    void tellsWhatAConstructorRefuses() {
        assertError("f.yaml:2:3: rules[0]: that name is taken", "rules:\n- name: forbidden");
    }

    @Test
    void neverShowsSecrets() throws Exception {
        assertError("f.yaml:1:11: password: expected a text, found something else (not shown)", "password: [hunter2]");
        assertError("f.yaml:1:10: clients: expected keys: host, port, names, found a single value", "clients: hunter2");
        assertFalse(errors("password: \"hunter2\nmode: {").toString().contains("hunter2"));
        String printed = reader.yaml("f.yaml", "password: hunter2").load().print();
        assertTrue(printed.contains("password: \"***\"  # f.yaml:1:11\n"), printed);
        assertFalse(printed.contains("hunter2"), printed);
    }

    @Test
    void printsWhereValuesComeFrom() throws Exception {
        String printed = reader.fallback("mode", "very_slow", "no reason")
                .yaml("f.yaml", "heartbeat: 25s\nclients:\n  names: [\"a b\", $c]\nrules: [{name: x, pause: 1500ms}]")
                .variables("HOUSE_", Map.of("HOUSE_OPEN", "true"))
                .flags(Map.of("clients.port", "0"))
                .load()
                .print();
        assertEquals("""
                mode: very_slow  # no reason
                heartbeat: 25s
                messageBytes: 64KiB
                total: 5000000000
                open: true  # HOUSE_OPEN
                # password: not set
                clients:
                  host: localhost
                  port: 0  # --clients.port
                  names:
                    - "a b"  # f.yaml:3:11
                    - "$c"  # f.yaml:3:18
                rules:
                  - name: x  # f.yaml:4:16
                    pause: 1500ms  # f.yaml:4:26
                    modes: []
                """, printed);
    }

    @Test
    void readsBackWhatItPrints() throws Exception {
        Loaded<House> loaded = reader.yaml("f.yaml", """
                        mode: very_slow
                        clients: {host: "::1", names: ["a: b", "# c", "", "null", "- d", "\\"\\\\ \\t é", "1:2", "~"]}
                        rules: [{name: "a"}, {name: "b", modes: [fast, very_slow]}]
                        """).load();
        assertEquals(loaded.value(), ConfigReader.parse(House.class, loaded.print()));
    }

    @Test
    void tellsFilesThatCannotBeRead(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("x.yaml");
        assertEquals(List.of(file + ": no such file"), errors(reader.file(file)));
        Files.write(file, "mode: \u00e9".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(
                List.of(file + ": not UTF-8 text"),
                errors(ConfigReader.of(House.class).file(file)));
        Files.writeString(file, "open: true");
        assertTrue(ConfigReader.of(House.class).file(file).load().value().open());
    }

    @Test
    void refusesRecordsThatCannotBeConfigured() {
        record NoSetting(int x) {}
        record WrongDefault(
                @Setting(value = "a", doc = "X.") int x) {}
        record DefaultOutOfRange(
                @Setting(value = "0", min = "1", doc = "X.") int x) {}
        record UnknownType(@Setting(doc = "X.") Object x) {}
        record RangeWithoutOrder(
                @Setting(min = "a", doc = "X.", value = "true")
                List<Object> x) {}
        for (Class<? extends Record> type : List.of(
                NoSetting.class,
                WrongDefault.class,
                DefaultOutOfRange.class,
                UnknownType.class,
                RangeWithoutOrder.class)) {
            assertThrows(IllegalArgumentException.class, () -> ConfigReader.of(type), type.getSimpleName());
        }
    }
}
