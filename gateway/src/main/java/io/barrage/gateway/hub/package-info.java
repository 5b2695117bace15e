/**
 * One node's registry of topics and subscriptions, and the fan-out to them, sharded by event loop.
 * Each shard is confined to its event loop; offers come from any thread.
 */
@NullMarked
package io.barrage.gateway.hub;

import org.jspecify.annotations.NullMarked;
