package io.barrage.gateway.auth;

import java.net.URI;

/** A URL as it is shown in logs: scheme, host, port and path. Its query may be a secret. */
public final class LoggedUrl {
    private LoggedUrl() {}

    /** What is shown of a URL that has a host. */
    public static String of(URI url) {
        String port = url.getPort() < 0 ? "" : ":" + url.getPort();
        return url.getScheme() + "://" + url.getHost() + port + url.getRawPath();
    }
}
