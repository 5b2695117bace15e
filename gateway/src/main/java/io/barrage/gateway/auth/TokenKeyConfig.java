package io.barrage.gateway.auth;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A key that tokens may be signed with. Immutable. */
public record TokenKeyConfig(
        @Setting(
                doc = "The key's id. A token that has a `kid` is checked with the key of that id and with those that"
                        + " have none; a token without one with all keys of its algorithm.")
        @Nullable
        String kid,

        @Setting(doc = "The only algorithm that it is good for.")
        TokenAlgorithm alg,

        @Setting(
                doc = "A file with the key: a PEM file with a `PUBLIC KEY` or a `CERTIFICATE`; for `HS*` the secret"
                        + " itself, without the line's end. The name is as seen from the working directory.")
        @Nullable
        String file,

        @Setting(
                secret = true,
                doc = "The secret in clear text, for `HS*`; its UTF-8 bytes are the key. At least 32 bytes for HS256,"
                        + " 48 for HS384, 64 for HS512.")
        @Nullable
        String secret)
        implements Checked {

    private static final Pattern KID = Pattern.compile("[!-~]{1,128}");

    @Override
    public void check(Contradictions found) {
        if (kid != null && !KID.matcher(kid).matches()) {
            found.add("expected 1 to 128 printable ASCII characters without space", "kid");
        }
        if (secret != null && file != null) {
            found.add("a key comes from a file or is a secret here, not both", "secret", "file");
        } else if (secret == null && file == null) {
            found.add(
                    "missing; expected a file with " + alg.keyDescription()
                            + (alg.isSecret() ? ", or a secret in `secret`" : ""),
                    "file",
                    "secret");
        } else if (secret != null && !alg.isSecret()) {
            found.add(
                    "a secret is for HS256, HS384 and HS512; " + alg + " needs `file` with " + alg.keyDescription(),
                    "secret",
                    "alg");
        } else {
            try {
                key();
            } catch (IllegalArgumentException e) {
                found.add(String.valueOf(e.getMessage()), secret == null ? "file" : "secret", "alg");
            }
        }
    }

    /**
     * The key itself; reads the file.
     *
     * @throws IllegalArgumentException with a sentence that shows nothing of the key
     */
    VerificationKey key() {
        if (alg.isSecret()) {
            return VerificationKey.ofSecret(kid, alg, secretBytes());
        }
        return VerificationKey.ofPublicKey(kid, alg, Pem.publicKey(read(String.valueOf(file))));
    }

    /** The secret of an {@code HS*} key. */
    byte[] secretBytes() {
        String text = secret != null ? secret : withoutLineEnd(read(String.valueOf(file)));
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Editors and {@code echo} put a line's end behind it, which nobody takes for a part of the secret. */
    private static String withoutLineEnd(String text) {
        return text.replaceFirst("\\r?\\n$", "");
    }

    /** A text file that holds a key. */
    static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        } catch (IOException | InvalidPathException e) {
            throw new IllegalArgumentException("the file " + file + " can't be read: " + e, e);
        }
    }

    /** Without the secret, so that it can't slip into a log. */
    @Override
    public String toString() {
        return "TokenKeyConfig[kid=" + kid + ", alg=" + alg + ", file=" + file + "]";
    }
}
