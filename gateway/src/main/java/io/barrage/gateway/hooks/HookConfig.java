package io.barrage.gateway.hooks;

import io.barrage.gateway.broker.HookFailure;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One question that the backend is asked. Immutable. */
public record HookConfig(
        @Setting(doc = "Where it is asked: `https://...`, or `http://...` within a network that you trust.") @Nullable
        String url,

        @Setting(
                value = "2s",
                min = "10ms",
                max = "1m",
                doc = "How long the whole answer may take. Until then the client waits, nobody else does.")
        Duration timeout,

        @Setting(
                value = "refuse",
                doc = "What holds if no answer comes that is understood, or `maxInFlight` calls are waiting: `refuse`;"
                        + " or `allow`, which lets pass what the backend would have refused, too.")
        HookFailure onFailure,

        @Setting(
                value = "256",
                min = "1",
                max = "10000",
                doc =
                        "Calls that may wait for their answers. What would be one more is decided by `onFailure` at once.")
        int maxInFlight)
        implements Checked {

    @Override
    public void check(Contradictions found) {
        checkUrl(url, found);
    }

    static void checkUrl(@Nullable String url, Contradictions found) {
        String wrong = url == null ? null : wrongWith(url);
        if (wrong != null) {
            // Without the value: it may have a password in it.
            found.add("expected a URL such as https://backend.example/hooks, but " + wrong, "url");
        }
    }

    private static @Nullable String wrongWith(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            return "this one isn't well-formed: " + e.getReason() + " at " + e.getIndex();
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            return "this one doesn't begin with http:// or https://";
        }
        if (uri.getHost() == null) {
            return "this one has no host";
        }
        if (uri.getUserInfo() != null) {
            return "this one has a user in it: requests are signed instead";
        }
        return uri.getFragment() == null ? null : "this one has a # in it";
    }
}
