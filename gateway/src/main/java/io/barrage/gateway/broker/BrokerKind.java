package io.barrage.gateway.broker;

/** The brokers that there are. */
public enum BrokerKind {
    /** One node; topics live in its memory. */
    MEMORY
}
