package io.barrage.gateway.hooks;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import org.jspecify.annotations.Nullable;

/** What the backend is asked and told over HTTP. Immutable. */
public record HooksConfig(
        @Setting(
                secret = true,
                doc =
                        "What requests are signed with, as Standard Webhooks have it: `whsec_` and 24 to 64 random bytes in"
                                + " base64, which `echo whsec_$(openssl rand -base64 32)` prints. Needed with any `url`; best"
                                + " given as `BARRAGE_HOOKS_SECRET`.")
        @Nullable
        String secret,

        @Setting(
                secret = true,
                doc = "A second one, while secrets are changed: requests carry both signatures, and the backend takes"
                        + " either.")
        @Nullable
        String secondSecret,

        @Setting(doc = "Asked before a connection's welcome: who it is, what it may do.")
        HookConfig connect,

        @Setting(doc = "Asked for each subscription in a namespace with `subscribe: hook`.")
        HookConfig subscribe,

        @Setting(
                doc = "Asked for each publish of a client in a namespace with `publish: hook`, and of a value with"
                        + " `publishValues: hook`: moderation.")
        HookConfig publish,

        @Setting(doc = "Told what has happened, in batches; best effort.")
        EventsConfig events)
        implements Checked {

    @Override
    public void check(Contradictions found) {
        checkSecret("secret", secret, found);
        checkSecret("secondSecret", secondSecret, found);
        if (secret != null) {
            return;
        }
        if (secondSecret != null) {
            found.add("missing; a single secret stands here, not in secondSecret", "secret", "secondSecret");
        }
        requireSecret("connect", connect.url(), found);
        requireSecret("subscribe", subscribe.url(), found);
        requireSecret("publish", publish.url(), found);
        requireSecret("events", events.url(), found);
    }

    private static void checkSecret(String key, @Nullable String secret, Contradictions found) {
        if (secret != null && WebhookSigner.decode(secret) == null) {
            found.add(
                    "expected whsec_ and 24 to 64 random bytes in base64, found something else (not shown); make one with"
                            + " `echo whsec_$(openssl rand -base64 32)`",
                    key);
        }
    }

    private static void requireSecret(String hook, @Nullable String url, Contradictions found) {
        if (url != null) {
            found.add(
                    "missing; the requests to " + hook + ".url are signed with it, so that the backend can trust them."
                            + " Make one with `echo whsec_$(openssl rand -base64 32)`",
                    "secret",
                    hook + ".url");
        }
    }

    /** Without the secrets, so that they can't slip into a log. */
    @Override
    public String toString() {
        return "HooksConfig[connect=" + connect + ", subscribe=" + subscribe + ", publish=" + publish + ", events="
                + events + "]";
    }
}
