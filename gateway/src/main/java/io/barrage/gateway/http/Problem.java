package io.barrage.gateway.http;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Makes errors of HTTP requests into problem documents (RFC 9457) with a stable {@code code}. Stateless; the one place where
 * an {@link ErrorCode} becomes HTTP.
 */
public final class Problem {
    private static final JsonFactory JSON = new JsonFactory();

    private Problem() {}

    /** The answer to a request with a mistake. */
    public static Response of(ProtocolException mistake) {
        return of(mistake.code(), mistake.getMessage());
    }

    /** The answer that says {@code code}, and {@code detail} to a person. */
    public static Response of(ErrorCode code, String detail) {
        HttpResponseStatus status = HttpResponseStatus.valueOf(code.status());
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            out.writeStartObject();
            out.writeStringProperty("type", "about:blank");
            out.writeStringProperty("title", status.reasonPhrase());
            out.writeNumberProperty("status", code.status());
            out.writeStringProperty("code", code.wire());
            out.writeStringProperty("detail", detail);
            out.writeEndObject();
        }
        Response response = new Response(
                status, "application/problem+json", text.toString().getBytes(StandardCharsets.UTF_8), Map.of());
        return switch (code) {
            case OVERLOADED, DRAINING, RATE_LIMITED -> response.with("retry-after", "1");
            case UNAUTHORIZED -> response.with("www-authenticate", "Bearer");
            default -> response;
        };
    }
}
