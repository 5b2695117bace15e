package io.barrage.gateway.clients;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import java.util.List;
import java.util.Locale;

/**
 * Which pages' scripts may connect. Browsers say where a page comes from ({@code Origin}, RFC 6454); other clients say nothing
 * and pass. Immutable.
 */
final class Origins {
    private final List<String> allowed;
    private final boolean development;

    Origins(List<String> allowed, boolean development) {
        this.allowed =
                allowed.stream().map(origin -> origin.toLowerCase(Locale.ROOT)).toList();
        this.development = development;
    }

    boolean allows(HttpHeaders headers) {
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        if (origin == null) {
            return true;
        }
        String lower = origin.toLowerCase(Locale.ROOT);
        if (!allowed.isEmpty()) {
            return allowed.contains(lower) || allowed.contains("*");
        }
        return development || isSameHost(lower, headers.get(HttpHeaderNames.HOST, ""));
    }

    private static boolean isSameHost(String origin, String host) {
        try {
            String authority = URI.create(origin).getRawAuthority();
            return authority != null && authority.equals(host.toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException ignored) {
            return false;
        }
    }
}
