package io.barrage.gateway.hub;

import io.barrage.protocol.WebSocketFrames;
import io.barrage.protocol.WebSocketFrames.Opcode;
import java.util.zip.Deflater;

/**
 * Makes compressed text frames of permessage-deflate without context takeover (RFC 7692): each stands for itself, so that one
 * goes to every connection that has negotiated it. One per shard; its window is the only memory that compression costs.
 *
 * <p>Confined to its event loop.
 */
final class FrameDeflater implements AutoCloseable {
    /**
     * zlib's, 1 to 9. Of messages frames with 5 to 50 real comments 1 saves 58 to 75 %, 6 saves 59 to 77 % and takes up to one and
     * a half times as long: the decisions page has the table.
     */
    static final int LEVEL = 1;

    /** Payloads below aren't tried, in bytes: a lone comment has 160, and would save 34 of them for 10 µs and more. */
    static final int MIN_PAYLOAD = 256;

    /** What a flush ends with, and a frame leaves out (RFC 7692 section 7.2.1): 00 00 ff ff. */
    private static final int TAIL = 4;

    /** A buffer larger than this isn't kept for the next frame. */
    private static final int MAX_KEPT = 128 * 1024;

    private final Deflater deflater;
    private byte[] frame = new byte[4 * 1024];
    private int start;
    private int end;

    FrameDeflater() {
        this(LEVEL);
    }

    /** @param level zlib's, 1 to 9 */
    FrameDeflater(int level) {
        this.deflater = new Deflater(level, true);
    }

    /**
     * Compresses a text frame's payload, if that saves a tenth of it at least. If so, {@link #frame} has the frame.
     *
     * @param payload borrowed
     * @return whether it pays
     */
    boolean deflate(byte[] payload, int from, int length) {
        return length >= MIN_PAYLOAD && deflate(payload, from, length, length - length / 10);
    }

    /** Compresses into {@code most} bytes of payload, or not at all. */
    boolean deflate(byte[] payload, int from, int length, int most) {
        // One byte more than may be used: a deflater that fills its room may have more to say.
        int room = most + TAIL + 1;
        if (frame.length < WebSocketFrames.MAX_HEADER + room || frame.length > MAX_KEPT) {
            frame = new byte[Math.max(WebSocketFrames.MAX_HEADER + room, 4 * 1024)];
        }
        deflater.reset();
        deflater.setInput(payload, from, length);
        int written = deflater.deflate(frame, WebSocketFrames.MAX_HEADER, room, Deflater.SYNC_FLUSH);
        if (written == room) {
            return false;
        }
        int deflated = written - TAIL;
        // The payload is in place; its header goes right before it.
        start = WebSocketFrames.MAX_HEADER - WebSocketFrames.headerLength(deflated);
        end = WebSocketFrames.putHeader(frame, start, Opcode.DEFLATED_TEXT, deflated) + deflated;
        return true;
    }

    /** The bytes that the frame lies in, until the next call of {@link #deflate}; borrowed. */
    byte[] frame() {
        return frame;
    }

    /** Where the frame begins. */
    int start() {
        return start;
    }

    /** The frame's length, header included. */
    int length() {
        return end - start;
    }

    /** Gives the window back. Not to be used any more. */
    @Override
    public void close() {
        deflater.end();
    }
}
