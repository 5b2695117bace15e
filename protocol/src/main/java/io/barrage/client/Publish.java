package io.barrage.client;

import io.barrage.protocol.Merge;
import io.barrage.protocol.Priority;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import io.barrage.protocol.ValueChange;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/**
 * A message, and where it goes: to one or many topics or users. Immutable: each option gives another one.
 *
 * <p>Data is one JSON value, as text or as UTF-8, and is carried byte for byte; in a {@linkplain BarrageClient#publishAll batch}
 * line ends between its parts become spaces. Names, options and data are checked here, as the gateway would, and what is wrong is an
 * {@link IllegalArgumentException} that says so.
 */
public final class Publish {
    private static final byte[] BEFORE_DATA = ",\"data\":".getBytes(StandardCharsets.US_ASCII);

    private final Kind kind;
    private final List<String> names;
    private final byte[] data;
    private final Options options;

    private enum Kind {
        TOPIC("topic"),
        TOPICS("topics"),
        USER("user"),
        USERS("users");

        private final String field;

        Kind(String field) {
            this.field = field;
        }

        boolean isSingle() {
            return this == TOPIC || this == USER;
        }

        boolean isOfUsers() {
            return this == USER || this == USERS;
        }
    }

    private record Options(
            @Nullable String messageId,
            @Nullable Priority priority,
            @Nullable String sender,
            long ttlMillis,
            @Nullable String key,
            @Nullable Merge merge) {
        static final Options NONE = new Options(null, null, null, 0, null, null);
    }

    private Publish(Kind kind, List<String> names, byte[] data, Options options) {
        if (names.isEmpty() || names.size() > PublishRequest.MAX_TARGETS) {
            throw new IllegalArgumentException(
                    "a publish has 1 to " + PublishRequest.MAX_TARGETS + " targets, not " + names.size());
        }
        this.kind = kind;
        this.names = names;
        this.data = data;
        this.options = options;
    }

    private static Publish of(Kind kind, Collection<String> names, byte[] json) {
        UnaryOperator<String> check =
                kind.isOfUsers() ? UserName::check : name -> TopicName.of(name).toString();
        return new Publish(
                kind,
                names.stream()
                        .map(name -> Json.argument(() -> check.apply(name)))
                        .toList(),
                Json.value(json),
                Options.NONE);
    }

    private static byte[] utf8(String json) {
        return Json.utf8("data", json);
    }

    /** A message to a topic. */
    public static Publish toTopic(String topic, String json) {
        return toTopic(topic, utf8(json));
    }

    /** A message to a topic. */
    public static Publish toTopic(String topic, byte[] json) {
        return of(Kind.TOPIC, List.of(topic), json);
    }

    /** The same message to each of up to 1,000 topics, which stand for themselves: some may refuse it. */
    public static Publish toTopics(Collection<String> topics, String json) {
        return toTopics(topics, utf8(json));
    }

    /** The same message to each of up to 1,000 topics, which stand for themselves: some may refuse it. */
    public static Publish toTopics(Collection<String> topics, byte[] json) {
        return of(Kind.TOPICS, topics, json);
    }

    /** A message to all connections that a user has now. */
    public static Publish toUser(String user, String json) {
        return toUser(user, utf8(json));
    }

    /** A message to all connections that a user has now. */
    public static Publish toUser(String user, byte[] json) {
        return of(Kind.USER, List.of(user), json);
    }

    /** The same message to each of up to 1,000 users. */
    public static Publish toUsers(Collection<String> users, String json) {
        return toUsers(users, utf8(json));
    }

    /** The same message to each of up to 1,000 users. */
    public static Publish toUsers(Collection<String> users, byte[] json) {
        return of(Kind.USERS, users, json);
    }

    // ---------------------------------------------------------------- options

    /**
     * With an id of the caller's, 1 to 128 characters. Without one each call makes one, for its own attempts; with one, a later call,
     * perhaps of another process, is a repeat too: a topic publishes an id of an API key once within five minutes.
     */
    public Publish messageId(String id) {
        Json.utf8("a message id", id);
        int length = id.codePointCount(0, id.length());
        if (length < 1 || length > PublishRequest.MAX_MESSAGE_ID_LENGTH) {
            throw new IllegalArgumentException("a message id has 1 to " + PublishRequest.MAX_MESSAGE_ID_LENGTH
                    + " characters, this one has " + length);
        }
        return with(new Options(id, options.priority, options.sender, options.ttlMillis, options.key, options.merge));
    }

    /** With a priority other than {@link Priority#NORMAL}. */
    public Publish priority(Priority priority) {
        return with(new Options(
                options.messageId, priority, options.sender, options.ttlMillis, options.key, options.merge));
    }

