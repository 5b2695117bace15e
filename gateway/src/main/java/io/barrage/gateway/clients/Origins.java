package io.barrage.gateway.clients;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Which pages' scripts may connect. Browsers say where a page comes from ({@code Origin}, RFC 6454); other clients say nothing
 * and pass. Thread-safe.
 */
final class Origins {
    private final Supplier<ClientRules> rules;

    /** @param rules asked each time, since they can change */
    Origins(Supplier<ClientRules> rules) {
        this.rules = rules;
    }

    boolean allows(HttpHeaders headers) {
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        if (origin == null) {
            return true;
        }
        ClientRules now = rules.get();
        if (!now.origins().isEmpty()) {
            return now.origins().stream().anyMatch(allowed -> allowed.equals("*") || allowed.equalsIgnoreCase(origin));
        }
        return now.development() || isSameHost(origin.toLowerCase(Locale.ROOT), headers.get(HttpHeaderNames.HOST, ""));
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
