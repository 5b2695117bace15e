package io.barrage.gateway.hub;

/**
 * The bounds of one event loop's memory. Immutable.
 *
 * @param maxQueuedBytes of messages that wait for the loop; beyond it publishes are refused
 * @param maxLogBytes of topic logs; beyond it the connections that have been behind for longest are closed
 * @param maxPinnedBytes that logs have dropped and stalled sockets still hold; beyond it likewise
 */
public record HubMemory(long maxQueuedBytes, long maxLogBytes, long maxPinnedBytes) {}