    /** From this user: subscribers are told, and limits on senders count for it. */
    public Publish sender(String user) {
        String sender = Json.argument(() -> UserName.check(user));
        return with(new Options(
                options.messageId, options.priority, sender, options.ttlMillis, options.key, options.merge));
    }

    /** Of no use to anybody after so long: a millisecond to a day. */
    public Publish ttl(Duration ttl) {
        long millis = ttl.toMillis();
        if (millis < 1 || millis > PublishRequest.MAX_TTL_MILLIS) {
            throw new IllegalArgumentException("a time to live is 1 ms to a day, not " + ttl);
        }
        return with(
                new Options(options.messageId, options.priority, options.sender, millis, options.key, options.merge));
    }

    /**
     * Merged into the topic's value of this key, instead of a message of its own. Data of {@code null} removes the key. A value has
     * neither priority nor time to live.
     */
    public Publish mergedInto(String key, Merge merge) {
        Json.argument(() -> ValueChange.of(key, merge, data));
        return with(new Options(options.messageId, options.priority, options.sender, options.ttlMillis, key, merge));
    }

    private Publish with(Options changed) {
        if (changed.key != null && (changed.priority != null || changed.ttlMillis != 0)) {
            throw new IllegalArgumentException(
                    "a value has neither a priority nor a time to live: it is never shed, and "
                            + "stands until it changes");
        }
        return new Publish(kind, names, data, changed);
    }

    // ---------------------------------------------------------------- for the client

    /** Whether it was made for one target, and so is answered by one position or one problem. */
    boolean isSingle() {
        return kind.isSingle();
    }

    /** The topics, in order, as answers name them. */
    List<String> topics() {
        return kind.isOfUsers()
                ? names.stream().map(name -> TopicName.ofUser(name).toString()).toList()
                : names;
    }

    @Nullable
    String messageId() {
        return options.messageId;
    }

    /**
     * The same as publishes with this id to some of the targets each, in order, which have at most so many bytes beside their data, or
     * one target: the gateway makes no difference between them and this.
     */
    List<Publish> parts(String messageId, int maxEnvelopeBytes) {
        if (names.size() == 1 || fields(messageId).length + BEFORE_DATA.length <= maxEnvelopeBytes) {
            return List.of(this);
        }
        int half = names.size() / 2;
        List<Publish> parts = new ArrayList<>();
        for (List<String> some : List.of(names.subList(0, half), names.subList(half, names.size()))) {
            parts.addAll(new Publish(kind, some, data, options).parts(messageId, maxEnvelopeBytes));
        }
        return parts;
    }

    private byte[] fields(String messageId) {
        return Json.write(out -> writeFields(out, messageId));
    }

    /** As the gateway reads it. */
    byte[] json(String messageId) {
        byte[] fields = fields(messageId);
        ByteArrayOutputStream whole = new ByteArrayOutputStream(fields.length + BEFORE_DATA.length + data.length + 1);
        whole.write(fields, 0, fields.length - 1);
        whole.writeBytes(BEFORE_DATA);
        whole.writeBytes(data);
        whole.write('}');
        return whole.toByteArray();
    }

    /** The same on one line, which is ended. */
    byte[] line(String messageId) {
        byte[] json = json(messageId);
        for (int i = 0; i < json.length; i++) {
            if (json[i] == '\n' || json[i] == '\r') {
                // Not within a string: JSON writes it with a backslash there.
                json[i] = ' ';
            }
        }
        byte[] line = Arrays.copyOf(json, json.length + 1);
        line[json.length] = '\n';
        return line;
    }

    private void writeFields(JsonGenerator out, String messageId) {
        if (isSingle()) {
            out.writeStringProperty(kind.field, names.get(0));
        } else {
            out.writeArrayPropertyStart(kind.field);
            names.forEach(out::writeString);
            out.writeEndArray();
        }
        out.writeStringProperty("messageId", messageId);
        if (options.priority != null) {
            out.writeStringProperty("priority", options.priority.wire());
        }
        if (options.sender != null) {
            out.writeStringProperty("sender", options.sender);
        }
        if (options.ttlMillis != 0) {
            out.writeNumberProperty("ttlMs", options.ttlMillis);
        }
        if (options.key != null && options.merge != null) {
            out.writeStringProperty("key", options.key);
            out.writeStringProperty("merge", options.merge.wire());
        }
    }

    /** Where it goes; not what it says. */
    @Override
    public String toString() {
        return "Publish[" + kind.field + "=" + (names.size() == 1 ? names.get(0) : names.size() + " of them") + ", "
                + data.length + " bytes]";
    }
}
