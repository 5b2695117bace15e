package io.barrage.gateway;

import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Loaded;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * The part of a command line that is configuration: the file, and a flag for each key that is a word. Used by one thread at a
 * time.
 */
final class ConfigFlags {

    /** Read without being asked for. */
    static final String DEFAULT_FILE = "barrage.yaml";

    private final Map<String, String> environment;
    private final Path workingDirectory;

    @Option(
            names = "--config",
            paramLabel = "<file>",
            description = "The configuration file. Default: " + DEFAULT_FILE
                    + " in the working directory, if there is one; otherwise the development profile.")
    private @Nullable Path file;

    ConfigFlags(Map<String, String> environment, Path workingDirectory) {
        this.environment = environment;
        this.workingDirectory = workingDirectory;
    }

    /** Adds a flag for each key to the command that these belong to. */
    static void declare(CommandSpec command) {
        // Unknown flags are told together with everything else that is wrong, not by picocli alone.
        command.parser().unmatchedArgumentsAllowed(true);
        command.usageMessage()
                .customSynopsis(command.qualifiedName() + " [--config <file>] [--<key> <value>]...")
                .sortOptions(false);
        ConfigReader.of(GatewayConfig.class)
                .flagNames()
                .forEach((path, flag) -> command.addOption(OptionSpec.builder("--" + path)
                        .type(String.class)
                        .paramLabel("<value>")
                        .description(description(flag))
                        .build()));
    }

    private static String description(ConfigReader.Flag flag) {
        String form = flag.defaultValue().isEmpty() ? flag.label() : flag.label() + "; default " + flag.defaultValue();
        String sentence = flag.doc().replace("`", "") + " (" + form + ")";
        // Picocli takes descriptions for format strings.
        return sentence.replace("%", "%%");
    }

    /** The file that was asked for, else the one in the working directory; null if there is none. */
    @Nullable
    Path file() {
        if (file != null) {
            return workingDirectory.resolve(file);
        }
        Path found = workingDirectory.resolve(DEFAULT_FILE);
        return Files.exists(found) ? found : null;
    }

    /** Reads all sources. */
    Loaded<GatewayConfig> load(CommandSpec command) throws ConfigException {
        return load(command, GatewayConfig.reader(file(), environment));
    }

    /** Reads the given content of the file, and the variables and flags. */
    Loaded<GatewayConfig> load(CommandSpec command, Path path, byte[] content) throws ConfigException {
        return load(command, GatewayConfig.reader(path, content, environment));
    }

    private Loaded<GatewayConfig> load(CommandSpec command, ConfigReader<GatewayConfig> reader) throws ConfigException {
        Map<String, String> flags = new LinkedHashMap<>();
        for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
            String path = option.longestName().substring(2);
            if (reader.flagNames().containsKey(path)) {
                flags.put(path, option.getValue());
            }
        }
        reader.flags(flags);
        tellUnknown(reader, command);
        return reader.load();
    }

    private void tellUnknown(ConfigReader<GatewayConfig> reader, CommandSpec command) {
        Iterator<String> arguments =
                command.commandLine().getParseResult().unmatched().iterator();
        while (arguments.hasNext()) {
            String argument = arguments.next();
            if (!argument.startsWith("--")) {
                throw new ParameterException(command.commandLine(), "Unexpected argument: " + argument);
            }
            int equals = argument.indexOf('=');
            reader.unknownFlag(
                    argument.substring(2, equals < 0 ? argument.length() : equals), Set.of("config", "help"));
            if (equals < 0 && arguments.hasNext()) {
                // Most likely its value.
                arguments.next();
            }
        }
    }
}
