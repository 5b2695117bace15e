package io.barrage.gateway;

import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.Loaded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The configuration's file, and how to read it with the variables and flags of the start. Used by one thread at a time. */
final class ConfigSource {
    private final Path file;
    private final byte[] atStart;
    private final Parser parser;

    /** Makes a configuration of the file's content and everything beside it. */
    @FunctionalInterface
    interface Parser {
        /**
         * Gives the configuration.
         *
         * @throws ConfigException listing everything that is wrong
         */
        Loaded<GatewayConfig> parse(Path file, byte[] content) throws ConfigException;
    }

    /** @param atStart the content that the gateway starts with */
    ConfigSource(Path file, byte[] atStart, Parser parser) {
        this.file = file;
        this.atStart = atStart;
        this.parser = parser;
    }

    /**
     * The file, read now; null if there is none or it can't be read.
     *
     * @param parser of what is read
     */
    static @Nullable ConfigSource of(@Nullable Path file, Parser parser) {
        try {
            return file == null ? null : new ConfigSource(file, Files.readAllBytes(file), parser);
        } catch (IOException ignored) {
            return null;
        }
    }

    Path file() {
        return file;
    }

    /** The content that the gateway starts with. */
    byte[] atStart() {
        return atStart;
    }

    /**
     * Gives the configuration.
     *
     * @throws ConfigException listing everything that is wrong
     */
    Loaded<GatewayConfig> parse(byte[] content) throws ConfigException {
        return parser.parse(file, content);
    }
}
