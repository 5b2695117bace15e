package io.barrage.protocol;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What a backend asks of a user's connections: one JSON object. Immutable.
 *
 * @param topic to be put on, or taken off; null where none is named
 * @param since the position to recover from when they are put on it; null for none
 * @param last how many of the newest messages they get then if there is nothing to recover; 0 for none
 * @param connection the id of the only one that is meant; null for all
 * @param reason told to the clients; null for none
 * @param reconnect whether a connection that is closed is to come back
 */
public record ControlRequest(
        @Nullable TopicName topic,
        @Nullable Position since,
        int last,
        @Nullable String connection,
        @Nullable String reason,
        boolean reconnect) {
    /** Bytes of a reason in UTF-8: a close frame carries no more, with what else is to be said. */
    public static final int MAX_REASON = 90;

    private static final int MAX_LAST = 1_000_000;

    /**
     * Reads a request.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong with it
     */
    public static ControlRequest parse(byte[] text) {
        TopicName topic = null;
        Position since = null;
        int last = 0;
        String connection = null;
        String reason = null;
        boolean reconnect = false;
        try (JsonObjectReader json = JsonObjectReader.open(text)) {
            for (String field = json.nextField(); field != null; field = json.nextField()) {
                switch (field) {
                    case "topic" -> topic = TopicName.of(json.string());
                    case "since" -> since = json.position();
                    case "last" -> last = (int) json.integer(1, MAX_LAST);
                    case "connection" -> connection = json.string();
                    case "reason" -> reason = checkReason(json.string());
                    case "reconnect" -> reconnect = json.bool();
                    default -> json.skip();
                }
            }
        }
        return new ControlRequest(topic, since, last, connection, reason, reconnect);
    }

    /**
     * Gives {@code reason} if it can be told.
     *
     * @throws ProtocolException if it is empty, too long, or has control characters
     */
    public static String checkReason(String reason) {
        int length = reason.getBytes(StandardCharsets.UTF_8).length;
        if (length < 1 || length > MAX_REASON) {
            throw JsonObjectReader.bad("a 'reason' has 1 to " + MAX_REASON + " bytes in UTF-8, this one has " + length);
        }
        if (reason.chars().anyMatch(Character::isISOControl)) {
            throw JsonObjectReader.bad("a 'reason' has no control characters: " + Printable.of(reason));
        }
        return reason;
    }

    /**
     * The topic, which this request must have.
     *
     * @throws ProtocolException if it has none
     */
    public TopicName requireTopic() {
        if (topic == null) {
            throw JsonObjectReader.bad("this request needs a field 'topic'");
        }
        return topic;
    }
}
