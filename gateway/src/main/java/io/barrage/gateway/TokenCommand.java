package io.barrage.gateway;

import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TokenAlgorithm;
import io.barrage.gateway.auth.TokenKeyConfig;
import io.barrage.gateway.auth.TokenSigner;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Setting;
import io.barrage.protocol.ProtocolException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code barrage token}: makes a token, as a backend would. Confined to the main thread. */
@Command(
        description = {
            "Makes a token and prints it, for trying things out and for scripts.",
            "It is signed with --secret, with the private key in --file, or else with the first secret among auth.keys of"
                    + " the configuration; audience and issuer are those of the configuration, unless they are given."
        })
final class TokenCommand implements Callable<Integer> {

    @Mixin
    private final ConfigFlags flags;

    @Mixin
    private final ClaimFlags claims = new ClaimFlags();

    @Mixin
    private final KeyFlags key = new KeyFlags();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec command;

    TokenCommand(ConfigFlags flags) {
        this.flags = flags;
    }

    /** The command with its own below it. */
    static CommandLine of(ConfigFlags making, ConfigFlags checking, InputStream in) {
        return new CommandLine(new TokenCommand(making))
                .addSubcommand("check", new CommandLine(new Check(checking, in)));
    }

    @Override
    public Integer call() throws ConfigException {
        Words words = Words.read(claims.expires, key.algorithm);
        AuthConfig auth = flags.load(command).value().auth();
        try {
            String token = key.signer(auth, words.alg()).sign(claims.claims(auth, words.expires()));
            // As the gateway would read it: mistakes show here, not on a phone.
            TokenVerifier.checkClaims(decoded(token.split("\\.", -1)[1]));
            command.commandLine().getOut().println(token);
            return CommandLine.ExitCode.OK;
        } catch (IllegalArgumentException | ProtocolException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()));
        }
    }

    /** @throws IllegalArgumentException if it isn't Base64 */
    private static String decoded(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    /** Lets the configuration's reader read words of the command line, with its own error messages. */
    private record Words(
            @Setting(value = "1h", min = "1s", max = "87600h", doc = "How long the token is good.")
            Duration expires,

            @Setting(doc = "How it is signed.") @Nullable TokenAlgorithm alg) {

        static Words read(String expires, @Nullable String alg) throws ConfigException {
            Map<String, String> given = new LinkedHashMap<>();
            given.put("expires", expires);
            if (alg != null) {
                given.put("alg", alg);
            }
            return ConfigReader.of(Words.class).flags(given).load().value();
        }
    }

    /** What the token shall say. */
    private static final class ClaimFlags {
        @Option(names = "--sub", paramLabel = "<user>", description = "The user. Without it the token has no name.")
        private @Nullable String subject;

        @Option(
                names = "--subscribe",
                paramLabel = "<topics>",
                split = ",",
                description = "What it may subscribe to where the rule is token: room:42, room:*, several with commas.")
        private List<String> subscribe = new ArrayList<>();

        @Option(
                names = "--publish",
                paramLabel = "<topics>",
                split = ",",
                description = "What it may publish to where the rule is token.")
        private List<String> publish = new ArrayList<>();

        @Option(
                names = "--join",
                paramLabel = "<topics>",
                split = ",",
                description = "Topics that it is on from the beginning.")
        private List<String> join = new ArrayList<>();

        @Option(names = "--info", paramLabel = "<json>", description = "What others may be told of the user, as JSON.")
        private @Nullable String info;

        @Option(
                names = "--expires",
                paramLabel = "<duration>",
                description = "How long it is good: 30s, 10m, 1h. Default: ${DEFAULT-VALUE}")
        private String expires = "1h";

        @Option(names = "--audience", paramLabel = "<name>", split = ",", description = "Whom it is for.")
        private List<String> audience = new ArrayList<>();

        @Option(names = "--issuer", paramLabel = "<name>", description = "Who issues it.")
        private @Nullable String issuer;

        /** With what the configuration says where the flags say nothing. */
        TokenSigner.Claims claims(AuthConfig auth, Duration life) {
            long now = System.currentTimeMillis() / 1000;
            return new TokenSigner.Claims(
                    subject,
                    now,
                    now + life.toSeconds(),
                    // One of the configured audiences is enough, and less to read.
                    audience.isEmpty() ? auth.audience().stream().limit(1).toList() : audience,
                    issuer == null ? auth.issuer() : issuer,
                    info,
                    subscribe,
                    publish,
                    join);
        }
    }

    /** What the token is signed with. */
    private static final class KeyFlags {
        @Option(
                names = "--key",
                paramLabel = "<kid>",
                description =
                        "The id of the key among auth.keys to sign with; with --secret or --file the token's kid.")
        private @Nullable String kid;

        @Option(
                names = "--secret",
                paramLabel = "<secret>",
                description =
                        "The secret to sign with. Other users of this machine may see it; prefer the configuration.")
        private @Nullable String secret;

        @Option(
                names = "--file",
                paramLabel = "<file>",
                description = "A PEM file with the private key to sign with (PRIVATE KEY, not encrypted).")
        private @Nullable String file;

        @Option(
                names = "--alg",
                paramLabel = "<algorithm>",
                description = "How to sign: HS256, RS256, ES256, EdDSA, ... Default: the usual one of the key.")
        private @Nullable String algorithm;

        /** @throws IllegalArgumentException with a sentence that says what is wrong with the flags */
        TokenSigner signer(AuthConfig auth, @Nullable TokenAlgorithm alg) {
            String inClear = secret;
            String pem = file;
            if (inClear != null && pem != null) {
                throw new IllegalArgumentException("--secret and --file are two keys; give one");
            }
            if (inClear != null) {
                TokenAlgorithm chosen = alg == null ? TokenAlgorithm.HS256 : alg;
                if (!chosen.isSecret()) {
                    throw new IllegalArgumentException(
                            "--secret is for HS256, HS384 and HS512; " + chosen + " needs --file");
                }
                return of("--secret", () -> TokenSigner.ofSecret(kid, chosen, inClear));
            }
            if (pem != null) {
                if (alg != null && alg.isSecret()) {
                    throw new IllegalArgumentException(
                            "--file is a private key; " + alg + " needs --secret or a key of the configuration");
                }
                return of("--file", () -> TokenSigner.ofFile(kid, alg, pem));
            }
            return TokenSigner.of(configured(auth, alg));
        }

        private static TokenSigner of(String flag, Supplier<TokenSigner> signer) {
            try {
                return signer.get();
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(flag + ": " + e.getMessage(), e);
            }
        }

        private TokenKeyConfig configured(AuthConfig auth, @Nullable TokenAlgorithm alg) {
            if (auth.keys().isEmpty()) {
                throw new IllegalArgumentException("the configuration has no auth.keys to sign with; give --secret"
                        + " <secret> or --file <private.pem>");
            }
            for (TokenKeyConfig key : auth.keys()) {
                boolean wanted = (kid == null || kid.equals(key.kid())) && (alg == null || alg == key.alg());
                if (wanted && key.alg().isSecret()) {
                    return key;
                }
                if (wanted && kid != null) {
                    throw new IllegalArgumentException("of key " + kid + " (" + key.alg()
                            + ") the configuration has the public part only; give the private one with --file");
                }
            }
            String which = kid != null ? "key " + kid : alg != null ? "secret for " + alg : "secret";
            throw new IllegalArgumentException(
                    "among auth.keys there is no " + which + "; give --secret <secret> or --file <private.pem>");
        }
    }

    /** {@code barrage token check}: says what the gateway would say of a token. */
    @Command(
            description = {
                "Says whether the gateway would take a token, or why not; exits with 1 then.",
                "Uses the keys of the configuration."
            })
    private static final class Check implements Callable<Integer> {

        @Mixin
        private final ConfigFlags flags;

        @Parameters(
                index = "0",
                paramLabel = "<token>",
                description = "The token, or - to read it from standard input.")
        @SuppressWarnings("NullAway.Init") // set by picocli
        private String token;

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        private final InputStream in;

        Check(ConfigFlags flags, InputStream in) {
            this.flags = flags;
            this.in = in;
        }

        @Override
        public Integer call() throws ConfigException, IOException {
            AuthConfig auth = flags.load(command).value().auth();
            String given = token.equals("-") ? new String(in.readAllBytes(), StandardCharsets.UTF_8).strip() : token;
            PrintWriter out = command.commandLine().getOut();
            try (TokenVerifier verifier = TokenVerifier.of(auth)) {
                Grant grant = verifier.verify(given).join();
                out.println("The gateway would take this token.");
                print(given, out);
                print(grant, out);
                return CommandLine.ExitCode.OK;
            } catch (CompletionException e) {
                if (!(e.getCause() instanceof ProtocolException refusal)) {
                    throw e;
                }
                String code = refusal.code().wire();
                out.println("The gateway would refuse this token (" + code + "): " + refusal.getMessage());
                print(given, out);
                return CommandLine.ExitCode.SOFTWARE;
            } finally {
                out.flush();
            }
        }

        /** What stands in it, as far as that can be read. */
        private static void print(String given, PrintWriter out) {
            String[] parts = given.split("\\.", -1);
            if (parts.length != 3) {
                return;
            }
            for (int i = 0; i < 2; i++) {
                try {
                    String json = decoded(parts[i]).replaceAll("\\p{Cntrl}", "?");
                    out.println((i == 0 ? "  header: " : "  claims: ") + json);
                } catch (IllegalArgumentException ignored) {
                    // The verdict has said so.
                }
            }
        }

        private static void print(Grant grant, PrintWriter out) {
            Instant end = Instant.ofEpochSecond(grant.expires());
            out.println("  user: " + Objects.requireNonNullElse(grant.user(), "none"));
            out.println("  expires: " + end + ", in "
                    + Duration.between(Instant.now(), end).toSeconds() + " s");
            out.println("  subscribe: " + grant.subscribe());
            out.println("  publish: " + grant.publish());
            out.println("  join: " + grant.join());
        }
    }
}
