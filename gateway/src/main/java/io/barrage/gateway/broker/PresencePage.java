package io.barrage.gateway.broker;

import io.barrage.protocol.ServerFrame.Member;
import java.util.List;

/**
 * Who is on a topic, or a part of that. Immutable.
 *
 * @param mode what of this may be told
 * @param online subscriptions
 * @param users different users, those who may still be back among them; 0 where they aren't counted
 * @param members in the order of their names; empty where they aren't known
 * @param more whether there are others behind the last
 */
public record PresencePage(PresenceMode mode, int online, int users, List<Member> members, boolean more) {
    public PresencePage {
        members = List.copyOf(members);
    }
}
