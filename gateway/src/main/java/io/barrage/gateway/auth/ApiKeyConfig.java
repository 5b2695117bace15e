package io.barrage.gateway.auth;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Rate;
import io.barrage.gateway.config.Setting;
import io.barrage.protocol.ProtocolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An API key as it stands in the configuration: never in clear text. Immutable. */
public record ApiKeyConfig(
        @Setting(
                doc =
                        "Names the key in logs and metrics; letters, digits, `.`, `_` and `-`. A name may stand twice, with two"
                                + " hashes, while a key is being changed for another; all else must be the same then.",
                pattern = ApiKeys.NAME_PATTERN)
        String name,

        @Setting(
                secret = true,
                pattern = ApiKeys.HASH_PATTERN,
                doc = "`sha256:` and the key's SHA-256 in 64 hexadecimal digits; `barrage key` prints it with a new"
                        + " key.")
        @Nullable
        String hash,

        @Setting(
                doc =
                        "In place of `hash`: a file that holds the hash, or the key itself, as secrets of containers do. White"
                                + " space around it doesn't count. It is read at the start and with each reload.")
        @Nullable
        String file,

        @Setting(
                doc = "What the key is good for: `publish` messages; `read` topics, history, presence, connections"
                        + " and metrics; `control`: retract, disconnect, drain. At least one.")
        List<Scope> scopes,

        @Setting(
                value = "none",
                doc =
                        "How much may be published with it, each target of a publish counted; a second's worth may come at once."
                                + " Beyond that a publish is refused with 429, and a stream is read more slowly.")
        Rate rate,

        @Setting(
                doc =
                        "What may be published to with it: names, and beginnings of such that end in `*`. Everything without it;"
                                + " with it, no user either.")
        List<String> topics)
        implements Checked {

    /** No key is so long, and no file with one. */
    private static final int MAX_FILE_BYTES = 4096;

    public ApiKeyConfig {
        scopes = List.copyOf(scopes);
        topics = List.copyOf(topics);
    }

    @Override
    public void check(Contradictions found) {
        if (!ApiKeys.NAME.matcher(name).matches()) {
            found.add("expected 1 to 64 letters, digits, `.`, `_` or `-`", "name");
        }
        if (hash != null && file != null) {
            found.add("a key comes from a file or has its hash here, not both", "hash", "file");
        } else if (hash == null && file == null) {
            found.add("missing; expected the key's hash, or a `file` with it", "hash", "file");
        } else {
            try {
                keyHash();
            } catch (IllegalArgumentException e) {
                found.add(String.valueOf(e.getMessage()), hash != null ? "hash" : "file");
            }
        }
        if (scopes.isEmpty()) {
            found.add("missing; expected at least one of publish, read, control", "scopes");
        }
        try {
            TopicPatterns.of(topics);
        } catch (ProtocolException e) {
            found.add(e.getMessage(), "topics");
        }
    }

    /**
     * The key's hash, {@code sha256:} and digits; reads the file.
     *
     * @throws IllegalArgumentException with a sentence that shows nothing of the key
     */
    String keyHash() {
        if (hash != null) {
            if (!ApiKeys.HASH.matcher(hash).matches()) {
                throw new IllegalArgumentException(
                        "expected sha256: and 64 hexadecimal digits, found something else (not"
                                + " shown). The key itself doesn't belong here: `barrage key` prints a new one with its hash");
            }
            return hash;
        }
        String text = read(String.valueOf(file)).strip();
        if (ApiKeys.HASH.matcher(text).matches()) {
            return text;
        }
        if (!ApiKeys.BEARER.matcher(text).matches()) {
            throw new IllegalArgumentException("the file " + file
                    + " must hold an API key as it is sent (letters, digits and - . _ ~ + /), or its hash, and nothing"
                    + " else; what it holds isn't shown");
        }
        return ApiKeys.hash(text);
    }

    private static String read(String file) {
        try {
            Path path = Path.of(file);
            if (Files.size(path) > MAX_FILE_BYTES) {
                throw new IllegalArgumentException("the file " + file + " is too large for an API key");
            }
            return Files.readString(path);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        } catch (IOException | InvalidPathException e) {
            throw new IllegalArgumentException("the file " + file + " can't be read: " + e, e);
        }
    }

    /** The key as those who are asked for it know it. */
    ApiKey key() {
        return new ApiKey(name, Set.copyOf(scopes), rate, topics.isEmpty() ? null : TopicPatterns.of(topics));
    }

    /** Whether both are the same but for the secret: a key that is being changed. */
    public boolean isSameBut(ApiKeyConfig other) {
        return name.equals(other.name)
                && Set.copyOf(scopes).equals(Set.copyOf(other.scopes))
                && rate.equals(other.rate)
                && topics.equals(other.topics);
    }

    /** Without the hash, so that it can't slip into a log. */
    @Override
    public String toString() {
        return "ApiKeyConfig[name=" + name + ", file=" + file + ", scopes=" + scopes + ", rate=" + rate + ", topics="
                + topics + "]";
    }
}
