package io.barrage.gateway.hub;

import io.barrage.protocol.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Which connections are asked for. Immutable.
 *
 * @param user only this user's; null for everybody's
 * @param topic only those on this topic; null for all
 * @param after only those behind this place of the order; null from the beginning
 * @param limit how many at most, from 1 on
 */
public record ConnectionQuery(
        @Nullable String user,
        @Nullable TopicName topic,
        ConnectionOrder order,
        @Nullable ConnectionPlace after,
        int limit) {}
