package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/** Reads one {@link ClientFrame}: all fields first, since a client may send them in any order, then what they make. */
final class ClientFrameReader {
    /** Most messages that a client may ask for on subscribing. */
    private static final int MAX_LAST = 1_000_000;

    private long id;
    private @Nullable String type;
    private @Nullable String topic;
    private @Nullable String token;
    private @Nullable Position since;
    private int last;
    private @Nullable Position before;
    private int limit;
    private @Nullable String level;
    private final PublishRequest.Builder publish = new PublishRequest.Builder(PublishRequest.Source.CLIENT);

    ClientFrame read(byte[] text) {
        ProtocolException wrongField = null;
        try (JsonObjectReader json = JsonObjectReader.open(text)) {
            for (String field = json.nextField(); field != null; field = json.nextField()) {
                try {
                    take(field, json);
                } catch (ProtocolException e) {
                    // Read on: the id may come later, and the answer should carry it.
                    wrongField = wrongField == null ? e : wrongField;
                    json.skip();
                }
            }
        }
        if (type == null) {
            throw wrongField != null ? wrongField : JsonObjectReader.bad("a frame needs a field 'type'");
        }
        if (wrongField != null) {
            return new ClientFrame.Invalid(id, topic, wrongField);
        }
        try {
            return make(type);
        } catch (ProtocolException e) {
            return new ClientFrame.Invalid(id, topic, e);
        }
    }

    private void take(String field, JsonObjectReader json) {
        switch (field) {
            case "type" -> type = json.string();
            case "id" -> id = json.integer(1, Position.MAX_OFFSET);
            case "topic" -> topic = json.string();
            case "token" -> token = json.string();
            case "since" -> since = json.position();
            case "before" -> before = json.position();
            case "last" -> last = (int) json.integer(1, MAX_LAST);
            case "limit" -> limit = (int) json.integer(1, HistoryQuery.MAX_LIMIT);
            case "level" -> level = json.string();
            default -> publish.take(field, json);
        }
    }

    private ClientFrame make(String type) {
        return switch (type) {
            case "auth" -> {
                if (token == null) {
                    throw JsonObjectReader.bad("'auth' needs a field 'token'");
                }
                yield new ClientFrame.Auth(id, token);
            }
            case "subscribe" -> new ClientFrame.Subscribe(id, topic(), since, last, token);
            case "attention" -> new ClientFrame.Attention(id, topic(), level());
            case "unsubscribe" -> new ClientFrame.Unsubscribe(id, topic());
            case "publish" -> {
                TopicName to = topic();
                yield new ClientFrame.Publish(id, to, publish.toTopic(to));
            }
            case "ping" -> new ClientFrame.Ping(id);
            case "presence" -> new ClientFrame.Presence(id, topic());
            case "history" -> new ClientFrame.History(id, topic(), HistoryQuery.of(since, before, last, limit));
            default -> throw JsonObjectReader.bad("unknown type " + Printable.of(type));
        };
    }

    private AttentionLevel level() {
        if (level == null) {
            throw JsonObjectReader.bad("'" + type + "' needs a field 'level'");
        }
        AttentionLevel known = AttentionLevel.ofWire(level);
        if (known == null) {
            throw JsonObjectReader.bad("field 'level' is full, digest or counts, found " + Printable.of(level));
        }
        return known;
    }

    private TopicName topic() {
        if (topic == null) {
            throw JsonObjectReader.bad("'" + type + "' needs a field 'topic'");
        }
        return TopicName.of(topic);
    }
}
