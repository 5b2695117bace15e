package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Response;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/**
 * {@code GET /v1/openapi.yaml}: the API's description. Needs no key: it says what anybody can read in the docs, and tools fetch it
 * before they have been given one. Thread-safe.
 */
public final class OpenApiHandler implements Resource {
    private static final String RESOURCE = "openapi.yaml";

    private final Response document;

    public OpenApiHandler() {
        try (InputStream in = OpenApiHandler.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " isn't in the jar");
            }
            document = new Response(HttpResponseStatus.OK, "application/yaml", in.readAllBytes(), Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(HttpMethod.GET, "/v1/openapi.yaml", null, this::show));
    }

    private BodyReader show(Call call) {
        call.query();
        return BodyReader.none(() -> call.exchange().respond(document));
    }
}
