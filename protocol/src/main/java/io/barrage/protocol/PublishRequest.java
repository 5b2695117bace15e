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
 * @param ttlMillis after which the message is stale; 0 for never
 * @param value what to merge into a value of the topics, instead of a message; null for a message
 */
@SuppressWarnings("ArrayRecordComponent") // The data is carried, never compared.
public record PublishRequest(
        List<Target> targets,
        boolean single,
        byte[] data,
        Priority priority,
        @Nullable String messageId,
        @Nullable String sender,
        long ttlMillis,
        @Nullable ValueChange value) {

    /** Most targets of one request. */
    public static final int MAX_TARGETS = 1000;

    /** Most bytes of a line of NDJSON beside the longest data: any publish to one target fits, one to many needn't. */
    public static final int MAX_LINE_ENVELOPE_BYTES = 4 * 1024;

    /** Greatest length of a message id in characters. */
    public static final int MAX_MESSAGE_ID_LENGTH = 128;

    /** Longest time to live of a message, in milliseconds: a day. */
    public static final int MAX_TTL_MILLIS = 86_400_000;

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
        private @Nullable Priority priority;
        private @Nullable String messageId;
        private @Nullable String sender;
        private long ttlMillis;
        private @Nullable String key;
        private @Nullable Merge merge;

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
                    int length = messageId.codePointCount(0, messageId.length());
                    if (length < 1 || length > MAX_MESSAGE_ID_LENGTH) {
                        throw JsonObjectReader.bad(
                                "field 'messageId' has 1 to " + MAX_MESSAGE_ID_LENGTH + " characters, found " + length);
                    }
                }
                case "sender" -> {
                    if (source == Source.CLIENT) {
                        throw JsonObjectReader.bad("a client's messages carry its own user: leave 'sender' out");
                    }
                    sender = UserName.check(json.string());
                }
                case "ttlMs" -> ttlMillis = json.integer(1, MAX_TTL_MILLIS);
                case "key" -> key = ValueChange.checkKey(json.string());
                case "merge" -> {
                    String word = json.string();
                    merge = Merge.ofWire(word);
                    if (merge == null) {
                        throw JsonObjectReader.bad(
                                "field 'merge' is last, max, sum or top, found " + Printable.of(word));
                    }
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
            return new PublishRequest(
                    List.copyOf(targets),
                    single,
                    data,
                    priority == null ? Priority.NORMAL : priority,
                    messageId,
                    sender,
                    ttlMillis,
                    value(data));
        }

        private @Nullable ValueChange value(byte[] data) {
            if (key == null && merge == null) {
                return null;
            }
            if (key == null || merge == null) {
                throw JsonObjectReader.bad(
                        "fields 'key' and 'merge' go together: '" + (key == null ? "key" : "merge") + "' is missing");
            }
            if (priority != null) {
                throw JsonObjectReader.bad("a publish with 'key' and 'merge' has no 'priority': it is never shed");
            }
            if (ttlMillis != 0) {
                throw JsonObjectReader.bad(
                        "a publish with 'key' and 'merge' has no 'ttlMs': a value stands until it changes");
            }
            return ValueChange.of(key, merge, data);
        }
    }
}
