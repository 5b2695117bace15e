package io.barrage.gateway.auth;

import io.barrage.protocol.TopicName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who a connection is, and what it was given to do: by a token, by the backend's hook, or by nobody. Immutable.
 *
 * @param user its name; null if it has none
 * @param authenticated whether a token or the backend vouches for it
 * @param expires when that ends, in seconds since 1970; 0 for never
 * @param info what others may be told of it, as one JSON value; null for nothing
 * @param subscribe topics that it may subscribe to where the rule is {@code token}
 * @param publish topics that it may publish to where the rule is {@code token}
 * @param join topics that it is on from the start
 * @param byBackend what of all this the backend said
 */
public record Grant(
        @Nullable String user,
        boolean authenticated,
        long expires,
        @Nullable String info,
        TopicPatterns subscribe,
        TopicPatterns publish,
        List<TopicName> join,
        Additions byBackend) {

    /**
     * What the backend says beside a token. Immutable.
     *
     * <p>Each is null where it says nothing.
     */
    public record Additions(
            @Nullable String user,
            @Nullable String info,
            @Nullable TopicPatterns subscribe,
            @Nullable TopicPatterns publish,
            @Nullable List<TopicName> join) {

        static final Additions NONE = new Additions(null, null, null, null, null);

        public Additions {
            join = join == null ? null : List.copyOf(join);
        }
    }

    /** Nobody vouches for it, and it has no name. */
    public static final Grant ANONYMOUS = unproved(null);

    public Grant {
        join = List.copyOf(join);
    }

    /** One of which the backend said nothing. */
    public Grant(
            @Nullable String user,
            boolean authenticated,
            long expires,
            @Nullable String info,
            TopicPatterns subscribe,
            TopicPatterns publish,
            List<TopicName> join) {
        this(user, authenticated, expires, info, subscribe, publish, join, Additions.NONE);
    }

    /** This one with what the backend says: that counts where it says something. */
    public Grant with(Additions more, long newExpires) {
        return new Grant(
                more.user == null ? user : more.user,
                more.user != null || authenticated,
                newExpires,
                more.info == null ? info : more.info,
                more.subscribe == null ? subscribe : more.subscribe,
                more.publish == null ? publish : more.publish,
                more.join == null ? join : more.join,
                more);
    }

    /** One that only says who it is. */
    public static Grant unproved(@Nullable String user) {
        return new Grant(user, false, 0, null, TopicPatterns.NONE, TopicPatterns.NONE, List.of());
    }
}
