package io.barrage.gateway.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An answer as a whole. Immutable; the body must not be changed.
 *
 * @param headers fields beside type, length, and what this end says of the connection; their names in lower case
 */
@SuppressWarnings("ArrayRecordComponent") // The body is carried, never compared.
public record Response(HttpResponseStatus status, String contentType, byte[] body, Map<String, String> headers) {
    /** @throws IllegalArgumentException if a header field would end its line, or has what none may have */
    public Response {
        for (String value : headers.values()) {
            requireField(value);
        }
    }

    /** {@code 200 OK} with a JSON document. */
    public static Response json(byte[] body) {
        return new Response(HttpResponseStatus.OK, "application/json", body, Map.of());
    }

    /** {@code 200 OK} with text. */
    public static Response text(String text) {
        return new Response(
                HttpResponseStatus.OK, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    /**
     * The same with one more header field.
     *
     * @param name in lower case
     */
    public Response with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Response(status, contentType, body, more);
    }

    /** What would end the field, and begin another one, is a bug of ours, and not to be sent (RFC 9110 section 5.5). */
    private static void requireField(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c == 0x7f || c > 0xff) {
                throw new IllegalArgumentException("a header field can't have U+" + Integer.toHexString(c));
            }
        }
    }
}
