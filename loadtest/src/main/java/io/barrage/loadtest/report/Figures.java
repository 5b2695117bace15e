package io.barrage.loadtest.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What each figure of a result means, by the command that writes it and its path in the JSON. Immutable. */
final class Figures {
    /** The definitions of a latency's percentiles. */
    static final String LATENCY = "latency";

    private static final String RESOURCE = "/figures.json";

    private final Map<String, Map<String, Figure>> figures;

    /**
     * One of them. Immutable.
     *
     * @param id where its definition stands in a page
     * @param label its name
     * @param meaning its definition
     */
    record Figure(String id, String label, Unit unit, String meaning) {}

    private Figures(Map<String, Map<String, Figure>> figures) {
        this.figures = figures;
    }

    /** Those that are inside of the jar. */
    static Figures read() {
        try (@Nullable InputStream in = Figures.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing from the jar");
            }
            Map<String, Map<String, Figure>> figures = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> command :
                    new JsonMapper().readTree(in).properties()) {
                Map<String, Figure> ofCommand = new LinkedHashMap<>();
                for (Map.Entry<String, JsonNode> entry : command.getValue().properties()) {
                    JsonNode definition = entry.getValue();
                    ofCommand.put(
                            entry.getKey(),
                            new Figure(
                                    command.getKey() + "." + entry.getKey(),
                                    definition.get(0).asString(),
                                    Unit.of(definition.get(1).asString()),
                                    definition.get(2).asString()));
                }
                figures.put(command.getKey(), Collections.unmodifiableMap(ofCommand));
            }
            return new Figures(Collections.unmodifiableMap(figures));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The commands whose figures are defined. */
    Set<String> commands() {
        return figures.keySet();
    }

    /** The paths of a command's figures. */
    Set<String> paths(String command) {
        return figures.getOrDefault(command, Map.of()).keySet();
    }

    /** The figure at a path, or null if nobody has defined it. */
    @Nullable
    Figure find(String command, String path) {
        Map<String, Figure> ofCommand = figures.get(command);
        return ofCommand == null ? null : ofCommand.get(path);
    }

    /** @throws IllegalArgumentException if nobody has defined it */
    Figure get(String command, String path) {
        Figure figure = find(command, path);
        if (figure == null) {
            throw new IllegalArgumentException("no definition of " + command + "." + path);
        }
        return figure;
    }
}
