package io.barrage.protocol;

import java.util.Locale;

/** The stable names of what can go wrong, the same in WebSocket frames and in HTTP problem documents. Immutable. */
public enum ErrorCode {
    /** The request isn't understood; the text says where. */
    BAD_REQUEST(400),
    /** An API key or a token is missing or not valid. */
    UNAUTHORIZED(401),
    /** The connection's token has expired, or this topic's has. */
    TOKEN_EXPIRED(401),
    /** Known, but not allowed here: an origin, a host, a scope. */
    FORBIDDEN(403),
    /** This connection may not do this on this topic. */
    NOT_PERMITTED(403),
    /** A backend that was asked has said no; the text is its reason. */
    REFUSED(403),
    /** Nothing is at this path. */
    NOT_FOUND(404),
    /** The path exists, the method isn't for it. */
    METHOD_NOT_ALLOWED(405),
    /** A request wasn't complete in time. */
    REQUEST_TIMEOUT(408),
    /** The topic is subscribed already on this connection. */
    ALREADY_SUBSCRIBED(409),
    /** The topic isn't subscribed on this connection. */
    NOT_SUBSCRIBED(409),
    /** A body, a line or a message is over its limit. */
    TOO_LARGE(413),
    /** The request's target is over its limit. */
    URI_TOO_LONG(414),
    /** The body's content type isn't one that is taken. */
    UNSUPPORTED_MEDIA_TYPE(415),
    /** This path speaks WebSocket. */
    UPGRADE_REQUIRED(426),
    /** The connection is on as many topics as it may be. */
    TOO_MANY_SUBSCRIPTIONS(429),
    /** More than a limit allows, for now. */
    RATE_LIMITED(429),
    /** The sender has just said the same. */
    REPEATED(429),
    /** The request's header fields are over their limit. */
    HEADERS_TOO_LARGE(431),
    /** A bug of ours. */
    INTERNAL(500),
    /** A backend that had to be asked gave no answer. */
    HOOK_FAILED(502),
    /** Asked for something that this version doesn't do. */
    NOT_IMPLEMENTED(501),
    /** New work is refused, for now. */
    OVERLOADED(503),
    /** The gateway is going away. */
    DRAINING(503);

    private final int status;
    private final String wire = name().toLowerCase(Locale.ROOT);

    ErrorCode(int status) {
        this.status = status;
    }

    /** The HTTP status that goes with it. */
    public int status() {
        return status;
    }

    /** The word on the wire. */
    public String wire() {
        return wire;
    }
}
