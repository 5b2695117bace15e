package io.barrage.gateway.http;

import io.netty.buffer.ByteBuf;

/** An answer that is written bit by bit. Confined to the channel's event loop. */
public interface ResponseStream {
    /** Writes some more; takes {@code bytes}. Flushed with the end of the read at the latest. */
    void write(ByteBuf bytes);

    /** Ends the answer. */
    void end();
}
