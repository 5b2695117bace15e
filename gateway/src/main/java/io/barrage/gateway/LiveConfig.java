package io.barrage.gateway;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.broker.Delivery;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.broker.PresenceMode;
import io.barrage.gateway.clients.ClientRules;
import io.barrage.gateway.hooks.HookRules;
import io.barrage.gateway.hub.TopicRules;
import io.barrage.protocol.TopicName;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The configuration in effect, and what the gateway's parts have made of it, for those who ask with each use. Thread-safe: a reload
 * replaces all of it at once.
 */
final class LiveConfig {
    private final Function<GatewayConfig, ClientRules> clientRules;
    private volatile Parts parts;

    private record Parts(
            GatewayConfig config,
            Namespaces namespaces,
            Map<String, TopicRules> topicRules,
            ClientRules clientRules,
            ApiKeys keys,
            TokenVerifier tokens,
            HookRules hookRules) {}

    /** @param clientRules what the clients' door must know of a configuration */
    LiveConfig(GatewayConfig config, Function<GatewayConfig, ClientRules> clientRules) {
        this.clientRules = clientRules;
        this.parts = parts(config, null);
    }

    private Parts parts(GatewayConfig config, @Nullable TokenVerifier before) {
        Namespaces namespaces = new Namespaces(config.namespaces());
        Map<String, TopicRules> topicRules = new LinkedHashMap<>();
        config.namespaces().forEach(namespace -> topicRules.put(namespace.name(), topicRules(namespace)));
        ClientRules forClients = clientRules.apply(config);
        ApiKeys keys = ApiKeys.of(config.backend().keys());
        HookRules hookRules = HookRules.of(config.hooks());
        // Last: it begins to fetch keys, and nothing behind it can fail.
        TokenVerifier tokens = before == null ? TokenVerifier.of(config.auth()) : before.with(config.auth());
        return new Parts(config, namespaces, topicRules, forClients, keys, tokens, hookRules);
    }

    private static TopicRules topicRules(NamespaceConfig namespace) {
        return new TopicRules(
                namespace.name(),
                namespace.log().size(),
                (int) namespace.log().bytes().bytes(),
                namespace.presence() != PresenceMode.OFF,
                namespace.coalesce().toNanos(),
                namespace.coalesceMax().toNanos(),
                namespace.delivery() == Delivery.RELIABLE);
    }

    /**
     * Puts another configuration into effect for all that ask from now on.
     *
     * @throws IllegalArgumentException with a sentence if a file that it names can't be read; then nothing has changed
     */
    void replace(GatewayConfig config) {
        TokenVerifier before = parts.tokens;
        Parts fresh = parts(config, before);
        parts = fresh;
        before.closeFor(fresh.tokens);
    }

    GatewayConfig config() {
        return parts.config;
    }

    Namespaces namespaces() {
        return parts.namespaces;
    }

    /** The rules of a topic. */
    NamespaceConfig namespaceOf(TopicName topic) {
        return parts.namespaces.of(topic);
    }

    /** What the hub must know of a topic. */
    TopicRules topicRules(TopicName topic) {
        Parts now = parts;
        String namespace = now.namespaces.of(topic).name();
        return Objects.requireNonNull(now.topicRules.get(namespace), namespace);
    }

    ClientRules clientRules() {
        return parts.clientRules;
    }

    TokenVerifier tokens() {
        return parts.tokens;
    }

    HookRules hookRules() {
        return parts.hookRules;
    }

    ApiKeys keys() {
        return parts.keys;
    }
}
