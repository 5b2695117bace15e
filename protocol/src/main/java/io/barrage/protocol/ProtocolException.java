package io.barrage.protocol;

/** A peer's mistake: what it sent can't be taken, and why. Carries no stack trace, since the mistake isn't in our code. */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ErrorCode code;

    /** @param message a sentence for the peer: names what is wrong, shows no secret */
    public ProtocolException(ErrorCode code, String message) {
        super(message, null, false, false);
        this.code = code;
    }

    /** Which mistake. */
    public ErrorCode code() {
        return code;
    }

    /** The sentence for the peer. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
