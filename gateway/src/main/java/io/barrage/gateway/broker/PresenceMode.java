package io.barrage.gateway.broker;

/** What a topic's subscribers are told of each other. */
public enum PresenceMode {
    /** Nothing. */
    OFF,
    /** How many they are. */
    COUNTS,
    /** Who they are, too. */
    MEMBERS
}
