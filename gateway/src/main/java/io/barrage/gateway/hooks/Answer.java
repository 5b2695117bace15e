package io.barrage.gateway.hooks;

import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TopicPatterns;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.JsonObjectReader;
import io.barrage.protocol.Position;
import io.barrage.protocol.Printable;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import io.barrage.protocol.ValueChange;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the backend answered. Immutable.
 *
 * <p>A no counts whatever else the answer says, so that a mistake in a refusal doesn't let pass what it refuses.
 *
 * @param value null if the backend said no, or said yes without more
 * @param refusal why not; null if the backend didn't say no
 */
record Answer<T>(
        HookOutcome outcome, @Nullable T value, @Nullable ProtocolException refusal) {
    /** Longest reason that is passed on to a client, in characters. */
    static final int MAX_REASON = 200;

    /** Largest {@code info}: others are told it with each user. */
    static final int MAX_INFO_BYTES = 1024;

    private static final int MAX_JOIN = 100;
    private static final String NO_REASON = "the backend refused this";
    private static final int UNAUTHORIZED = 4401;

    private static <T> Answer<T> refused(ErrorCode code, @Nullable String reason) {
        return new Answer<>(
                HookOutcome.REFUSED, null, new ProtocolException(code, reason == null ? NO_REASON : reason));
    }

    /** A field of an answer that says yes. */
    private interface Field {
        void take(String name, JsonObjectReader json);
    }

    /** The part that all answers have. Confined to one thread. */
    private static final class Decision {
        private @Nullable Boolean allow;
        private boolean hold;
        private @Nullable String reason;
        private int code;

        /**
         * Reads an answer.
         *
         * @throws ProtocolException if it isn't understood, unless it says no
         */
        static Decision read(byte[] text, Field other) {
            Decision decision = new Decision();
            ProtocolException mistake = null;
            try (JsonObjectReader json = JsonObjectReader.open(text)) {
                boolean more = true;
                while (more) {
                    try {
                        more = decision.takeNext(json, other);
                    } catch (ProtocolException e) {
                        mistake = e;
                        // Throws again if the text itself is no JSON.
                        json.skip();
                    }
                }
            }
            if (decision.refuses()) {
                return decision;
            }
            if (mistake != null) {
                throw mistake;
            }
            if (decision.allow == null && !decision.hold) {
                throw bad("neither 'allow' nor 'hold' is said");
            }
            if (decision.allow != null && decision.hold) {
                throw bad("both 'allow' and 'hold' are said");
            }
            return decision;
        }

        /** Whether there was another field. */
        private boolean takeNext(JsonObjectReader json, Field other) {
            String name = json.nextField();
            if (name == null) {
                return false;
            }
            switch (name) {
                case "allow" -> allow = json.bool();
                case "hold" -> hold = json.bool();
                case "reason" -> reason = cut(json.string());
                case "code" -> code = (int) json.integer(UNAUTHORIZED, 4403);
                default -> other.take(name, json);
            }
            return true;
        }

        private static String cut(String reason) {
            if (reason.length() <= MAX_REASON) {
                return reason;
            }
            int end = Character.isHighSurrogate(reason.charAt(MAX_REASON - 1)) ? MAX_REASON - 1 : MAX_REASON;
            return reason.substring(0, end);
        }

        boolean refuses() {
            return Boolean.FALSE.equals(allow);
        }

        void mayNotHold() {
            if (hold) {
                throw bad("only a publish can be held");
            }
        }
    }

    /**
     * Reads whether somebody may connect.
     *
     * @param granted what holds where the answer says nothing else
     * @param checked whether that is by a token that the gateway has checked, whose user can be no other
     */
    static Answer<Grant> connect(byte[] text, Grant granted, boolean checked) {
        GrantFields fields = new GrantFields();
        Decision decision = Decision.read(text, fields);
        if (decision.refuses()) {
            return refused(
                    decision.code == UNAUTHORIZED ? ErrorCode.UNAUTHORIZED : ErrorCode.FORBIDDEN, decision.reason);
        }
        decision.mayNotHold();
        if (checked) {
            fields.checkUser(granted);
        }
        return new Answer<>(HookOutcome.ALLOWED, fields.over(granted), null);
    }

    /** Reads whether a connection may subscribe. */
    static Answer<Boolean> subscribe(byte[] text) {
        Decision decision = Decision.read(text, (name, json) -> json.skip());
        if (decision.refuses()) {
            return refused(ErrorCode.REFUSED, decision.reason);
        }
        decision.mayNotHold();
        return new Answer<>(HookOutcome.ALLOWED, true, null);
    }

    /**
     * Reads what becomes of a publish.
     *
     * @param maxBytes of data that replaces the client's
     */
    static Answer<Verdict> publish(byte[] text, PublishRequest asked, int maxBytes) {
        PublishFields fields = new PublishFields();
        Decision decision = Decision.read(text, fields);
        if (decision.refuses()) {
            return refused(ErrorCode.REFUSED, decision.reason);
        }
        if (decision.hold) {
            return new Answer<>(HookOutcome.HELD, new Verdict.Held(), null);
        }
        PublishRequest published = fields.over(asked, maxBytes);
        return new Answer<>(
                fields.rewrites() ? HookOutcome.REWRITTEN : HookOutcome.ALLOWED, new Verdict.Allowed(published), null);
    }

    /** What the backend knows of a connection. Confined to one thread. */
    private static final class GrantFields implements Field {
        private @Nullable String user;
        private @Nullable String info;
        private @Nullable TopicPatterns subscribe;
        private @Nullable TopicPatterns publish;
        private @Nullable List<TopicName> join;
        private long expires;

        @Override
        public void take(String name, JsonObjectReader json) {
            switch (name) {
                case "user" -> user = UserName.check(json.string());
                case "info" -> {
                    byte[] raw = json.raw();
                    if (raw.length > MAX_INFO_BYTES) {
                        throw bad("field 'info' has at most " + MAX_INFO_BYTES + " bytes, this has " + raw.length);
                    }
                    info = new String(raw, StandardCharsets.UTF_8);
                }
                case "topics" -> topics(json.raw());
                case "join" ->
                    join = json.strings(MAX_JOIN).stream().map(TopicName::of).toList();
                case "expires" -> expires = json.integer(1, Position.MAX_OFFSET);
                default -> json.skip();
            }
        }

        private void topics(byte[] object) {
            try (JsonObjectReader json = JsonObjectReader.open(object)) {
                for (String name = json.nextField(); name != null; name = json.nextField()) {
                    switch (name) {
                        case "subscribe" -> subscribe = TopicPatterns.of(json.strings(TopicPatterns.MAX_PATTERNS));
                        case "publish" -> publish = TopicPatterns.of(json.strings(TopicPatterns.MAX_PATTERNS));
                        default -> json.skip();
                    }
                }
            } catch (ProtocolException e) {
                throw bad("in field 'topics': " + e.getMessage());
            }
        }

        void checkUser(Grant granted) {
            if (user != null && granted.authenticated() && granted.user() != null && !user.equals(granted.user())) {
                throw bad("field 'user' is " + Printable.of(user) + ", but the connection's token says "
                        + Printable.of(granted.user()));
            }
        }

        Grant over(Grant granted) {
            boolean earlier = expires != 0 && (granted.expires() == 0 || expires < granted.expires());
            return granted.with(
                    new Grant.Additions(user, info, subscribe, publish, join), earlier ? expires : granted.expires());
        }
    }

    /** What the backend would rather have published. Confined to one thread. */
    private static final class PublishFields implements Field {
        private byte @Nullable [] data;
        private @Nullable Priority priority;

        @Override
        public void take(String name, JsonObjectReader json) {
            switch (name) {
                case "data" -> data = json.raw();
                case "priority" -> {
                    String word = json.string();
                    priority = Priority.ofWire(word);
                    if (priority == null) {
                        throw bad("field 'priority' is low, normal, high or critical, found " + Printable.of(word));
                    }
                }
                default -> json.skip();
            }
        }

        boolean rewrites() {
            return data != null || priority != null;
        }

        PublishRequest over(PublishRequest asked, int maxBytes) {
            if (data != null && data.length > maxBytes) {
                throw bad("field 'data' has at most " + maxBytes + " bytes, this has " + data.length);
            }
            ValueChange value = asked.value();
            if (value != null && priority != null) {
                throw bad("a publish with 'key' and 'merge' has no 'priority'");
            }
            return new PublishRequest(
                    asked.targets(),
                    asked.single(),
                    data == null ? asked.data() : data,
                    priority == null ? asked.priority() : priority,
                    asked.messageId(),
                    asked.sender(),
                    asked.ttlMillis(),
                    value == null || data == null ? value : ValueChange.of(value.key(), value.merge(), data));
        }
    }

    private static ProtocolException bad(String message) {
        return new ProtocolException(ErrorCode.BAD_REQUEST, message);
    }
}
