package io.barrage.loadtest.load;

import java.util.concurrent.ExecutionException;

/** A run that couldn't be made or finished, and why, in words for the person at the terminal. */
public final class LoadException extends Exception {
    private static final long serialVersionUID = 1L;

    LoadException(String message) {
        super(message);
    }

    LoadException(String message, Throwable cause) {
        super(message, cause);
    }

    /** What went wrong in the end, without the wrapping that a future adds. */
    static String reason(ExecutionException e) {
        return String.valueOf(
                e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
    }
}
