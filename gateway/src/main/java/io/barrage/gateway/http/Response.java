package io.barrage.gateway.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** An answer as a whole. Immutable; the body must not be changed. */
@SuppressWarnings("ArrayRecordComponent") // The body is carried, never compared.
public record Response(HttpResponseStatus status, String contentType, byte[] body, Map<String, String> headers) {
    /** {@code 200 OK} with a JSON document. */
    public static Response json(byte[] body) {
        return new Response(HttpResponseStatus.OK, "application/json", body, Map.of());
    }

    /** {@code 200 OK} with text. */
    public static Response text(String text) {
        return new Response(
                HttpResponseStatus.OK, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    /** The same with one more header field. */
    public Response with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Response(status, contentType, body, more);
    }
}
