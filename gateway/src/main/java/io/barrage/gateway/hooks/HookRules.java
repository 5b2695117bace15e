package io.barrage.gateway.hooks;

import io.barrage.gateway.broker.HookFailure;
import io.barrage.gateway.hooks.EventsConfig.EventKind;
import java.net.URI;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a configuration says of the hooks, ready to be used. Immutable: a reload makes new ones. */
public final class HookRules {
    /** The rules of a gateway that neither asks nor tells. */
    public static final HookRules NONE = new HookRules();

    private final Map<HookKind, Target> targets = new EnumMap<>(HookKind.class);
    private final Map<HookKind, HookFailure> onFailure = new EnumMap<>(HookKind.class);
    private final Notify notify;

    /**
     * Where and how a hook is called. Immutable.
     *
     * @param maxInFlight calls that may wait for their answers
     */
    record Target(HookKind hook, URI uri, long timeoutNanos, int maxInFlight, WebhookSigner signer) {}

    /**
     * What is told, and how. Immutable.
     *
     * @param namespaces whose topics' events are told; null for all
     */
    record Notify(
            Set<EventKind> kinds, @Nullable Set<String> namespaces, long everyNanos, int batch, long graceNanos) {}

    private HookRules() {
        this.notify = new Notify(Set.of(), null, 0, 1, 0);
    }

    private HookRules(HooksConfig config) {
        WebhookSigner signer = WebhookSigner.of(Stream.of(config.secret(), config.secondSecret())
                .flatMap(Stream::ofNullable)
                .toList());
        put(HookKind.CONNECT, config.connect(), signer);
        put(HookKind.SUBSCRIBE, config.subscribe(), signer);
        put(HookKind.PUBLISH, config.publish(), signer);
        EventsConfig told = config.events();
        if (told.url() != null) {
            targets.put(
                    HookKind.EVENTS,
                    // One batch after the other: events keep their order.
                    new Target(
                            HookKind.EVENTS,
                            URI.create(told.url()),
                            told.timeout().toNanos(),
                            1,
                            signer));
        }
        this.notify = new Notify(
                told.kinds().isEmpty() ? EnumSet.allOf(EventKind.class) : EnumSet.copyOf(told.kinds()),
                told.namespaces().isEmpty() ? null : Set.copyOf(told.namespaces()),
                told.every().toNanos(),
                told.batch(),
                told.grace().toNanos());
    }

    private void put(HookKind hook, HookConfig config, WebhookSigner signer) {
        onFailure.put(hook, config.onFailure());
        if (config.url() != null) {
            targets.put(
                    hook,
                    new Target(
                            hook, URI.create(config.url()), config.timeout().toNanos(), config.maxInFlight(), signer));
        }
    }

    /** The rules of a configuration that was checked. */
    public static HookRules of(HooksConfig config) {
        return new HookRules(config);
    }

    /** Where a hook is called; null if it isn't. */
    @Nullable
    Target target(HookKind hook) {
        return targets.get(hook);
    }

    /** What holds if the hook fails. */
    HookFailure onFailure(HookKind hook) {
        return onFailure.getOrDefault(hook, HookFailure.REFUSE);
    }

    Notify notifications() {
        return notify;
    }
}
