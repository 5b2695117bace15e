package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import java.io.IOException;

/** An NDJSON stream: a line for each publish, all that wait in one chunk, and a line for each in the answer. */
final class NdjsonOutlet extends BufferedOutlet<HttpObject> {
    private static final int MAX_LINE_BYTES = 64 * 1024;
    private static final int OK = 200;

    /** The beginning of a line whose end hasn't come. */
    private final ByteBuf begun = Unpooled.buffer(256, MAX_LINE_BYTES);

    NdjsonOutlet(Target target, PublishConnection.Listener listener) {
        super(HttpObject.class, target, listener);
    }

    @Override
    public ChannelHandler[] handlers() {
        return new ChannelHandler[] {new HttpResponseDecoder(), this};
    }

    @Override
    String opening() {
        return "POST /v1/publish HTTP/1.1\r\nhost: " + HostPort.format(target.backend())
                + "\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    }

    @Override
    void beforePublishes(ByteBuf out, int bytes) {
        out.writeCharSequence(Integer.toHexString(bytes) + "\r\n", US_ASCII);
    }

    @Override
    void behindPublishes(ByteBuf out) {
        out.writeCharSequence("\r\n", US_ASCII);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject read) throws IOException {
        if (read.decoderResult().isFailure()) {
            throw new IOException("not HTTP: " + read.decoderResult().cause());
        }
        if (read instanceof HttpResponse response && response.status().code() != OK) {
            throw new IOException("the gateway answered " + response.status());
        }
        if (read instanceof HttpContent content) {
            lines(content.content());
        }
    }

    private void lines(ByteBuf in) throws IOException {
        while (in.isReadable()) {
            int newline = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
            if (newline < 0) {
                begun.writeBytes(in);
            } else {
                begun.writeBytes(in, newline - in.readerIndex());
                in.skipBytes(1);
                if (begun.isReadable()) {
                    answered(OK, begun);
                    begun.clear();
                }
            }
        }
    }
}
