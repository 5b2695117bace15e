package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A viewer that counts the bytes it gets, and if it is a witness also the messages in them, compressed or not. Confined to its
 * event loop, but for {@link #ready}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
final class RawViewer extends ChannelInboundHandlerAdapter implements Loops.Connects {
    private static final JsonMapper JSON = new JsonMapper();
    private static final byte[] END_OF_HANDSHAKE = {'\r', '\n', '\r', '\n'};
    private static final byte[] SUBSCRIBED = "{\"type\":\"subscribed\"".getBytes(UTF_8);
    private static final int TEXT = 0x81;
    private static final int DEFLATED_TEXT = 0xc1;
    private static final int MAX_INFLATED = 1 << 20;
    private static final byte[] FLUSH = {0, 0, (byte) 0xff, (byte) 0xff};

    private final Target target;
    private final String path;
    private final Map<String, String> headers;
    private final boolean witness;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private @Nullable ByteBuf unread = Unpooled.buffer(1024);
    private @Nullable ChannelHandlerContext context;
    private boolean upgraded;
    /** Since it is ready. */
    private long bytes;

    private long messages;

    /**
     * @param path with the query that subscribes
     * @param headers of the handshake, besides those of every WebSocket
     */
    RawViewer(Target target, String path, Map<String, String> headers, boolean witness) {
        this.target = target;
        this.path = path;
        this.headers = headers;
        this.witness = witness;
    }

    /** Completes when the subscription stands. */
    CompletableFuture<Void> ready() {
        return ready;
    }

    long bytes() {
        return bytes;
    }

    /** Messages that it got; only a witness knows. */
    long messages() {
        return messages;
    }

    void close() {
        if (context != null) {
            context.close();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        StringBuilder request = new StringBuilder("GET ")
                .append(path)
                .append(" HTTP/1.1\r\nHost: ")
                .append(HostPort.format(target.clients()))
                .append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13")
                .append("\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
        headers.forEach(
                (name, value) -> request.append(name).append(": ").append(value).append("\r\n"));
        ctx.writeAndFlush(Unpooled.copiedBuffer(request.append("\r\n"), ISO_8859_1), ctx.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object read) {
        ByteBuf in = (ByteBuf) read;
        try {
            bytes += in.readableBytes();
            if (unread != null) {
                unread.writeBytes(in);
                take(unread);
            }
        } finally {
            in.release();
        }
    }

    private void take(ByteBuf in) {
        if (!upgraded && !takeHandshake(in)) {
            return;
        }
        if (!ready.isDone()) {
            if (ByteBufUtil.indexOf(Unpooled.wrappedBuffer(SUBSCRIBED), in) < 0) {
                return;
            }
            bytes = 0;
            ready.complete(null);
            if (!witness) {
                in.release();
                unread = null;
                return;
            }
        }
        while (takeFrame(in)) {
            // the next one
        }
        in.discardReadBytes();
    }

    private boolean takeHandshake(ByteBuf in) {
        int end = ByteBufUtil.indexOf(Unpooled.wrappedBuffer(END_OF_HANDSHAKE), in);
        if (end < 0) {
            return false;
        }
        String answer = in.readCharSequence(end - in.readerIndex() + END_OF_HANDSHAKE.length, ISO_8859_1)
                .toString();
        boolean wanted = headers.containsKey("Sec-WebSocket-Extensions");
        if (!answer.startsWith("HTTP/1.1 101 ")) {
            fail(new LoadException(
                    "the upgrade was refused: " + answer.lines().findFirst().orElse("")));
        } else if (wanted != answer.toLowerCase(java.util.Locale.ROOT).contains("permessage-deflate")) {
            fail(new LoadException("compression " + (wanted ? "was refused" : "came unasked")));
        }
        upgraded = true;
        return true;
    }

    /** Reads one whole frame; false if there is none. */
    private boolean takeFrame(ByteBuf in) {
        if (in.readableBytes() < 2) {
            return false;
        }
        int start = in.readerIndex();
        int first = in.getUnsignedByte(start);
        long length = in.getUnsignedByte(start + 1);
        int header = length < 126 ? 2 : length == 126 ? 4 : 10;
        if (in.readableBytes() < header) {
            return false;
        }
        length = header == 2 ? length : header == 4 ? in.getUnsignedShort(start + 2) : in.getLong(start + 2);
        if (in.readableBytes() < header + length) {
            return false;
        }
        byte[] payload = ByteBufUtil.getBytes(in, start + header, (int) length);
        in.skipBytes(header + (int) length);
        if (first == TEXT || first == DEFLATED_TEXT) {
            count(first == TEXT ? payload : inflate(payload), UTF_8);
        }
        return true;
    }

    private void count(byte[] text, Charset charset) {
        JsonNode frame = JSON.readTree(new String(text, charset));
        String type = frame.path("type").asString("");
        if (type.equals("message") && frame.has("offset")) {
            messages++;
        } else if (type.equals("messages")) {
            messages += frame.get("messages").size();
        }
    }

    private static byte[] inflate(byte[] payload) {
        Inflater inflater = new Inflater(true);
        try {
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            byte[] part = new byte[16 * 1024];
            for (byte[] input : new byte[][] {payload, FLUSH}) {
                inflater.setInput(input);
                for (int n = inflater.inflate(part); n > 0; n = inflater.inflate(part)) {
                    whole.write(part, 0, n);
                    if (whole.size() > MAX_INFLATED) {
                        throw new IllegalStateException("a frame of more than " + MAX_INFLATED + " bytes");
                    }
                }
            }
            return whole.toByteArray();
        } catch (DataFormatException e) {
            throw new IllegalStateException("a frame that can't be inflated", e);
        } finally {
            inflater.end();
        }
    }

    private void fail(Throwable cause) {
        ready.completeExceptionally(cause);
        close();
    }

    @Override
    public void connectFailed(Throwable cause) {
        ready.completeExceptionally(cause);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ready.completeExceptionally(new LoadException("the connection ended before the subscription stood"));
        if (unread != null) {
            unread.release();
            unread = null;
        }
    }
}
