package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.netty.handler.codec.http.HttpMethod;
import org.jspecify.annotations.Nullable;

/**
 * A method and a path, and what answers there. Immutable.
 *
 * @param template the path; a segment <code>{name}</code> stands for any one segment that isn't empty
 * @param scope what an API key must be good for; null where no key is needed
 */
public record Route(
        HttpMethod method, String template, @Nullable Scope scope, Endpoint endpoint) {}
