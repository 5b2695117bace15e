package io.barrage.gateway.hooks;

/** A hook gave no answer that counts. Carries no stack trace, since the fault isn't in our code. */
final class HookException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final HookOutcome outcome;

    /** @param message what is wrong, for the operator */
    HookException(HookOutcome outcome, String message) {
        super(message, null, false, false);
        this.outcome = outcome;
    }

    /** How it failed. */
    HookOutcome outcome() {
        return outcome;
    }
}
