package io.barrage.gateway.hooks;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the backend is told of what has happened. Immutable. */
public record EventsConfig(
        @Setting(doc = "Where it is told.") @Nullable String url,

        @Setting(value = "5s", min = "10ms", max = "1m", doc = "How long the answer may take.")
        Duration timeout,

        @Setting(
                doc =
                        "What is told: `disconnect`, when a connection ends; `occupied` and `vacated`, when a topic gets its"
                                + " first subscription on this node and has lost its last. Without any: all three.")
        List<EventKind> kinds,

        @Setting(
                doc = "Namespaces of whose topics `occupied` and `vacated` are told. Without any: all. Never of users'"
                        + " own topics.")
        List<String> namespaces,

        @Setting(
                value = "500ms",
                min = "10ms",
                max = "1m",
                doc = "How long events are collected before they are sent together, unless `batch` is reached earlier.")
        Duration every,

        @Setting(value = "100", min = "1", max = "1000", doc = "Most events of one call.")
        int batch,

        @Setting(
                value = "1s",
                max = "10m",
                doc =
                        "How long a topic must have been without subscriptions before `vacated` is told: within it, a reloaded"
                                + " page makes no noise.")
        Duration grace)
        implements Checked {

    /** What can be told. */
    public enum EventKind {
        /** A connection has ended. */
        DISCONNECT,
        /** A topic has its first subscription. */
        OCCUPIED,
        /** A topic has lost its last subscription. */
        VACATED
    }

    public EventsConfig {
        kinds = List.copyOf(kinds);
        namespaces = List.copyOf(namespaces);
    }

    @Override
    public void check(Contradictions found) {
        HookConfig.checkUrl(url, found);
    }
}
