package io.barrage.gateway.broker;

import java.util.List;

/**
 * What has changed among a topic's users since it was told last. Immutable.
 *
 * @param left users whose last connection is gone for good
 * @param joined users whose first connection has come
 * @param truncated whether there are too many for that to be told: then both lists are empty until there are fewer
 */
public record MembersNews(List<String> left, List<String> joined, boolean truncated) {
    public MembersNews {
        left = List.copyOf(left);
        joined = List.copyOf(joined);
    }
}
