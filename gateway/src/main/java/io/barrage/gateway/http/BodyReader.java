package io.barrage.gateway.http;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.function.Consumer;

/** What becomes of a request's body. Confined to the channel's event loop. */
public interface BodyReader {
    /** Some of the body; {@code bytes} is borrowed. */
    void content(ByteBuf bytes);

    /** The body was complete. */
    void end();

    /** The connection ended, or the request was refused, before the answer was complete. */
    default void abort() {}

    /** Drops the body of a request that has none to speak of, and goes on with {@code then}. */
    static BodyReader none(Runnable then) {
        return new BodyReader() {
            @Override
            public void content(ByteBuf bytes) {
                if (bytes.isReadable()) {
                    throw new ProtocolException(ErrorCode.BAD_REQUEST, "this request takes no body");
                }
            }

            @Override
            public void end() {
                then.run();
            }
        };
    }

    /**
     * Collects a body of at most {@code maxBytes} and gives it to {@code then}.
     *
     * @throws ProtocolException from {@link #content}, with {@link ErrorCode#TOO_LARGE}
     */
    static BodyReader whole(int maxBytes, Consumer<byte[]> then) {
        return new BodyReader() {
            private byte[] body = {};
            private int length;

            @Override
            public void content(ByteBuf bytes) {
                int more = bytes.readableBytes();
                if (more > maxBytes - length) {
                    throw tooLarge(maxBytes);
                }
                if (length + more > body.length) {
                    // Nearly all bodies come in one piece: that one is copied once.
                    int capacity =
                            length == 0 ? more : (int) Math.min(maxBytes, Math.max(length + more, body.length * 2L));
                    body = Arrays.copyOf(body, capacity);
                }
                bytes.getBytes(bytes.readerIndex(), body, length, more);
                length += more;
            }

            @Override
            public void end() {
                then.accept(length == body.length ? body : Arrays.copyOf(body, length));
            }
        };
    }

    /** The mistake of a body over its limit. */
    static ProtocolException tooLarge(int maxBytes) {
        return new ProtocolException(ErrorCode.TOO_LARGE, "the body is larger than " + maxBytes + " bytes");
    }
}
