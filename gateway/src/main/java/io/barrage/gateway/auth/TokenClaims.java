package io.barrage.gateway.auth;

import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a token says (RFC 7519 section 4.1, and our own). Immutable.
 *
 * @param subject the user; null if it names none
 * @param expires in seconds since 1970; null if it doesn't say
 * @param notBefore in seconds since 1970; 0 if it doesn't say
 * @param info JSON; null for none
 */
record TokenClaims(
        @Nullable String subject,
        @Nullable Long expires,
        long notBefore,
        List<String> audience,
        @Nullable String issuer,
        @Nullable String info,
        TopicPatterns subscribe,
        TopicPatterns publish,
        List<TopicName> join) {

    /** What others may be told of a user goes with every list of members. */
    static final int MAX_INFO_BYTES = 1024;

    private static final int MAX_JOIN = 100;

    /**
     * Reads claims.
     *
     * @throws ProtocolException that names the claim that is wrong
     */
    static TokenClaims parse(byte[] text) {
        Reading reading = new Reading();
        try (TokenJson json = TokenJson.open("claim", text)) {
            for (String name = json.nextField(); name != null; name = json.nextField()) {
                reading.take(name, json);
            }
        }
        return new TokenClaims(
                reading.subject,
                reading.expires,
                reading.notBefore,
                reading.audience,
                reading.issuer,
                reading.info,
                reading.subscribe,
                reading.publish,
                reading.join);
    }

    private static final class Reading {
        private @Nullable String subject;
        private @Nullable Long expires;
        private long notBefore;
        private List<String> audience = List.of();
        private @Nullable String issuer;
        private @Nullable String info;
        private TopicPatterns subscribe = TopicPatterns.NONE;
        private TopicPatterns publish = TopicPatterns.NONE;
        private List<TopicName> join = List.of();

        void take(String name, TokenJson json) {
            switch (name) {
                case "sub" -> subject = named(json, "", () -> UserName.check(json.string()));
                case "exp" -> expires = json.seconds();
                case "nbf" -> notBefore = json.seconds();
                // When it was issued decides nothing, but must be a time: RFC 7519 section 4.1.6.
                case "iat" -> json.seconds();
                case "aud" -> audience = json.stringOrStrings();
                case "iss" -> issuer = json.string();
                case "info" -> info = info(json);
                case "topics" ->
                    json.objectOfStrings(List.of("subscribe", "publish"), (field, patterns) -> {
                        TopicPatterns read = named(json, "." + field, () -> TopicPatterns.of(patterns));
                        if (field.equals("subscribe")) {
                            subscribe = read;
                        } else {
                            publish = read;
                        }
                    });
                case "join" -> join = named(json, "", () -> topics(json));
                default -> json.skip();
            }
        }

        private static @Nullable String info(TokenJson json) {
            String info = json.json();
            if (info != null && info.getBytes(StandardCharsets.UTF_8).length > MAX_INFO_BYTES) {
                throw json.wrong("has more than " + MAX_INFO_BYTES + " bytes");
            }
            return info;
        }

        private static List<TopicName> topics(TokenJson json) {
            Set<TopicName> topics = new LinkedHashSet<>();
            json.strings().forEach(name -> topics.add(TopicName.of(name)));
            if (topics.size() > MAX_JOIN) {
                throw json.wrong("names more than " + MAX_JOIN + " topics");
            }
            return new ArrayList<>(topics);
        }

        /** Faults of names don't know that they stand in a token. */
        private static <T> T named(TokenJson json, String below, Supplier<T> reading) {
            try {
                return reading.get();
            } catch (ProtocolException e) {
                if (e.code() == io.barrage.protocol.ErrorCode.UNAUTHORIZED) {
                    throw e;
                }
                throw json.wrong((below.isEmpty() ? "" : "(" + Printable.of(below.substring(1)) + ") ")
                        + "can't be used: " + e.getMessage());
            }
        }
    }
}
