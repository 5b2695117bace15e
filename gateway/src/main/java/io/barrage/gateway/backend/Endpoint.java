package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;

/** Answers the requests of one path and method. Thread-safe. */
@FunctionalInterface
interface Endpoint {
    /**
     * Called with a request's head, when its caller may do this.
     *
     * @param publisher who asks, for the ids of messages: the API key's name
     */
    BodyReader open(Exchange exchange, String publisher);
}
