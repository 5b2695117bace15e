package io.barrage.protocol;

import java.util.regex.Pattern;

/**
 * A topic's position: the epoch names the life of the numbering, the offset the last message. The same epoch and the next
 * offset mean that nothing was lost.
 *
 * <p>Immutable.
 *
 * @param epoch 1 to 32 of {@code a-z 0-9}
 * @param offset 0 (before the first message) to 2^53-1
 */
public record Position(String epoch, long offset) {
    /** Greatest offset and id: what a JavaScript number holds exactly, 2^53-1. */
    public static final long MAX_OFFSET = (1L << 53) - 1;

    private static final Pattern EPOCH = Pattern.compile("[a-z0-9]{1,32}");

    /** @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} if either part isn't one */
    public Position {
        if (!EPOCH.matcher(epoch).matches()) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST, "an epoch is 1 to 32 of a-z 0-9: " + Printable.of(epoch));
        }
        if (offset < 0 || offset > MAX_OFFSET) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "an offset is 0 to 2^53-1: " + offset);
        }
    }

    /**
     * Reads {@code epoch:offset}.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong
     */
    public static Position parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST,
                    "a position of a topic is written epoch:offset, such as k3x9:17, not " + Printable.of(text));
        }
        return new Position(text.substring(0, colon), offset(text.substring(colon + 1), text));
    }

    private static long offset(String digits, String text) {
        if (digits.isEmpty() || digits.length() > 16 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST, "the offset of a position is a number: " + Printable.of(text));
        }
        return Long.parseLong(digits);
    }

    /** A position with its topic, written {@code topic@epoch:offset}. */
    public record OfTopic(TopicName topic, Position position) {
        /**
         * Reads {@code topic@epoch:offset}.
         *
         * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong
         */
        public static OfTopic parse(String text) {
            int at = text.lastIndexOf('@');
            int colon = text.indexOf(':', at + 1);
            if (at < 0 || colon < 0) {
                throw new ProtocolException(
                        ErrorCode.BAD_REQUEST, "a position is written topic@epoch:offset: " + Printable.of(text));
            }
            return new OfTopic(
                    TopicName.ofPosition(text.substring(0, at)),
                    new Position(text.substring(at + 1, colon), offset(text.substring(colon + 1), text)));
        }
    }
}
