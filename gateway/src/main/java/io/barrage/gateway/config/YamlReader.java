package io.barrage.gateway.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/**
 * Reads one YAML document into {@link Node}s that know where they stand. Confined to the main thread.
 *
 * <p>A subset on purpose: one document of sections, lists and scalars. Aliases, merge keys and tags are refused, since
 * with them a value would no longer stand where the error message points, and a few lines could stand for gigabytes.
 */
final class YamlReader {

    /** Far beyond any key of ours, far below what a recursion survives. */
    private static final int MAX_DEPTH = 32;

    private final String name;
    private final YAMLParser parser;
    private final List<ConfigError> errors;

    private YamlReader(String name, YAMLParser parser, List<ConfigError> errors) {
        this.name = name;
        this.parser = parser;
        this.errors = errors;
    }

    /**
     * Reads a whole file.
     *
     * @param name the file's name in error messages
     * @param errors gets what is wrong
     * @return null if nothing of the file can be used
     */
    static Node.@Nullable Section read(String name, String text, List<ConfigError> errors) {
        try (YAMLParser parser = (YAMLParser) new YAMLFactory().createParser(ObjectReadContext.empty(), text)) {
            return new YamlReader(name, parser, errors).document();
        } catch (Unusable unusable) {
            errors.add(unusable.error);
        } catch (JacksonException e) {
            errors.add(syntaxError(name, text, e));
        }
        return null;
    }

    private Node.Section document() {
        if (parser.nextToken() == null) {
            return new Node.Section(Place.file(name, 0, 0), Map.of());
        }
        Place start = place();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new Unusable(start, "expected keys with values, such as `heartbeat: 25s`");
        }
        Map<String, Node.Entry> entries = entries("", 1);
        if (parser.nextToken() != null) {
            throw new Unusable(place(), "a second document (`---`) starts here; the configuration is one document");
        }
        return new Node.Section(Place.file(name, 0, 0), entries);
    }

    private Node node(String path, int depth) {
        Place place = place();
        if (depth > MAX_DEPTH) {
            throw new Unusable(place, "nested too deeply: more than " + MAX_DEPTH + " levels");
        }
        if (parser.isCurrentAlias()) {
            throw new Unusable(place, "aliases (`*name`) are not supported; write the value out");
        }
        if (parser.getTypeId() != null) {
            throw new Unusable(place, "tags (`!name`) are not supported; write the plain value");
        }
        JsonToken token = parser.currentToken();
        if (token == JsonToken.START_OBJECT) {
            return new Node.Section(place, entries(path + ".", depth));
        }
        if (token == JsonToken.START_ARRAY) {
            List<Node> items = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                items.add(node(path + "[" + items.size() + "]", depth + 1));
            }
            return new Node.Items(place, items);
        }
        // The text as written, whatever YAML takes it for: what `no` or `0080` means is the key's type to say.
        return new Node.Value(place, token == JsonToken.VALUE_NULL ? null : parser.getString());
    }

    private Map<String, Node.Entry> entries(String prefix, int depth) {
        Map<String, Node.Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            Place keyPlace = place();
            String key = parser.currentName();
            if (key.equals("<<")) {
                throw new Unusable(keyPlace, "merge keys (`<<`) are not supported; write the keys out");
            }
            parser.nextToken();
            Node.Entry first = entries.putIfAbsent(key, new Node.Entry(keyPlace, node(prefix + key, depth + 1)));
            if (first != null) {
                errors.add(new ConfigError(
                        keyPlace,
                        prefix + key,
                        "given twice; the first one is on line "
                                + first.keyPlace().line()));
            }
        }
        return entries;
    }

    private Place place() {
        TokenStreamLocation location = parser.currentTokenLocation();
        return Place.file(name, location.getLineNr(), location.getColumnNr());
    }

    /** The parser's own message quotes lines of the file, which may hold secrets: only the problem itself is told. */
    private static ConfigError syntaxError(String name, String text, JacksonException e) {
        TokenStreamLocation location = e.getLocation();
        Place place = location == null
                ? Place.file(name, 0, 0)
                : Place.file(name, location.getLineNr(), location.getColumnNr());
        String problem = "can't be read here";
        if (e.getCause() instanceof MarkedYamlEngineException marked) {
            problem = marked.getProblem();
            place = marked.getProblemMark()
                    .map(mark -> Place.file(name, mark.getLine() + 1, mark.getColumn() + 1))
                    .orElse(place);
            if (problem.contains("TAB")) {
                problem = "a tab; YAML indents with spaces only";
            }
        } else if (e.getCause() instanceof ReaderException reader) {
            problem = String.format("the character U+%04X is not allowed", reader.getCodePoint());
            String before = text.substring(0, Math.min(reader.getPosition(), text.length()));
            int lineStart = before.lastIndexOf('\n') + 1;
            int line = 1 + (int) before.chars().filter(c -> c == '\n').count();
            place = Place.file(name, line, before.length() - lineStart + 1);
        } else if (problem(e).startsWith("Expected a property name")) {
            problem = "a key must be a plain word";
        }
        return new ConfigError(place, "", "not valid YAML: " + problem);
    }

    private static String problem(JacksonException e) {
        String message = e.getOriginalMessage();
        return message == null ? "" : message;
    }

    /** Ends the reading of a file that can't be used. */
    private static final class Unusable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient ConfigError error;

        Unusable(Place place, String message) {
            super(message, null, false, false);
            this.error = new ConfigError(place, "", message);
        }
    }
}
