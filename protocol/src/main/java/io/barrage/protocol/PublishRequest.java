package io.barrage.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A publish as it was asked for: data and options, and the targets it goes to. Immutable; {@code data} must not be changed.
 *
 * @param targets at least one; a target that isn't a name carries its error instead
 * @param single whether the request named one target with {@code topic} or {@code user}, and so gets one answer
 * @param data one JSON value, byte for byte as it was sent
 * @param messageId makes a repeat return the first answer; null without
 * @param sender who the backend says the message is from; null without, and for clients
 */
@SuppressWarnings("ArrayRecordComponent") // The data is carried, never compared.
public record PublishRequest(
        List<Target> targets,
        boolean single,
        byte[] data,
        Priority priority,
        @Nullable String messageId,
        @Nullable String sender) {

    /** Most targets of one request. */
    public static final int MAX_TARGETS = 1000;

    /** Greatest length of a message id in characters. */
    public static final int MAX_MESSAGE_ID_LENGTH = 128;

    /** Who asks: what a field may say depends on it. */
    public enum Source {
        /** A backend over HTTP: names targets, may name a sender. */
        BACKEND,
        /** A client: its user is the sender. */
        CLIENT
    }

    /**
     * Where a message goes.
     *
     * @param name as it was sent: a topic's name, or a user's for {@code user} and {@code users}
     * @param topic null if {@code error} says why there is none
     */
    public record Target(
            String name,
            @Nullable TopicName topic,
            @Nullable ProtocolException error) {
        static Target topic(String name) {
            try {
                return new Target(name, TopicName.of(name), null);
            } catch (ProtocolException e) {
                return new Target(name, null, e);
            }
        }

        static Target user(String name) {
            try {
                return new Target("$user:" + name, TopicName.ofUser(name), null);
            } catch (ProtocolException e) {
                return new Target("$user:" + name, null, e);
            }
        }
    }

    /**
     * Reads a backend's publish.
     *
     * @param text one JSON object, kept by nobody
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong
     */
    public static PublishRequest parse(byte[] text) {
        Builder builder = new Builder(Source.BACKEND);
        try (JsonObjectReader json = JsonObjectReader.open(text)) {
            for (String field = json.nextField(); field != null; field = json.nextField()) {
                builder.takeWithTargets(field, json);
            }
        }
        return builder.build();
    }

    /** Collects a publish's fields as they come. */
    static final class Builder {
        private final Source source;
        private final List<Target> targets = new ArrayList<>();
        private @Nullable String targetField;
        private byte @Nullable [] data;
        private Priority priority = Priority.NORMAL;
        private @Nullable String messageId;
        private @Nullable String sender;
        private @Nullable String unsupported;

        Builder(Source source) {
            this.source = source;
        }

        void takeWithTargets(String field, JsonObjectReader json) {
            switch (field) {
                case "topic" -> {
                    oneKindOfTarget(field);
                    targets.add(Target.topic(json.string()));
                }
                case "topics" -> {
                    oneKindOfTarget(field);
                    json.strings(MAX_TARGETS).forEach(name -> targets.add(Target.topic(name)));
                }
                case "user" -> {
                    oneKindOfTarget(field);
                    targets.add(Target.user(json.string()));
                }
                case "users" -> {
                    oneKindOfTarget(field);
                    json.strings(MAX_TARGETS).forEach(name -> targets.add(Target.user(name)));
                }
                default -> take(field, json);
            }
        }

        void take(String field, JsonObjectReader json) {
            switch (field) {
                case "data" -> data = json.raw();
                case "priority" -> {
                    String word = json.string();
                    Priority known = Priority.ofWire(word);
                    if (known == null) {
                        throw JsonObjectReader.bad(
                                "field 'priority' is low, normal, high or critical, found " + Printable.of(word));
                    }
                    priority = known;
                }
                case "messageId" -> {
                    messageId = json.string();
                    if (messageId.isEmpty() || messageId.length() > MAX_MESSAGE_ID_LENGTH) {
                        throw JsonObjectReader.bad("field 'messageId' has 1 to " + MAX_MESSAGE_ID_LENGTH
                                + " characters, found " + messageId.length());
                    }
                }
                case "sender" -> {
                    if (source == Source.CLIENT) {
                        throw JsonObjectReader.bad("a client's messages carry its own user: leave 'sender' out");
                    }
                    sender = UserName.check(json.string());
                }
                // Ignoring these would change what the publisher meant, unlike ignoring a field that we don't know.
                case "ttlMs", "key", "merge" -> {
                    unsupported = field;
                    json.skip();
                }
                default -> json.skip();
            }
        }

        private void oneKindOfTarget(String field) {
            if (targetField != null) {
                throw JsonObjectReader.bad("a publish has one of 'topic', 'topics', 'user', 'users', not both '"
                        + targetField + "' and '" + field + "'");
            }
            targetField = field;
        }

        /** A client's publish: its one target is the frame's topic. */
        PublishRequest toTopic(TopicName topic) {
            targets.add(new Target(topic.toString(), topic, null));
            targetField = "topic";
            return build();
        }

        PublishRequest build() {
            if (unsupported != null) {
                throw new ProtocolException(
                        ErrorCode.NOT_IMPLEMENTED,
                        "field '" + unsupported + "' isn't supported by this version of the gateway");
            }
            if (targetField == null) {
                throw JsonObjectReader.bad("a publish needs one of 'topic', 'topics', 'user', 'users'");
            }
            if (targets.isEmpty()) {
                throw JsonObjectReader.bad("field '" + targetField + "' is empty");
            }
            if (data == null) {
                throw JsonObjectReader.bad("a publish needs a field 'data'");
            }
            boolean single = targetField.equals("topic") || targetField.equals("user");
            return new PublishRequest(List.copyOf(targets), single, data, priority, messageId, sender);
        }
    }
}
