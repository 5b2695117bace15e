package io.barrage.client;

/** An answer came that isn't what the gateway would have said. Immutable; without a stack trace, since the fault isn't here. */
final class UnreadableAnswerException extends Exception {
    private static final long serialVersionUID = 1;

    UnreadableAnswerException(String message) {
        super(message, null, false, false);
    }

    /** What is wrong with it. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
