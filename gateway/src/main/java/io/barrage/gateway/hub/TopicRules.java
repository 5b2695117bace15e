package io.barrage.gateway.hub;

/**
 * What the hub must know of a topic's namespace. Immutable.
 *
 * @param namespace as configured, for the counters
 * @param maxFrames most frames that a topic log keeps for those that are behind
 * @param maxLogBytes most bytes that it keeps for them
 * @param countsPresence whether subscribers are told how many they are
 * @param coalesceNanos at most one walk in so long; 0 for as often as messages come
 * @param coalesceMaxNanos what the window may widen to on a loop that can't keep up
 * @param reliable whether a connection that falls off the log is closed, to recover, instead of being told what it misses
 */
public record TopicRules(
        String namespace,
        int maxFrames,
        int maxLogBytes,
        boolean countsPresence,
        long coalesceNanos,
        long coalesceMaxNanos,
        boolean reliable) {}
