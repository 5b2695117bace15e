package io.barrage.gateway.net;

/** A port can't be opened; the message is a whole sentence for the operator, with key, address and reason. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ListenException(String message, Throwable cause) {
        super(message, cause);
    }
}
