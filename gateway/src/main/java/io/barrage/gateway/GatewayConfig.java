package io.barrage.gateway;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.AuthMode;
import io.barrage.gateway.backend.BackendConfig;
import io.barrage.gateway.broker.BrokerKind;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.clients.ClientsConfig;
import io.barrage.gateway.clients.DrainConfig;
import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import io.barrage.gateway.http.LimitsConfig;
import io.barrage.gateway.hub.MemoryConfig;
import io.barrage.gateway.metrics.MetricsConfig;
import io.barrage.gateway.net.ServerConfig;
import io.barrage.protocol.TopicName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
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
                doc = "`development`: anyone may connect, under any name given by `?user=`, and publish to `demo:*` and"
                        + " `hot:*`."
                        + " The default is `development` without a config file and `production` with one.")
        Profile profile,

        @Setting(doc = "The listener for clients.") ClientsConfig clients,

        @Setting(doc = "The listener for backends and operators.")
        BackendConfig backend,

        @Setting(
                doc = "How clients prove who they are: `none` lets anyone connect. Must be given outside the"
                        + " development profile, so that no forgotten key opens a door. Tokens are not supported by"
                        + " this version.",
                hint = "tokens are not supported by this version")
        @Nullable
        AuthMode auth,

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
                hint = "other brokers are not supported by this version")
        BrokerKind broker,

        @Setting(
                doc = "Rules by namespace, the part of a topic's name before its first `:`. In the development"
                        + " profile there are `demo` with `publish: anyone`, and `hot`, the same with a budget, unless they are"
                        + " listed.")
        List<NamespaceConfig> namespaces,

        @Setting(doc = "How much one peer may ask for.") LimitsConfig limits,
        @Setting(doc = "How much memory messages may take.") MemoryConfig memory,
        @Setting(doc = "Who may read the metrics.") MetricsConfig metrics,

        @Setting(doc = "How a node that stops says goodbye.")
        DrainConfig drain,

        @Setting(doc = "The event loops under both listeners.")
        ServerConfig server,

        @Setting(doc = "What is logged, and how.") LogConfig log)
        implements Checked {

    /** What the names of our variables begin with. */
    static final String VARIABLE_PREFIX = "BARRAGE_";

    /** An API key in clear text, for containers whose secrets come as variables. */
    static final String BACKEND_KEY_VARIABLE = "BARRAGE_BACKEND_KEY";

    /** The default of {@code namespaces[].log.bytes}. */
    private static final long DEFAULT_LOG_BYTES = 1024 * 1024;

    /** More than an envelope can have: topic 200 bytes, sender 128, numbers and punctuation. */
    private static final long ENVELOPE_ROOM = 1024;

    /** What a client can send as a bearer token at all. */
    private static final Pattern BEARER = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

    public GatewayConfig {
        if (auth == null && profile == Profile.DEVELOPMENT) {
            auth = AuthMode.NONE;
        }
        List<NamespaceConfig> effective = new ArrayList<>(namespaces);
        // Nobody wrote these, so nobody shall be told that their logs are too small.
        String keep = "log: {bytes: " + Math.max(DEFAULT_LOG_BYTES, leastLogBytes(limits)) + "}";
        addUnlessListed(effective, "{name: " + TopicName.DEFAULT_NAMESPACE + ", " + keep + "}");
        addUnlessListed(
                effective, "{name: " + TopicName.USER_NAMESPACE + ", subscribe: none, presence: off, " + keep + "}");
        if (profile == Profile.DEVELOPMENT) {
            addUnlessListed(effective, "{name: demo, publish: anyone, publishValues: anyone, " + keep + "}");
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
        return reader.appendingVariable(BACKEND_KEY_VARIABLE, "backend.keys", GatewayConfig::keyFromVariable)
                .variables(VARIABLE_PREFIX, environment);
    }

    private static Map<String, List<String>> keyFromVariable(String key) {
        if (!BEARER.matcher(key).matches()) {
            throw new IllegalArgumentException(
                    "expected an API key as it is sent: letters, digits and - . _ ~ + /, found something else (not shown)");
        }
        return Map.of(
                "name", List.of("env"),
                "hash", List.of(ApiKeys.hash(key)),
                "scopes", List.of("publish", "read", "control"));
    }

    @Override
    public AuthMode auth() {
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
            if (!names.add(namespace.name())) {
                found.add('"' + namespace.name() + "\" is listed twice", path + ".name");
            }
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
    }

    private static boolean isWildcard(String host) {
        return host.equals("0.0.0.0") || host.equals("::") || host.equals("[::]");
    }
}
