package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class YamlReaderTest {

    private final List<ConfigError> errors = new ArrayList<>();

    private void assertRefused(String expected, String yaml) {
        errors.clear();
        assertNull(YamlReader.read("f", yaml, errors));
        assertEquals(expected, errors.get(0).toString());
        assertEquals(1, errors.size());
    }

    @Test
    void knowsWhereKeysAndValuesStand() {
        Node.Section root = YamlReader.read("f", "a:\n  b: x\n  c: [1, {d: 2}]\n", errors);
        Node.Section a = (Node.Section) root.entries().get("a").value();
        assertEquals(Place.file("f", 2, 3), a.entries().get("b").keyPlace());
        assertEquals(
                new Node.Value(Place.file("f", 2, 6), "x"), a.entries().get("b").value());
        Node.Items c = (Node.Items) a.entries().get("c").value();
        assertEquals(Place.file("f", 3, 7), c.items().get(0).place());
        assertEquals(List.of(), errors);
    }

    @Test
    void keepsTextAsWritten() {
        Node.Section root = YamlReader.read("f", "a: 0080\nb: no\nc: 1.50\nd: null\ne: 'null'\nf: 0x1F", errors);
        List<String> texts = root.entries().values().stream()
                .map(entry -> ((Node.Value) entry.value()).text())
                .toList();
        List<String> expected = new ArrayList<>(List.of("0080", "no", "1.50", "", "null", "0x1F"));
        expected.set(3, null);
        assertEquals(expected, texts);
    }

    @Test
    void tellsDuplicateKeysAndGoesOn() {
        assertNotNull(YamlReader.read("f", "a:\n  b: 1\n  b: 2\n  b: 3\nc: 1\nc: 2", errors));
        assertEquals(
                List.of(
                        "f:3:3: a.b: given twice; the first one is on line 2",
                        "f:4:3: a.b: given twice; the first one is on line 2",
                        "f:6:1: c: given twice; the first one is on line 5"),
                errors.stream().map(ConfigError::toString).toList());
    }

    @Test
    void refusesWhatStandsForSomethingElse() {
        assertRefused(
                "f:2:4: aliases (`*name`) are not supported; write the value out", "a: &x [1, 1]\nb: *x\nc: [*x, *x]");
        assertRefused("f:1:1: merge keys (`<<`) are not supported; write the keys out", "<<: {a: 1}");
        assertRefused("f:1:4: tags (`!name`) are not supported; write the plain value", "a: !!binary aGk=");
    }

    @Test
    void refusesSecondDocument() {
        assertRefused(
                "f:3:1: a second document (`---`) starts here; the configuration is one document", "a: 1\n---\nb: 2\n");
    }

    @Test
    void refusesWhatHasNoKeys() {
        assertRefused("f:1:1: expected keys with values, such as `heartbeat: 25s`", "- a\n");
        assertRefused("f:1:1: expected keys with values, such as `heartbeat: 25s`", "just words");
    }

    @Test
    void tellsSyntaxErrorsWithTheirLine() {
        assertRefused("f:2:1: not valid YAML: a tab; YAML indents with spaces only", "a:\n\tb: 1\n");
        assertRefused("f:2:5: not valid YAML: mapping values are not allowed here", "a: 1\nb: c: d\n");
        assertRefused("f:2:2: not valid YAML: expected ',' or ']', but got :", "a: [1, 2\nb: 3\n");
        assertRefused("f:2:4: not valid YAML: the character U+0001 is not allowed", "a: 1\nb: \u0001\n");
        assertRefused("f:1:4: not valid YAML: a key must be a plain word", "? [a]\n: b\n");
    }

    @Test
    void refusesDeepNesting() {
        errors.clear();
        assertNull(YamlReader.read("f", "a: " + "[".repeat(100_000), errors));
        assertEquals(
                "f:1:35: nested too deeply: more than 32 levels", errors.get(0).toString());
    }

    @Test
    void skipsByteOrderMark() {
        assertNotNull(YamlReader.read("f", "\uFEFFa: 1\n", errors).entries().get("a"));
    }
}
