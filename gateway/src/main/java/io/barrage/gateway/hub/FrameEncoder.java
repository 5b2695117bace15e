package io.barrage.gateway.hub;

import io.barrage.protocol.Message;
import io.barrage.protocol.MessagesFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import io.barrage.protocol.WebSocketFrames.Opcode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes WebSocket frames of messages, in a buffer that is used again: once per stream, whatever the number of its readers.
 *
 * <p>Confined to its event loop.
 */
final class FrameEncoder {
    private byte[] bytes = new byte[1024];
    private int length;
    private int payload;
    private boolean deflated;
    /** Made with the first frame that it may pay for. */
    private @Nullable FrameDeflater deflater;
    /** One for all streams: there may be a hundred thousand of them. */
    private final TopicLog.Content content = new TopicLog.Content();

    /** A content to fill in for the log; the last one is lost. */
    TopicLog.Content content() {
        return content.clear();
    }

    /** The frame that was made last lies in here; its content is lost with the next one. */
    byte[] bytes() {
        return deflated && deflater != null ? deflater.frame() : bytes;
    }

    /** Where the frame that was made last begins. */
    int start() {
        return deflated && deflater != null ? deflater.start() : 0;
    }

    /** Length of the frame that was made last. */
    int length() {
        return deflated && deflater != null ? deflater.length() : length;
    }

    /** Makes a frame of one message. */
    void encode(Message message) {
        payload = message.jsonLength();
        length = WebSocketFrames.length(message);
        deflated = false;
        makeRoom(length);
        WebSocketFrames.put(bytes, 0, message);
    }

    /** Makes one frame of messages; one that is alone is a frame of its own kind. */
    void encode(TopicName topic, List<Message> messages) {
        if (messages.size() == 1) {
            encode(messages.get(0));
            return;
        }
        payload = MessagesFrame.length(topic, messages);
        length = WebSocketFrames.headerLength(payload) + payload;
        deflated = false;
        makeRoom(length);
        int at = WebSocketFrames.putHeader(bytes, 0, Opcode.TEXT, payload);
        MessagesFrame.put(bytes, at, topic, messages);
    }

    /** Compresses the frame that was made last, if that pays. For a frame that many get: it takes some ten microseconds. */
    void deflate() {
        if (payload >= FrameDeflater.MIN_PAYLOAD) {
            if (deflater == null) {
                deflater = new FrameDeflater();
            }
            deflated = deflater.deflate(bytes, length - payload, payload);
        }
    }

    private void makeRoom(int needed) {
        if (bytes.length < needed) {
            bytes = new byte[Math.max(needed, bytes.length * 2)];
        }
    }

    /** Gives native memory back. Not to be used any more. */
    void close() {
        if (deflater != null) {
            deflater.close();
        }
    }
}
