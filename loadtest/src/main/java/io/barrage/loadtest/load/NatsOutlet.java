package io.barrage.loadtest.load;

import io.barrage.loadtest.target.NatsTarget;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.LineBasedFrameDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/**
 * A plain NATS client that only publishes. Confined to its event loop.
 *
 * <p>The server answers no {@code PUB}, but works through commands in order: a {@code PING} behind the publishes of each write
 * asks whether it has come so far, and its {@code PONG} answers all of them.
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
final class NatsOutlet extends BufferedOutlet<ByteBuf> {
    private static final int MAX_LINE_BYTES = 32 * 1024;
    private static final String PING = NatsTarget.PING.strip();
    private static final String PONG = NatsTarget.PONG.strip();

    /** How many publishes each ping that waits for its pong stands behind. */
    private final ArrayDeque<Integer> asked = new ArrayDeque<>();

    /** The sum of those. */
    private int askedAfter;

    NatsOutlet(Target target, PublishConnection.Listener listener) {
        super(ByteBuf.class, target, listener);
    }

    @Override
    public ChannelHandler[] handlers() {
        return new ChannelHandler[] {new LineBasedFrameDecoder(MAX_LINE_BYTES), this};
    }

    @Override
    String opening() {
        return NatsTarget.CONNECT;
    }

    @Override
    void beforePublishes(ByteBuf out, int bytes) {
        // each PUB stands for itself
    }

    @Override
    void behindPublishes(ByteBuf out) {
        out.writeCharSequence(NatsTarget.PING, StandardCharsets.US_ASCII);
        int publishes = unanswered() - askedAfter;
        asked.add(publishes);
        askedAfter += publishes;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) throws IOException {
        String text = line.toString(StandardCharsets.US_ASCII);
        if (text.equals(PONG)) {
            Integer publishes = asked.poll();
            if (publishes == null) {
                throw new IOException("a PONG to no PING");
            }
            for (int i = 0; i < publishes; i++) {
                askedAfter--;
                answered(0, line);
            }
        } else if (text.equals(PING)) {
            ctx.writeAndFlush(Unpooled.copiedBuffer(NatsTarget.PONG, StandardCharsets.US_ASCII), ctx.voidPromise());
        } else if (text.startsWith("-ERR")) {
            throw new IOException("the server said " + text);
        }
    }
}
