package io.barrage.gateway.broker;

import io.barrage.protocol.TopicName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds a topic's rules. Immutable. */
public final class Namespaces {
    private final Map<String, NamespaceConfig> byName = new LinkedHashMap<>();
    private final NamespaceConfig others;

    /** @param configs with one for {@link TopicName#DEFAULT_NAMESPACE} among them */
    public Namespaces(List<NamespaceConfig> configs) {
        configs.forEach(config -> byName.put(config.name(), config));
        NamespaceConfig found = byName.get(TopicName.DEFAULT_NAMESPACE);
        if (found == null) {
            throw new IllegalArgumentException("no namespace '" + TopicName.DEFAULT_NAMESPACE + "' among " + configs);
        }
        this.others = found;
    }

    /** The rules of a topic: its namespace's, or those of the default one. */
    public NamespaceConfig of(TopicName topic) {
        @Nullable NamespaceConfig found = byName.get(topic.namespace());
        return found == null ? others : found;
    }

    /** All names that {@link #of} can lead to. */
    public Set<String> names() {
        return byName.keySet();
    }
}
