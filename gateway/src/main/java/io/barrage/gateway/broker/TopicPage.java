package io.barrage.gateway.broker;

import java.util.List;

/**
 * Some of a broker's topics, sorted by name. Immutable.
 *
 * @param more whether others follow
 */
public record TopicPage(List<TopicInfo> topics, boolean more) {
    public TopicPage {
        topics = List.copyOf(topics);
    }
}
