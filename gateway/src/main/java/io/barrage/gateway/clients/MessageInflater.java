package io.barrage.gateway.clients;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decompresses clients' messages (RFC 7692 section 7.2.2), each for itself, within a bound. One per event loop: without context
 * takeover nothing is kept between messages, so connections need none of their own.
 *
 * <p>Confined to its event loop.
 */
final class MessageInflater implements AutoCloseable {
    /**
     * What a sender has left out, 00 00 ff ff, and behind it a final block without content: the stream must end there exactly,
     * or the message was cut within a block, which the inflater alone would take for a short one.
     */
    private static final byte[] TAIL = {0, 0, -1, -1, 3, 0};

    /** A buffer larger than this isn't kept for the next message. */
    private static final int MAX_KEPT = 128 * 1024;

    private static final int MIN_BUFFER = 4 * 1024;

    private final Inflater inflater = new Inflater(true);
    private byte[] buffer = new byte[MIN_BUFFER];

    /** The message is larger than it may be. */
    static final class TooBigException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /**
     * The message that was compressed into {@code payload}. Never inflates more than a buffer that is {@code most} bytes long.
     *
     * @param payload of all frames of the message; borrowed
     * @throws TooBigException if the message has more than {@code most} bytes
     * @throws DataFormatException if it isn't a whole number of DEFLATE blocks
     */
    byte[] inflate(byte[] payload, int most) throws TooBigException, DataFormatException {
        inflater.reset();
        try {
            inflater.setInput(payload);
            int length = inflateInput(0, most);
            if (inflater.finished()) {
                // A sender may end with a final block; the header of an empty one follows (RFC 7692 section 7.2.3.4).
                int left = inflater.getRemaining();
                if (left > 1 || (left == 1 && payload[payload.length - 1] != 0)) {
                    throw new DataFormatException("something follows its final block");
                }
            } else {
                inflater.setInput(TAIL);
                length = inflateInput(length, most);
                if (!inflater.finished() || inflater.getRemaining() > 0) {
                    throw new DataFormatException("it ends within a block");
                }
            }
            return Arrays.copyOf(buffer, length);
        } finally {
            if (buffer.length > MAX_KEPT) {
                buffer = new byte[MIN_BUFFER];
            }
        }
    }

    /** Inflates what is the input behind {@code length} bytes; gives the length then. */
    private int inflateInput(int length, int most) throws TooBigException, DataFormatException {
        int end = length;
        while (true) {
            // One byte more than a message may have tells a longest one from a longer.
            int room = Math.min(buffer.length, most + 1) - end;
            int count = inflater.inflate(buffer, end, room);
            end += count;
            if (end > most) {
                throw new TooBigException();
            }
            if (count == room) {
                buffer = Arrays.copyOf(buffer, (int) Math.min(2L * buffer.length, most + 1L));
            } else if (inflater.finished() || inflater.needsInput()) {
                return end;
            } else if (inflater.needsDictionary() || count == 0) {
                throw new DataFormatException("it needs what isn't there");
            }
        }
    }

    /** Gives its window back. Not to be used any more. */
    @Override
    public void close() {
        inflater.end();
    }
}
