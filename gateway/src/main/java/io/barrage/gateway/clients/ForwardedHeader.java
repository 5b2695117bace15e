package io.barrage.gateway.clients;

/** The header field in which proxies say whom a request comes from. */
public enum ForwardedHeader {
    /** {@code X-Forwarded-For}, which most proxies know. */
    X_FORWARDED_FOR("x-forwarded-for"),
    /** {@code Forwarded} (RFC 7239). */
    FORWARDED("forwarded");

    private final String field;

    ForwardedHeader(String field) {
        this.field = field;
    }

    /** The field's name, and the word for it in the configuration. */
    @Override
    public String toString() {
        return field;
    }
}
