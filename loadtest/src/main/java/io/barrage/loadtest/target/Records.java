package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;

/**
 * How a gateway puts several records into the payloads of its data frames. Confined to the event loop of its connection, unless
 * it is immutable.
 *
 * <p>A record is what is one message, one answer or one ping of the gateway's own protocol, whatever frames carry it. Every
 * method borrows its buffer and leaves its indexes alone.
 */
public interface Records {
    /**
     * The index behind the record that starts at {@code index}, or -1 if it isn't whole before {@code end}.
     *
     * @throws io.netty.handler.codec.CorruptedFrameException if no record can start like that
     */
    int end(ByteBuf in, int index, int end);

    /** Whether the end of a WebSocket message ends a record too; if not, records may go on in the next. */
    boolean endWithMessage();

    /** Whether the whole record from {@code index} to {@code end} delivers a message. */
    boolean isDelivery(ByteBuf in, int index, int end);
}
