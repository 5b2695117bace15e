package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.gateway.broker.HookFailure;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.Loaded;
import io.barrage.gateway.config.Reloaded;
import io.barrage.protocol.TopicName;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the configuration anew when its file changes, or when asked to, and has the gateway go on with it; keeps the old one if
 * anything is wrong with the new one.
 *
 * <p>The file is read again and again instead of watched: however it is replaced, written in place, renamed over or reached through
 * a symbolic link that is swapped (Kubernetes), its content tells. A content counts when it was found twice, so that one who is in
 * the middle of writing isn't taken at half his word.
 *
 * <p>Thread-safe. Everything happens on a thread of its own, since names may have to be resolved.
 */
final class Reload implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Reload.class);

    private static final long LOOK_MILLIS = 500;

    private final ConfigSource source;
    private final Path file;
    private final Gateway gateway;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("barrage-reload", true));

    // on the thread
    /** The file's content that is in effect. */
    private byte[] inEffect;
    /** What was tried last, whatever became of it. */
    private Found tried;
    /** What the last look found, if it wasn't that. */
    private @Nullable Found found;

    private int failedLooks;

    /**
     * What was in the files at one look: the configuration, and a digest of it and of those that it names, or of what is wrong
     * with it. Immutable.
     */
    @SuppressWarnings("ArrayRecordComponent") // Compared by the digest alone.
    private record Found(String digest, byte[] content) {}

    private Reload(ConfigSource source, Gateway gateway) {
        this.source = source;
        this.file = source.file();
        this.gateway = gateway;
        this.inEffect = source.atStart();
        this.tried = found(inEffect);
    }

    /** Begins to look at the file that the gateway was started with. */
    static Reload start(ConfigSource source, Gateway gateway) {
        Reload reload = new Reload(source, gateway);
        reload.thread.scheduleWithFixedDelay(reload::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return reload;
    }

    /** Reads the files now, whether or not they have changed; returns at once. */
    void request() {
        try {
            thread.execute(() -> {
                try {
                    attempt(found(Files.readAllBytes(file)));
                } catch (IOException e) {
                    refuse(List.of(file + ": can't be read: " + e));
                }
            });
        } catch (RejectedExecutionException ignored) {
            // The process is about to end.
        }
    }

    private void look() {
        Found now;
        try {
            now = found(Files.readAllBytes(file));
            failedLooks = 0;
        } catch (IOException e) {
            failedLooks++;
            // Between two names of a file there may be none for a moment.
            if (failedLooks == 2) {
                log.warn("The configuration file can't be read; the gateway goes on as it is. cause={}", e.toString());
            }
            return;
        }
        if (now.digest.equals(tried.digest)) {
            found = null;
        } else if (found != null && now.digest.equals(found.digest)) {
            attempt(now);
        } else {
            found = now;
        }
    }

    private Found found(byte[] content) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(content);
            try {
                // Parsing on each look would be too much, and what is in effect has been parsed.
                boolean known = Arrays.equals(content, inEffect);
                for (Path named :
                        (known ? gateway.config() : source.parse(content).value()).files()) {
                    digest.update((byte) 0);
                    digest.update(Files.isReadable(named) ? Files.readAllBytes(named) : new byte[0]);
                }
            } catch (ConfigException wrong) {
                // Which files it names isn't known. If it is for one of them, what is wrong changes with the file.
                digest.update(String.join("\n", wrong.errors()).getBytes(UTF_8));
            } catch (RuntimeException bug) {
                // It is told by the attempt that follows.
                digest.update(bug.toString().getBytes(UTF_8));
            }
            return new Found(HexFormat.of().formatHex(digest.digest()), content);
        } catch (IOException e) {
            // Whatever it is, the next look finds something else.
            return new Found(e.toString(), content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private void attempt(Found now) {
        found = null;
        tried = now;
        try {
            GatewayConfig old = gateway.config();
            Loaded<GatewayConfig> loaded = source.parse(now.content);
            GatewayConfig fresh = loaded.value();
            List<String> doors = openedDoors(old, loaded);
            if (!doors.isEmpty()) {
                refuse(doors.stream()
                        .map(door ->
                                file + ": " + door + "; a reload opens no door: if it is meant, restart the gateway")
                        .toList());
                return;
            }
            Reloaded<GatewayConfig> reloaded = Reloaded.of(GatewayConfig.class, old, fresh);
            gateway.reconfigure(reloaded.value());
            inEffect = now.content;
            if (!reloaded.needRestart().isEmpty()) {
                log.warn(
                        "Some changes of the configuration need a restart; until then the old values stay. keys={}",
                        String.join(",", reloaded.needRestart()));
            }
            log.info(
                    "The configuration was read anew. file={} changed={}",
                    file,
                    reloaded.changed().isEmpty() ? "none" : String.join(",", reloaded.changed()));
            List<String> removed =
                    removed(old, fresh).stream().map(NamespaceConfig::name).toList();
            if (!removed.isEmpty()) {
                log.info(
                        "The topics of namespaces that are gone follow the rules of 'default'. namespaces={}",
                        String.join(",", removed));
            }
        } catch (ConfigException wrong) {
            refuse(wrong.errors());
        } catch (IllegalArgumentException unreadable) {
            refuse(List.of(file + ": " + unreadable.getMessage()));
        } catch (RuntimeException e) {
            if (gateway.isClosed()) {
                return;
            }
            gateway.reloadRefused();
            log.error("The configuration couldn't be read anew, by a bug of ours; the gateway goes on as it is.", e);
        }
    }

    /** What would be open that wasn't, in words; so that no slip in a file opens a running gateway. */
    static List<String> openedDoors(GatewayConfig old, Loaded<GatewayConfig> loaded) {
        GatewayConfig fresh = loaded.value();
        List<String> doors = new ArrayList<>();
        if (old.profile() == Profile.PRODUCTION && fresh.profile() == Profile.DEVELOPMENT) {
            doors.add("profile: development lets anyone in under any name, production didn't");
        }
        if (!old.auth().isNone() && fresh.auth().isNone()) {
            doors.add("auth: none lets anyone connect, who had to prove who they are");
        } else if (!old.auth().anonymous() && fresh.auth().anonymous()) {
            doors.add("auth.anonymous: clients without a token may connect, who couldn't");
        }
        if (old.auth().issuer() != null && fresh.auth().issuer() == null) {
            doors.add("auth.issuer: without it the tokens of any issuer are taken");
        }
        if (!old.auth().audience().isEmpty() && fresh.auth().audience().isEmpty()) {
            doors.add("auth.audience: without it the tokens that name no audience are taken");
        }
        if (!old.backend().keys().isEmpty() && fresh.backend().keys().isEmpty()) {
            doors.add("backend.keys: without any key, whoever reaches the backend's listener may publish and control");
        }
        if (old.hooks().connect().url() != null && fresh.hooks().connect().url() == null) {
            doors.add("hooks.connect.url: without it the backend isn't asked any more who may connect");
        } else if (old.hooks().connect().url() != null
                && old.hooks().connect().onFailure() == HookFailure.REFUSE
                && fresh.hooks().connect().onFailure() == HookFailure.ALLOW) {
            doors.add(
                    "hooks.connect.onFailure: allow lets in whom the backend would have refused, whenever it is down");
        }
        Set<String> listed = listed(loaded);
        old.namespaces().stream()
                .filter(namespace -> !listed.contains(namespace.name()))
                .forEach(unlisted -> openedByRemoval(unlisted, fresh, doors));
        return doors;
    }

    private static List<NamespaceConfig> removed(GatewayConfig old, GatewayConfig fresh) {
        return old.namespaces().stream()
                .filter(namespace -> find(namespace.name(), fresh).isEmpty())
                .toList();
    }

    /** The namespaces that somebody wrote down, without those that are there all the same. */
    private static Set<String> listed(Loaded<GatewayConfig> loaded) {
        List<NamespaceConfig> effective = loaded.value().namespaces();
        return IntStream.range(0, effective.size())
                .filter(i -> loaded.isWritten("namespaces[" + i + "]"))
                .mapToObj(i -> effective.get(i).name())
                .collect(Collectors.toSet());
    }

    /** To widen what a namespace allows is what reloads are for; but who removes one, or mistypes its name, hasn't asked for it. */
    private static void openedByRemoval(NamespaceConfig gone, GatewayConfig fresh, List<String> doors) {
        NamespaceConfig others = find(gone.name(), fresh)
                .or(() -> find(TopicName.DEFAULT_NAMESPACE, fresh))
                .orElseThrow();
        List<String> wider = new ArrayList<>();
        addIfWider("subscribe", gone.subscribe(), others.subscribe(), wider);
        addIfWider("publish", gone.publish(), others.publish(), wider);
        addIfWider("publishValues", gone.publishValues(), others.publishValues(), wider);
        if (!wider.isEmpty()) {
            String rules = others.name().equals(gone.name())
                    ? "'" + gone.name() + "' isn't listed any more and allows more then: "
                    : "without '" + gone.name() + "' its topics follow '" + others.name() + "', which allows more: ";
            doors.add("namespaces: " + rules + String.join(", ", wider));
        }
    }

    private static Optional<NamespaceConfig> find(String name, GatewayConfig config) {
        return config.namespaces().stream()
                .filter(namespace -> namespace.name().equals(name))
                .findFirst();
    }

    private static void addIfWider(String what, Who before, Who now, List<String> wider) {
        if (!now.isWithin(before)) {
            wider.add(what + " was " + before.name().toLowerCase(Locale.ROOT) + " and would be "
                    + now.name().toLowerCase(Locale.ROOT));
        }
    }

    private void refuse(List<String> mistakes) {
        mistakes.forEach(mistake -> log.warn("The configuration is wrong: {}", mistake));
        log.warn("The gateway goes on with the configuration that it has. file={} mistakes={}", file, mistakes.size());
        gateway.reloadRefused();
    }

    /** Looks no more; what is under way ends first. */
    @Override
    public void close() {
        thread.shutdown();
    }
}
