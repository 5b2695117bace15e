package io.barrage.gateway.auth;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How clients prove who they are: by tokens, which a backend or an identity provider has signed. Immutable. */
public record AuthConfig(
        @Setting(
                doc =
                        "The keys that tokens may be signed with. Two at a time let keys change without a pause."
                                + " `BARRAGE_AUTH_SECRET` adds one: the secret of HS256 tokens in clear text, with the id `env`.")
        List<TokenKeyConfig> keys,

        @Setting(doc = "Where an identity provider publishes its keys.") @Nullable
        JwksConfig jwks,

        @Setting(
                single = true,
                doc =
                        "Whom tokens must be for: their `aud` has one of these. Without any, a token that names an audience"
                                + " is refused, since it isn't for this gateway.")
        List<String> audience,

        @Setting(doc = "Who must have issued tokens: their `iss` is this. Without it, that of anybody with a key.")
        @Nullable
        String issuer,

        @Setting(
                value = "30s",
                max = "5m",
                doc =
                        "How far the clocks of issuer and gateway may differ: so long after its `exp` and before its `nbf`"
                                + " a token is taken nevertheless.")
        Duration leeway,

        @Setting(
                value = "false",
                doc = "Whether clients without a token may connect, too; they may do what is open to `anyone`.")
        boolean anonymous,

        @Setting(
                value = "30s",
                max = "1h",
                doc = "How long a connection whose token has expired may stay, to send a new one, before it is closed"
                        + " with 4401.")
        Duration renewal,

        @Setting(
                value = "8KiB",
                min = "256",
                max = "32KiB",
                doc = "How long a token may be. One in a URL must fit into its limits, too.")
        ByteSize tokenBytes)
        implements Checked {

    /** No tokens: anyone may connect. What the word {@code none} means. */
    public static final AuthConfig NONE = new AuthConfig(
            List.of(),
            null,
            List.of(),
            null,
            Duration.ofSeconds(30),
            true,
            Duration.ofSeconds(30),
            new ByteSize(8 * 1024));

    /** The id of the key that comes as a variable. */
    public static final String VARIABLE_KID = "env";

    public AuthConfig {
        keys = List.copyOf(keys);
        audience = List.copyOf(audience);
    }

    /** Whether there are no tokens, and everybody may connect. */
    public boolean isNone() {
        return keys.isEmpty() && jwks == null;
    }

    @Override
    public void check(Contradictions found) {
        if (isNone()) {
            found.add(
                    "no keys: tokens need `keys`, `jwks` or the variable BARRAGE_AUTH_SECRET; `auth: none` lets anyone"
                            + " connect",
                    "keys",
                    "jwks");
        }
        Set<String> kids = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            String kid = keys.get(i).kid();
            if (kid != null && !kids.add(kid)) {
                found.add("\"" + kid + "\" is the id of another key already", "keys[" + i + "].kid");
            }
        }
        for (int i = 0; i < audience.size(); i++) {
            if (audience.get(i).isBlank()) {
                found.add("must not be empty", "audience[" + i + "]");
            }
        }
        if (issuer != null && issuer.isBlank()) {
            found.add("must not be empty; leave it out to take any issuer", "issuer");
        }
    }
}
