/**
 * One node's registry of topics and subscriptions, sharded by event loop, and the way of messages to connections.
 *
 * <p>Almost everything here is confined to one event loop; {@link io.barrage.gateway.hub.HubShard}'s listener methods are the
 * crossing. It knows buffers and a {@link io.barrage.gateway.hub.Loop}, but no channel and no HTTP.
 */
@NullMarked
package io.barrage.gateway.hub;

import org.jspecify.annotations.NullMarked;
