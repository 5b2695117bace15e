package io.barrage.gateway.auth;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.util.List;

/** An API key as it stands in the configuration: never in clear text. Immutable. */
public record ApiKeyConfig(
        @Setting(doc = "Names the key in logs; letters, digits, `.`, `_` and `-`, unique.")
        String name,

        @Setting(
                secret = true,
                doc = "`sha256:` and the key's SHA-256 in 64 hexadecimal digits; `barrage key` prints it with a new"
                        + " key.")
        String hash,

        @Setting(
                doc = "What the key is good for: `publish` messages; `read` topics, history, presence, connections"
                        + " and metrics; `control`: retract, disconnect, drain. At least one.")
        List<Scope> scopes)
        implements Checked {

    public ApiKeyConfig {
        scopes = List.copyOf(scopes);
    }

    @Override
    public void check(Contradictions found) {
        if (!ApiKeys.NAME.matcher(name).matches()) {
            found.add("expected 1 to 64 letters, digits, `.`, `_` or `-`", "name");
        }
        if (!ApiKeys.HASH.matcher(hash).matches()) {
            found.add(
                    "expected sha256: and 64 hexadecimal digits, found something else (not shown)."
                            + " The key itself doesn't belong here: `barrage key` prints a new one with its hash",
                    "hash");
        }
        if (scopes.isEmpty()) {
            found.add("missing; expected at least one of publish, read, control", "scopes");
        }
    }

    /** Without the hash, so that it can't slip into a log. */
    @Override
    public String toString() {
        return "ApiKeyConfig[name=" + name + ", scopes=" + scopes + "]";
    }
}
