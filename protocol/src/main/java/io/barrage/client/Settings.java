package io.barrage.client;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * What a client was built with. Immutable.
 *
 * @param uris of the gateways' backend listeners, without a slash at the end
 */
record Settings(
        List<URI> uris,
        @Nullable String apiKey,
        Duration deadline,
        Duration attemptTimeout,
        int maxInFlight,
        RetryPolicy retries,
        @Nullable SSLContext sslContext) {

    /** Leaves out the key. */
    @Override
    public String toString() {
        return uris + ", deadline=" + deadline + ", attemptTimeout=" + attemptTimeout + ", maxInFlight=" + maxInFlight
                + ", " + retries;
    }
}
