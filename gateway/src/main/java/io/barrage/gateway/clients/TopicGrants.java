package io.barrage.gateway.clients;

import io.barrage.gateway.auth.Grant;
import io.barrage.protocol.TopicName;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What tokens for single topics grant one connection, besides its own: each until it ends, the connection leaves the topic, or
 * another takes its place.
 *
 * <p>Confined to the connection's event loop.
 */
final class TopicGrants {
    private final Map<TopicName, Kept> kept = new HashMap<>(2);

    private static final class Kept {
        private final Grant grant;
        /** When it ends, or when the time is over to bring another; null if it doesn't end. */
        private @Nullable Deadline deadline;

        Kept(Grant grant) {
            this.grant = grant;
        }

        void set(@Nullable Deadline next) {
            if (deadline != null) {
                deadline.cancel();
            }
            deadline = next;
        }
    }

    /** What was granted for a topic; null if nothing was. */
    @Nullable
    Grant of(TopicName topic) {
        Kept ofTopic = kept.get(topic);
        return ofTopic == null ? null : ofTopic.grant;
    }

    /**
     * Keeps what was granted for a topic, in place of what was before.
     *
     * @param end what is done when it ends; null if it doesn't
     */
    void keep(TopicName topic, Grant granted, @Nullable Deadline end) {
        forget(topic);
        Kept fresh = new Kept(granted);
        fresh.set(end);
        kept.put(topic, fresh);
    }

    /** Something is done about a topic's grant later, and not what was to be done before. */
    void set(TopicName topic, Deadline next) {
        Kept ofTopic = kept.get(topic);
        if (ofTopic == null) {
            next.cancel();
        } else {
            ofTopic.set(next);
        }
    }

    /** What was granted for a topic is gone. */
    void forget(TopicName topic) {
        Kept gone = kept.remove(topic);
        if (gone != null) {
            gone.set(null);
        }
    }

    /** The connection has ended: nothing happens any more. */
    void end() {
        kept.values().forEach(ofTopic -> ofTopic.set(null));
        kept.clear();
    }
}
