package io.barrage.gateway.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads one record from a file, then variables, then flags: a later source overrides an earlier one, key by key.
 * Confined to one thread.
 *
 * <pre>{@code
 * Loaded<GatewayConfig> loaded = ConfigReader.of(GatewayConfig.class)
 *         .file(Path.of("barrage.yaml"))
 *         .variables("BARRAGE_", System.getenv())
 *         .flags(Map.of("clients.port", "8080"))
 *         .load();
 * }</pre>
 */
public final class ConfigReader<T extends Record> {

    /**
     * What Kubernetes puts into every container for a service whose name begins with the prefix:
     * {@code BARRAGE_SERVICE_HOST}, {@code BARRAGE_PORT_8080_TCP_ADDR} and so on. Nobody wrote them, so they are no
     * mistakes.
     */
    private static final Pattern SERVICE_LINK_NAME =
            Pattern.compile("(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

    /** The value of a service link {@code BARRAGE_PORT} or {@code BARRAGE_CLIENTS_PORT}, which looks like a key of ours. */
    private static final Pattern SERVICE_LINK_VALUE = Pattern.compile("(tcp|udp|sctp)://.+:\\d+");

    private final Class<T> type;
    private final Schema schema;
    private final Map<String, Schema.Key> words;
    private final List<ConfigError> errors = new ArrayList<>();
    private final Map<String, List<Node.Value>> layers = new LinkedHashMap<>();
    private final Map<String, List<Node>> appended = new LinkedHashMap<>();
    private final Set<String> broken = new HashSet<>();
    private final Map<String, Appender> appenders = new LinkedHashMap<>();
    private Node.@Nullable Section file;
    private boolean fileUnusable;

    private record Appender(String path, Function<String, Map<String, List<String>>> element) {}

    private ConfigReader(Class<T> type) {
        this.type = type;
        this.schema = Schema.of(type);
        this.words = schema.words();
    }

    /** A reader that knows nothing but defaults yet. */
    public static <T extends Record> ConfigReader<T> of(Class<T> type) {
        return new ConfigReader<>(type);
    }

    /**
     * A record from a piece of YAML, defaults for the rest; for tests and for embedding.
     *
     * @throws IllegalArgumentException listing everything that is wrong
     */
    public static <T extends Record> T parse(Class<T> type, String yaml) {
        try {
            return of(type).yaml("yaml", yaml).load().value();
        } catch (ConfigException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Replaces a default, for a reason that is told where the value's source is told. */
    public ConfigReader<T> fallback(String path, String value, String reason) {
        if (!words.containsKey(path)) {
            throw new IllegalArgumentException("no such key: " + path);
        }
        layer(path, Place.fallback(reason), value);
        return this;
    }

    /** Reads the file now; what is wrong with it is told by {@link #load}. */
    public ConfigReader<T> file(Path path) {
        try {
            return file(path, Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            unusableFile(path, "no such file");
        } catch (IOException e) {
            unusableFile(path, "can't be read: " + e);
        }
        return this;
    }

    /** A file whose content was read already, whatever is in the file by now. */
    public ConfigReader<T> file(Path path, byte[] content) {
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content));
            return yaml(path.toString(), text.toString());
        } catch (CharacterCodingException e) {
            unusableFile(path, "not UTF-8 text");
        }
        return this;
    }

    private void unusableFile(Path path, String message) {
        errors.add(new ConfigError(Place.file(path.toString(), 0, 0), "", message));
        fileUnusable = true;
    }

    /** A file that was read already. */
    public ConfigReader<T> yaml(String name, String text) {
        file = YamlReader.read(name, text, errors);
        fileUnusable = file == null;
        return this;
    }

    /**
     * A variable that adds one record to a list; call before {@link #variables}.
     *
     * @param variable its whole name
     * @param path the list
     * @param element makes the record's words out of the variable's value; throws {@code IllegalArgumentException},
     *     without the value in its message, for one that can't be used
     */
    public ConfigReader<T> appendingVariable(
            String variable, String path, Function<String, Map<String, List<String>>> element) {
        appenders.put(variable, new Appender(path, element));
        return this;
    }

    /**
     * Overrides by those variables whose names begin with the prefix; an empty one counts as absent, since that is how
     * compose files pass on what isn't set.
     */
    public ConfigReader<T> variables(String prefix, Map<String, String> environment) {
        Map<String, String> paths = variableNames(prefix);
        new TreeMap<>(environment).forEach((name, value) -> {
            if (!name.startsWith(prefix) || value.isEmpty() || isServiceLink(name.substring(prefix.length()), value)) {
                return;
            }
            Place place = Place.variable(name);
            Appender appender = appenders.get(name);
            String path = paths.get(name);
            if (appender != null) {
                append(appender, place, value);
            } else if (path == null) {
                errors.add(new ConfigError(place, "", "unknown variable" + suggestVariable(prefix, name, paths)));
            } else if (words.containsKey(path)) {
                layer(path, place, value);
            } else {
                errors.add(new ConfigError(place, path, "lists are set in the file only"));
            }
        });
        return this;
    }

    /** Overrides by flags: path to value, without the leading dashes. */
    public ConfigReader<T> flags(Map<String, String> flags) {
        flags.forEach((path, value) -> {
            if (words.containsKey(path)) {
                layer(path, Place.flag(path), value);
            } else {
                unknownFlag(path, Set.of());
            }
        });
        return this;
    }

    /**
     * Notes a flag that nobody knows, to be told by {@link #load} with everything else.
     *
     * @param others further flags that the command knows, as candidates for what was meant
     */
    public ConfigReader<T> unknownFlag(String path, Set<String> others) {
        Schema.Key list = listAt(path);
        if (list != null) {
            errors.add(new ConfigError(Place.flag(path), "", "lists are set in the file only"));
            return this;
        }
        List<String> candidates = new ArrayList<>(words.keySet());
        candidates.addAll(others);
        String suggestion = Suggestions.of(
                Nearest.paths(path, candidates).stream().map(p -> "--" + p).toList());
        errors.add(new ConfigError(Place.flag(path), "", "unknown flag" + suggestion));
        return this;
    }

    /** The keys that a flag can set: path to what {@code --help} says about it. */
    public Map<String, Flag> flagNames() {
        Map<String, Flag> flags = new TreeMap<>();
        words.forEach((path, key) -> {
            Scalar scalar = Objects.requireNonNull(key.word(), path);
            flags.put(
                    path,
                    new Flag(
                            scalar.label().replace("`", ""),
                            key.setting().doc(),
                            key.setting().value()));
        });
        return flags;
    }

    /**
     * A key as a flag.
     *
     * @param label its type
     * @param doc its meaning
     * @param defaultValue as written in a file; empty if there is none
     */
    public record Flag(String label, String doc, String defaultValue) {}

    /**
     * Fills the record.
     *
     * @throws ConfigException with everything that is wrong, in all sources
     */
    public Loaded<T> load() throws ConfigException {
        Binder binder = new Binder(layers, appended, broken);
        Object value = binder.bind(schema, file);
        List<ConfigError> all = new ArrayList<>(errors);
        all.addAll(binder.errors());
        if (fileUnusable) {
            // Whatever is missing or contradicts itself may well stand in the part that couldn't be read.
            all.removeAll(binder.consequences());
        }
        if (!all.isEmpty() || value == null) {
            all.sort(Comparator.comparing(ConfigError::place, Comparator.nullsFirst(Place.READING_ORDER)));
            throw new ConfigException(all.stream().map(ConfigError::toString).toList());
        }
        return new Loaded<>(type.cast(value), schema, binder.origins());
    }

    private void layer(String path, Place place, String value) {
        layers.computeIfAbsent(path, absent -> new ArrayList<>()).add(new Node.Value(place, value));
    }

    private void append(Appender appender, Place place, String value) {
        Map<String, Node.Entry> entries = new LinkedHashMap<>();
        try {
            appender.element.apply(value).forEach((key, texts) -> {
                List<Node> items = texts.stream()
                        .<Node>map(text -> new Node.Value(place, text))
                        .toList();
                boolean list = isList(appender.path + "[]." + key);
                entries.put(key, new Node.Entry(place, list ? new Node.Items(place, items) : items.get(0)));
            });
        } catch (IllegalArgumentException e) {
            errors.add(new ConfigError(place, "", String.valueOf(e.getMessage())));
            broken.add(appender.path);
            return;
        }
        appended.computeIfAbsent(appender.path, absent -> new ArrayList<>()).add(new Node.Section(place, entries));
    }

    private boolean isList(String path) {
        return listAt(path) != null;
    }

    private Schema.@Nullable Key listAt(String wanted) {
        Map<String, Schema.Key> lists = new TreeMap<>();
        schema.forEach((path, key) -> {
            if (key.shape() instanceof Schema.Many) {
                lists.put(path, key);
            }
        });
        return lists.get(wanted);
    }

    /** Every variable that names a word or a list, with its path. */
    private Map<String, String> variableNames(String prefix) {
        Map<String, String> names = new TreeMap<>();
        schema.forEach((path, key) -> {
            if (!path.contains("[]") && (key.word() != null || key.shape() instanceof Schema.Many)) {
                String other = names.put(Schema.variable(prefix, path), path);
                if (other != null) {
                    throw new IllegalStateException(path + " and " + other + " have the same variable");
                }
            }
        });
        return names;
    }

    private String suggestVariable(String prefix, String unknown, Map<String, String> paths) {
        List<String> candidates = new ArrayList<>();
        for (String name : paths.keySet()) {
            if (words.containsKey(paths.get(name))) {
                candidates.add(name.substring(prefix.length()));
            }
        }
        for (String name : appenders.keySet()) {
            candidates.add(name.substring(prefix.length()));
        }
        return Suggestions.of(Nearest.names(unknown.substring(prefix.length()), candidates).stream()
                .map(name -> prefix + name)
                .toList());
    }

    private static boolean isServiceLink(String name, String value) {
        return SERVICE_LINK_NAME.matcher(name).matches()
                || ((name.equals("PORT") || name.endsWith("_PORT"))
                        && SERVICE_LINK_VALUE.matcher(value).matches());
    }
}
