package io.barrage.protocol;

import java.util.Locale;

/**
 * Why the gateway closes a WebSocket connection: RFC 6455 section 7.4.1's codes, and the gateway's own from 4400 on, which
 * are HTTP's plus 4000. Immutable.
 */
public enum CloseCode {
    /** The client closed, and so do we. */
    NORMAL(1000),
    /** The gateway drains; reconnect after the hint. */
    GOING_AWAY(1001),
    /** The client broke RFC 6455. */
    PROTOCOL_ERROR(1002),
    /** Binary frames aren't taken. */
    UNSUPPORTED_DATA(1003),
    /** A text frame wasn't UTF-8. */
    INVALID_UTF8(1007),
    /** A frame over the limit. */
    TOO_BIG(1009),
    /** The client keeps sending what isn't understood. */
    BAD_REQUEST(4400),
    /** A token is missing, bad or expired. */
    UNAUTHORIZED(4401),
    /** Kicked. */
    FORBIDDEN(4403),
    /** The client's socket takes less than must reach it. */
    SLOW_CONSUMER(4408),
    /** Nothing came from the client for heartbeat + timeout. */
    HEARTBEAT_TIMEOUT(4409),
    /** More than a limit allows. */
    RATE_LIMITED(4429),
    /** A bug of ours. */
    INTERNAL(4500),
    /** New work is refused. */
    OVERLOADED(4503);

    private final int code;
    private final String wire = name().toLowerCase(Locale.ROOT);

    CloseCode(int code) {
        this.code = code;
    }

    /** The code in the close frame. */
    public int code() {
        return code;
    }

    /** The name in the close frame's reason. */
    public String wire() {
        return wire;
    }
}
