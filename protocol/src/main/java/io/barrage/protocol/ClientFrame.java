package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What a client says: one JSON object in one text frame. Immutable.
 *
 * <p>{@code id} is the client's own number for the request, echoed in the answer; 0 means that it wants no answer.
 */
public sealed interface ClientFrame {
    /** The client's number for this request, 1 to 2^53-1, or 0 without one. */
    long id();

    /** Presents or renews a token. */
    record Auth(long id, String token) implements ClientFrame {}

    /**
     * Subscribes to a topic.
     *
     * @param since the last position that the client has seen, to recover from
     * @param last how many of the newest messages it wants if there is nothing to recover; 0 for none
     * @param token lets the connection do more on this topic than the token that it came with; null without
     */
    record Subscribe(
            long id,
            TopicName topic,
            @Nullable Position since,
            int last,
            @Nullable String token) implements ClientFrame {}

    /** Says how much of a topic the client wants. */
    record Attention(long id, TopicName topic, AttentionLevel level) implements ClientFrame {}

    /** Ends a subscription. */
    record Unsubscribe(long id, TopicName topic) implements ClientFrame {}

    /** Publishes a message as the connection's user. */
    record Publish(long id, TopicName topic, PublishRequest request) implements ClientFrame {}

    /** Asks who is on a topic. */
    record Presence(long id, TopicName topic) implements ClientFrame {}

    /** Asks for messages of a topic's history. */
    record History(long id, TopicName topic, HistoryQuery query) implements ClientFrame {}

    /** Asks for a sign of life, which the gateway gives; scripts in browsers can't see WebSocket pings. */
    record Ping(long id) implements ClientFrame {}

    /**
     * A frame of a known shape that can't be carried out: a field is wrong, or the type isn't one. Answered, not counted as
     * noise.
     */
    record Invalid(long id, @Nullable String topic, ProtocolException error) implements ClientFrame {}

    /**
     * Reads a frame.
     *
     * @param text the frame's bytes, kept by nobody
     * @throws ProtocolException if it isn't JSON, isn't an object, or has no type: noise
     */
    static ClientFrame parse(byte[] text) {
        return new ClientFrameReader().read(text);
    }
}
