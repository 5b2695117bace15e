package io.barrage.gateway.http;

import java.time.Duration;

/**
 * What a request may cost. Immutable.
 *
 * @param maxBodyBytes of a body that is read as a whole
 * @param requestTimeout a request's head must be complete in this time, and its body make progress in each such time
 * @param keepAliveTimeout a connection without a request is closed after this time
 */
public record HttpLimits(int maxBodyBytes, Duration requestTimeout, Duration keepAliveTimeout) {
    /** Most bytes of the request line: a URL may carry a token and many topics. */
    public static final int MAX_LINE_BYTES = 16 * 1024;

    /** Most bytes of all header fields. */
    public static final int MAX_HEADER_BYTES = 16 * 1024;
}
