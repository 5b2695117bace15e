package io.barrage.loadtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Results as files. Thread-safe. */
final class Json {
    /** The member that says how the others came about. */
    static final String MEASURED = "measured";

    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Json() {}

    /** Writes a result, with how it came about beside its own members. */
    static void write(Path file, Object result, Object measured) throws IOException {
        ObjectNode document = MAPPER.createObjectNode();
        document.set(MEASURED, MAPPER.valueToTree(measured));
        document.setAll((ObjectNode) MAPPER.<JsonNode>valueToTree(result));
        String text = MAPPER.writeValueAsString(document) + "\n";
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            Files.writeString(file, text); // a pipe, or a terminal
            return;
        }
        // Whole or not at all: a comparison that is interrupted writes just then, too.
        Path beside = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(beside, text);
        Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** @throws IOException if there is no such file, or no result in it */
    static JsonNode read(Path file) throws IOException {
        try {
            JsonNode document = MAPPER.readTree(Files.readString(file));
            if (!document.isObject()) {
                throw new IOException(file + ": not a result of this tool, but " + document.getNodeType());
            }
            return document;
        } catch (JacksonException e) {
            throw new IOException(file + ": no JSON: " + e.getOriginalMessage(), e);
        }
    }
}
