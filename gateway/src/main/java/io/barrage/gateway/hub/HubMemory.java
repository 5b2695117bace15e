package io.barrage.gateway.hub;

/**
 * The bounds of one event loop's memory. Immutable.
 *
 * @param maxQueuedBytes of messages that wait for the loop; beyond it publishes are refused
 * @param maxLogBytes of topic logs; beyond it those are dropped that the connections which have been stalled for longest have
 *     still to read, and they read on from the broker's tail
 * @param maxPinnedBytes that no log has and stalled sockets still hold; beyond it those connections are closed that have held
 *     some for longest
 */
public record HubMemory(long maxQueuedBytes, long maxLogBytes, long maxPinnedBytes) {}
