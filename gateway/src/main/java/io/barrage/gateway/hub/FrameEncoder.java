package io.barrage.gateway.hub;

import io.barrage.protocol.Message;
import io.barrage.protocol.MessagesFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import io.barrage.protocol.WebSocketFrames.Opcode;
import java.util.List;

/**
 * Makes WebSocket frames of messages, in a buffer that is used again: once per stream, whatever the number of its readers.
 *
 * <p>Confined to its event loop.
 */
final class FrameEncoder {
    private byte[] bytes = new byte[1024];
    private int length;
    /** One for all streams: there may be a hundred thousand of them. */
    private final TopicLog.Content content = new TopicLog.Content();

    /** A content to fill in for the log; the last one is lost. */
    TopicLog.Content content() {
        return content.clear();
    }

    /** The frame that was made last, from index 0 on; its content is lost with the next one. */
    byte[] bytes() {
        return bytes;
    }

    /** Length of the frame that was made last. */
    int length() {
        return length;
    }

    /** Makes a frame of one message. */
    void encode(Encoding encoding, Message message) {
        length = WebSocketFrames.length(message);
        makeRoom(length);
        WebSocketFrames.put(bytes, 0, message);
    }

    /** Makes one frame of messages; one that is alone is a frame of its own kind. */
    void encode(Encoding encoding, TopicName topic, List<Message> messages) {
        if (messages.size() == 1) {
            encode(encoding, messages.get(0));
            return;
        }
        int payload = MessagesFrame.length(topic, messages);
        length = WebSocketFrames.headerLength(payload) + payload;
        makeRoom(length);
        int at = WebSocketFrames.putHeader(bytes, 0, Opcode.TEXT, payload);
        MessagesFrame.put(bytes, at, topic, messages);
    }

    private void makeRoom(int needed) {
        if (bytes.length < needed) {
            bytes = new byte[Math.max(needed, bytes.length * 2)];
        }
    }
}
