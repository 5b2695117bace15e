package io.barrage.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a command wrote to a file. Immutable.
 *
 * @param name of the file, without its folder and its ending
 * @param command which command it was
 * @param json all of it
 */
public record Result(String name, String command, JsonNode json) {
    /** Of the members, those that are no figures. */
    private static final Set<String> WORDS = Set.of("measured", "environment", "target", "plan", "invalid", "notes");

    /**
     * Finds out what it is: by what it says of itself, or, if an older tool wrote it, by its members.
     *
     * @throws IllegalArgumentException if no command of this tool writes such a thing
     */
    public static Result of(String name, JsonNode json) {
        String said = json.path("measured").path("command").asString("");
        Figures figures = Figures.read();
        String command = "";
        if (json.path("runs").isArray() && json.path("workloads").isArray()) {
            command = "compare";
        } else if (figures.commands().contains(said)) {
            command = said;
        } else {
            for (String candidate : figures.commands()) {
                if (!candidate.equals(Figures.LATENCY) && allKnown(figures, candidate, json)) {
                    command = candidate;
                }
            }
        }
        if (command.isEmpty()) {
            throw new IllegalArgumentException(name + ": not a result of this tool");
        }
        return new Result(name, command, json);
    }

    private static boolean allKnown(Figures figures, String command, JsonNode json) {
        List<Value> values = values(figures, command, json);
        return !values.isEmpty() && values.stream().allMatch(value -> value.figure != null);
    }

    /** A figure's value. Immutable. */
    record Value(String path, Figures.@Nullable Figure figure, JsonNode node) {}

    List<Value> values(Figures figures) {
        return values(figures, command, json);
    }

    private static List<Value> values(Figures figures, String command, JsonNode json) {
        List<Value> values = new ArrayList<>();
        collect(figures, command, "", json, values);
        return values;
    }

    private static void collect(Figures figures, String command, String prefix, JsonNode object, List<Value> into) {
        for (Map.Entry<String, JsonNode> member : object.properties()) {
            String path = prefix + member.getKey();
            JsonNode node = member.getValue();
            if ((prefix.isEmpty() && WORDS.contains(path)) || node.isNull() || node.isArray()) {
                continue;
            }
            Figures.Figure figure = figures.find(command, path);
            if (figure == null && node.isObject() && !Latency.is(node)) {
                collect(figures, command, path + ".", node, into);
            } else {
                into.add(new Value(path, figure, node));
            }
        }
    }

    /** Why its figures must not be used; empty if they may. */
    List<String> invalid() {
        return strings(json.path("invalid"));
    }

    List<String> notes() {
        return strings(json.path("notes"));
    }

    static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(node -> strings.add(node.asString("")));
        return strings;
    }
}
