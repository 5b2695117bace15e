package io.barrage.gateway.hooks;

import java.util.Locale;

/** What the hooks count. Thread-safe. */
public interface HookMetrics {
    /** Counts nothing. */
    HookMetrics NOOP = new HookMetrics() {};

    /** Why an event wasn't told to the backend. */
    enum DropReason {
        /** Too many were waiting. */
        OVERFLOW,
        /** The backend took it on none of several attempts. */
        FAILED,
        /** The gateway has stopped, or the hook was taken out of its configuration. */
        STOPPED;

        private final String wire = name().toLowerCase(Locale.ROOT);

        /** The word in metrics. */
        public String wire() {
            return wire;
        }
    }

    /** A call begins; {@link #called} follows. */
    default void calling(HookKind hook) {}

    /** A call has ended. */
    default void called(HookKind hook, HookOutcome outcome, long nanos) {}

    /** A call wasn't made, since too many were waiting for their answers. */
    default void saturated(HookKind hook) {}

    /** The backend has taken events. */
    default void notified(int events) {}

    /** Events were dropped that the backend should have been told. */
    default void dropped(DropReason reason, int events) {}
}
