package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;

/** Answers the requests of one route. Thread-safe. */
@FunctionalInterface
public interface Endpoint {
    /**
     * Called with a request's head, when its caller may do this.
     *
     * @throws io.barrage.protocol.ProtocolException to refuse it; becomes a problem document
     */
    BodyReader open(Call call);
}
