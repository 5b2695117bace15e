package io.barrage.gateway.auth;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;

/** Where an identity provider publishes its keys (RFC 7517). Immutable. */
public record JwksConfig(
        @Setting(
                doc = "The address of the key set, often `https://.../.well-known/jwks.json`. `https`, unless the host"
                        + " is this one.")
        String url,

        @Setting(
                value = "10m",
                min = "10s",
                max = "24h",
                doc =
                        "How often the keys are fetched again. A key that the provider has withdrawn is good for so long.")
        Duration refresh,

        @Setting(
                value = "30s",
                min = "1s",
                max = "1h",
                doc = "At most one fetch in so long, however many tokens come with keys that aren't known. Doubles with"
                        + " each failure, up to five minutes.")
        Duration minInterval,

        @Setting(
                value = "24h",
                min = "1m",
                max = "168h",
                doc = "How long the last keys stay good while the provider gives no answer.")
        Duration keep,

        @Setting(value = "5s", min = "100ms", max = "1m", doc = "How long a fetch may take.")
        Duration timeout,

        @Setting(value = "256KiB", min = "1KiB", max = "4MiB", doc = "How long the key set may be.")
        ByteSize bytes)
        implements Checked {

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    @Override
    public void check(Contradictions found) {
        try {
            URI uri = URI.create(url);
            String host = uri.getHost();
            if (host == null || uri.getUserInfo() != null || !isSafe(uri)) {
                found.add(
                        "expected an https URL, or an http one of localhost, 127.0.0.1 or [::1], without user and"
                                + " password: whoever can change the keys on the way can be any user",
                        "url");
            }
        } catch (IllegalArgumentException e) {
            found.add("not a URL", "url");
        }
        if (keep.compareTo(refresh) < 0) {
            found.add("must not be shorter than refresh", "keep", "refresh");
        }
    }

    private static boolean isSafe(URI uri) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        return scheme.equals("https")
                || (scheme.equals("http") && LOOPBACK.contains(uri.getHost().toLowerCase(Locale.ROOT)));
    }
}
