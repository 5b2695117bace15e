package io.barrage.gateway.broker;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Rate;
import io.barrage.gateway.config.Setting;
import io.barrage.protocol.Priority;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The rules of all topics whose names begin with {@code name:}. Immutable. */
public record NamespaceConfig(
        @Setting(
                doc = "The part of a topic's name before its first `:`; `default` for topics without one and for"
                        + " namespaces that aren't listed, `$user` for pushes to users.",
                pattern = NamespaceConfig.NAME_PATTERN)
        String name,

        @Setting(
                value = "anyone",
                doc = "Which clients may subscribe. `none`: topics are closed to clients, such as `$user`'s, where"
                        + " each user's connections are put by the gateway.")
        Who subscribe,

        @Setting(value = "none", doc = "Which clients may publish. Backends always may.")
        Who publish,

        @Setting(value = "normal", doc = "The highest priority that a client may publish with.")
        Priority maxClientPriority,

        @Setting(
                value = "counts",
                doc = "What subscribers are told of each other: `counts` is how many they are, in `subscribed` and,"
                        + " when it changes, at most once a second; `members` is also who they are, who comes and who goes;"
                        + " `off` is nothing.")
        PresenceMode presence,

        @Setting(doc = "How far `presence: members` goes.") MembersConfig members,

        @Setting(
                value = "none",
                doc =
                        "How many messages a viewer can be shown. What is over it is hidden from everybody but its sender:"
                                + " `low` first, then `normal`, evenly over senders. `high` and `critical` always pass, up to"
                                + " twice the budget; beyond that a publish is refused with 429. Set it where people read:"
                                + " nobody reads more than some tens of lines a second.")
        Rate budget,

        @Setting(
                value = "0s",
                max = "1m",
                doc = "At most one write to a connection in so long: what comes meanwhile goes with the next. The first"
                        + " message of a quiet topic still leaves at once. 50ms is a third of the CPU in a busy room,"
                        + " for some 25 ms of delay; 0s writes as soon as possible.")
        Duration coalesce,

        @Setting(
                value = "1s",
                max = "1m",
                doc = "What `coalesce` may widen to by itself when an event loop can't keep up.")
        Duration coalesceMax,

        @Setting(
                value = "500ms",
                min = "10ms",
                max = "1h",
                doc =
                        "How often at most a `value` (a publish with `key` and `merge`) is sent; the first one after a quiet"
                                + " while leaves at once.")
        Duration interval,

        @Setting(value = "none", doc = "Which clients may publish values, with `key` and `merge`. Backends always may.")
        Who publishValues,

        @Setting(
                doc =
                        "What holds here if the backend's hook fails that decides: `refuse` or `allow`. Without it, what the"
                                + " hook's own `onFailure` says.")
        @Nullable
        HookFailure onHookFailure,

        @Setting(
                value = "lossy",
                doc = "What becomes of a connection that falls off the topic log. `lossy`: it gets a `gap`, what the"
                        + " `high` and `critical` messages in it were, and goes on near the head. `reliable`: it is closed"
                        + " with 4408 and recovers; needs `history.size` of twice `log.size` and `history.ttl` of 2m.")
        Delivery delivery,

        @Setting(doc = "What is kept of each topic for those who come back, or come late.")
        HistoryConfig history,

        @Setting(doc = "How much of each topic is kept for connections that fall behind.")
        TopicLogConfig log,

        @Setting(doc = "How much one sender may publish.") SenderLimitsConfig limits)
        implements Checked {

    private static final Duration RELIABLE_TTL = Duration.ofMinutes(2);

    /** What is allowed in a topic's name before the colon. */
    private static final String NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._~=-]*|\\$user";

    private static final Pattern NAME = Pattern.compile(NAME_PATTERN);

    @Override
    public void check(Contradictions found) {
        if (!NAME.matcher(name).matches()) {
            found.add(
                    "expected a letter or digit, then letters, digits and . _ ~ = -, or $user; found \"" + name + '"',
                    "name");
        }
        if (coalesceMax.compareTo(coalesce) < 0) {
            found.add("must not be shorter than coalesce (" + coalesce.toMillis() + " ms)", "coalesceMax", "coalesce");
        }
        if (delivery == Delivery.RELIABLE) {
            if (history.size() < 2 * log.size()) {
                found.add(
                        "must be at least twice log.size (" + log.size()
                                + ") for `delivery: reliable`, so that whoever is"
                                + " closed with 4408 can recover; found " + history.size(),
                        "history.size",
                        "log.size",
                        "delivery");
            }
            if (history.ttl().compareTo(RELIABLE_TTL) < 0) {
                found.add(
                        "must be at least 2m for `delivery: reliable`, so that whoever is closed with 4408 can recover;"
                                + " found " + history.ttl().toSeconds() + "s",
                        "history.ttl",
                        "delivery");
            }
        }
    }
}
