package io.barrage.gateway.broker;

/** How much a message matters when not all can be shown; least first. */
public enum Priority {
    /** The first to go. */
    LOW,
    /** Chatter. */
    NORMAL,
    /** Has a reserved share. */
    HIGH,
    /** Gifts, moderation: must not be lost. */
    CRITICAL
}
