package io.barrage.gateway;

import io.barrage.gateway.auth.ApiKeyConfig;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.TokenAlgorithm;
import io.barrage.gateway.auth.TokenKeyConfig;
import io.barrage.gateway.backend.BackendConfig;
import io.barrage.gateway.broker.BrokerKind;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.clients.ClientsConfig;
import io.barrage.gateway.clients.DrainConfig;
import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.ConfigSchema;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import io.barrage.gateway.hooks.HookConfig;
import io.barrage.gateway.hooks.HooksConfig;
import io.barrage.gateway.http.LimitsConfig;
import io.barrage.gateway.hub.MemoryConfig;
import io.barrage.gateway.metrics.MetricsConfig;
import io.barrage.gateway.net.ServerConfig;
import io.barrage.protocol.TopicName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can be configured. Immutable.
 *
 * <p>What the rest of the gateway sees is the effective configuration: the constructor adds what a profile implies and the
 * namespace {@code default}, so that nobody else has to know these rules.
 */
public record GatewayConfig(
        @Setting(
                value = "production",
                doc =
                        "`development`: anyone may connect, under any name given by `?user=`, and publish to `demo:*` and"
                                + " `hot:*`; on `demo:*` everybody is told who else is there. The default is `development` without a config file and `production` with one.",
                restart = true)
        Profile profile,

        @Setting(doc = "The listener for clients.") ClientsConfig clients,

        @Setting(doc = "The listener for backends and operators.")
        BackendConfig backend,

        @Setting(
                word = "none",
                doc = "How clients prove who they are: `none` lets anyone connect, and the keys below say which tokens"
                        + " are good. Must be given outside the development profile, so that no forgotten key opens a"
                        + " door.")
        @Nullable
        AuthConfig auth,

        @Setting(
                value = "25s",
                min = "1s",
                max = "1h",
                doc = "A connection from which nothing came for so long is pinged. Keep it below the idle timeout of"
                        + " proxies on the way, often 60 s.")
        Duration heartbeat,

        @Setting(
                value = "10s",
                min = "1s",
                max = "1h",
                doc = "How long a pinged connection may stay silent, with no bytes moving, before it is closed with"
                        + " 4409.")
        Duration heartbeatTimeout,

        @Setting(
                value = "memory",
                doc = "What carries messages between nodes: `memory` is one node alone.",
                hint = "other brokers are not supported by this version",
                restart = true)
        BrokerKind broker,

        @Setting(
                doc = "Rules by namespace, the part of a topic's name before its first `:`. In the development"
                        + " profile there are `demo` with `publish: anyone`, `publishValues: anyone` and `presence: members`,"
                        + " and `hot` with `presence: counts` and a budget besides, unless they are listed.")
        List<NamespaceConfig> namespaces,

        @Setting(
                doc =
                        "What the backend is asked and told over HTTP: who may connect, subscribe, publish; what happened.")
        HooksConfig hooks,

        @Setting(doc = "How much one peer may ask for.") LimitsConfig limits,

        @Setting(doc = "How much memory messages may take.", restart = true)
        MemoryConfig memory,

        @Setting(doc = "Who may read the metrics.", restart = true)
        MetricsConfig metrics,

        @Setting(doc = "How a node that stops says goodbye.")
        DrainConfig drain,

        @Setting(doc = "The event loops under both listeners.", restart = true)
        ServerConfig server,

        @Setting(doc = "What is logged, and how.") LogConfig log)
        implements Checked {

    /** What the names of our variables begin with. */
    static final String VARIABLE_PREFIX = "BARRAGE_";

    /** An API key in clear text, for containers whose secrets come as variables. */
    static final String BACKEND_KEY_VARIABLE = "BARRAGE_BACKEND_KEY";

    /** The secret of HS256 tokens in clear text. */
    static final String AUTH_SECRET_VARIABLE = "BARRAGE_AUTH_SECRET";

    /** The default of {@code namespaces[].log.bytes}. */
    private static final long DEFAULT_LOG_BYTES = 1024 * 1024;

    /** More than an envelope can have: topic 200 bytes, sender 128, numbers and punctuation. */
    private static final long ENVELOPE_ROOM = 1024;

    public GatewayConfig {
        if (auth == null && profile == Profile.DEVELOPMENT) {
            auth = AuthConfig.NONE;
        }
        List<NamespaceConfig> effective = new ArrayList<>(namespaces);
        // Nobody wrote these, so nobody shall be told that their logs are too small.
        String keep = "log: {bytes: " + Math.max(DEFAULT_LOG_BYTES, leastLogBytes(limits)) + "}";
        addUnlessListed(effective, "{name: " + TopicName.DEFAULT_NAMESPACE + ", " + keep + "}");
        addUnlessListed(
                effective, "{name: " + TopicName.USER_NAMESPACE + ", subscribe: none, presence: off, " + keep + "}");
        if (profile == Profile.DEVELOPMENT) {
            addUnlessListed(
                    effective, "{name: demo, publish: anyone, publishValues: anyone, presence: members, " + keep + "}");
            addUnlessListed(
                    effective,
                    "{name: hot, publish: anyone, publishValues: anyone, maxClientPriority: critical, budget: 20/s,"
                            + " coalesce: 50ms, " + keep + "}");
        }
        namespaces = List.copyOf(effective);
    }

    private static void addUnlessListed(List<NamespaceConfig> namespaces, String yaml) {
        NamespaceConfig implied = ConfigReader.parse(NamespaceConfig.class, yaml);
        if (namespaces.stream().noneMatch(namespace -> namespace.name().equals(implied.name()))) {
            namespaces.add(implied);
        }
    }

    /** A topic log that holds only one message would lap every connection with each message. */
    private static long leastLogBytes(LimitsConfig limits) {
        return 2 * (limits.messageBytes().bytes() + ENVELOPE_ROOM);
    }

    /**
     * A reader that knows where the gateway's configuration comes from: the file, the variables, and whatever is added.
     *
     * @param file null if there is none, which means the development profile
     */
    static ConfigReader<GatewayConfig> reader(@Nullable Path file, Map<String, String> environment) {
        ConfigReader<GatewayConfig> reader = ConfigReader.of(GatewayConfig.class);
        if (file == null) {
            reader.fallback("profile", "development", "no config file");
        } else {
            reader.file(file);
        }
        return withVariables(reader, environment);
    }

    /**
     * As {@link #reader(Path, Map)}, for a file that was read already.
     *
     * @param content of the file
     */
    static ConfigReader<GatewayConfig> reader(Path file, byte[] content, Map<String, String> environment) {
        return withVariables(ConfigReader.of(GatewayConfig.class).file(file, content), environment);
    }

    private static ConfigReader<GatewayConfig> withVariables(
            ConfigReader<GatewayConfig> reader, Map<String, String> environment) {
        return reader.appendingVariable(BACKEND_KEY_VARIABLE, "backend.keys", GatewayConfig::keyFromVariable)
                .appendingVariable(AUTH_SECRET_VARIABLE, "auth.keys", GatewayConfig::secretFromVariable)
                .variables(VARIABLE_PREFIX, environment);
    }

    private static Map<String, List<String>> keyFromVariable(String key) {
        if (!ApiKeys.BEARER.matcher(key).matches()) {
            throw new IllegalArgumentException(
                    "expected an API key as it is sent: letters, digits and - . _ ~ + /, found something else (not shown)");
        }
        return Map.of(
                "name", List.of("env"),
                "hash", List.of(ApiKeys.hash(key)),
                "scopes", List.of("publish", "read", "control"));
    }

    private static Map<String, List<String>> secretFromVariable(String secret) {
        return Map.of(
                "kid", List.of(AuthConfig.VARIABLE_KID),
                "alg", List.of(TokenAlgorithm.HS256.toString()),
                "secret", List.of(secret));
    }

    /** A JSON Schema of the file. */
    static String schema() {
        Map<String, Object> development = new LinkedHashMap<>();
        development.put("properties", Map.of("profile", Map.of("const", "development")));
        development.put("required", List.of("profile"));
        Map<String, Object> unlessDevelopment = new LinkedHashMap<>();
        unlessDevelopment.put("if", development);
        unlessDevelopment.put("else", Map.of("required", List.of("auth")));
        return ConfigSchema.json(GatewayConfig.class, "Configuration of Barrage", unlessDevelopment);
    }

    /** The files that it names, whose content is part of it. */
    List<Path> files() {
        Stream<String> ofTokens =
                auth == null ? Stream.of() : auth.keys().stream().map(TokenKeyConfig::file);
        return Stream.concat(ofTokens, backend.keys().stream().map(ApiKeyConfig::file))
                .filter(Objects::nonNull)
                .map(Path::of)
                .toList();
    }

    @Override
    public AuthConfig auth() {
        return Objects.requireNonNull(auth, "auth is checked to be there before the configuration is handed out");
    }

    @Override
    public void check(Contradictions found) {
        if (auth == null) {
            found.add(
                    "missing; outside the development profile it must be said who may connect: `auth: none` lets anyone",
                    "auth");
        }
        checkNamespaces(found);
        if (memory.queue().bytes() < leastLogBytes(limits)) {
            found.add(
                    "must hold two messages of limits.messageBytes (" + limits.messageBytes() + ") and their envelopes",
                    "memory.queue",
                    "limits.messageBytes");
        }
        boolean sameHost =
                clients.host().equals(backend.host()) || isWildcard(clients.host()) || isWildcard(backend.host());
        if (clients.port() != 0 && clients.port() == backend.port() && sameHost) {
            found.add(
                    "both listeners can't have port " + backend.port(),
                    "backend.port",
                    "clients.port",
                    "clients.host",
                    "backend.host");
        }
    }

    private void checkNamespaces(Contradictions found) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < namespaces.size(); i++) {
            NamespaceConfig namespace = namespaces.get(i);
            String path = "namespaces[" + i + "]";
            checkReachable(found, namespace.subscribe(), path + ".subscribe");
            checkReachable(found, namespace.publish(), path + ".publish");
            checkReachable(found, namespace.publishValues(), path + ".publishValues");
            if (!names.add(namespace.name())) {
                found.add('"' + namespace.name() + "\" is listed twice", path + ".name");
            }
            checkHook(namespace.subscribe(), path + ".subscribe", "subscribe", hooks.subscribe(), found);
            checkHook(namespace.publish(), path + ".publish", "publish", hooks.publish(), found);
            checkHook(namespace.publishValues(), path + ".publishValues", "publish", hooks.publish(), found);
            ByteSize bytes = namespace.log().bytes();
            if (bytes.bytes() < leastLogBytes(limits)) {
                found.add(
                        "must be at least " + new ByteSize(leastLogBytes(limits)) + ": two messages of"
                                + " limits.messageBytes (" + limits.messageBytes() + ") and their envelopes; found "
                                + bytes,
                        path + ".log.bytes",
                        "limits.messageBytes");
            }
            if (bytes.compareTo(memory.log()) > 0) {
                found.add(
                        "must not be more than memory.log (" + memory.log() + "), which all topics share; found "
                                + bytes,
                        path + ".log.bytes",
                        "memory.log");
            }
        }
        checkNotifiedNamespaces(names, found);
    }

    private static void checkHook(Who rule, String rulePath, String hook, HookConfig config, Contradictions found) {
        if (rule == Who.HOOK && config.url() == null) {
            found.add("missing; " + rulePath + " is `hook`, which asks there", "hooks." + hook + ".url", rulePath);
        }
    }

    private void checkNotifiedNamespaces(Set<String> names, Contradictions found) {
        List<String> notified = hooks.events().namespaces();
        for (int i = 0; i < notified.size(); i++) {
            if (!names.contains(notified.get(i))) {
                found.add(
                        '"' + notified.get(i) + "\" is no namespace of this configuration",
                        "hooks.events.namespaces[" + i + "]",
                        "namespaces");
            }
        }
    }

    /** A rule that asks for a token where there are none. */
    private void checkReachable(Contradictions found, Who who, String path) {
        if (auth != null && auth.isNone() && (who == Who.AUTHENTICATED || who == Who.TOKEN)) {
            found.add(
                    "nobody could: `" + who.name().toLowerCase(Locale.ROOT)
                            + "` asks for a token, and with `auth: none` there are none",
                    path,
                    "auth");
        }
    }

    private static boolean isWildcard(String host) {
        return host.equals("0.0.0.0") || host.equals("::") || host.equals("[::]");
    }
}
