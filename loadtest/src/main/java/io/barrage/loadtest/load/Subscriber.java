package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Records;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.websocketx.WebSocketHandshakeException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket connection that subscribes to one topic and counts. Confined to its event loop, but for {@link #ready}.
 *
 * <p>It speaks only the part of the protocol that a subscriber needs: the handshake, pongs, the close. What a message means
 * to the run is the business of the classes that extend it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // void promises: a failed write shows as an exception of the channel
abstract class Subscriber extends ChannelInboundHandlerAdapter implements FrameParser.Sink, Loops.Connects {
    private static final int OP_BINARY = 0x82;
    private static final int LENGTH_IN_TWO_BYTES = 126;
    private static final String ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int MAX_HANDSHAKE_BYTES = 16 * 1024;
    private static final int OP_TEXT = 0x81;
    private static final int OP_CLOSE = 0x88;
    private static final int OP_PONG = 0x8a;
    private static final byte[] NORMAL_CLOSURE = {0x03, (byte) 0xe8}; // 1000

    // any thread
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private volatile String lastBeforeReady = "";
    // loop only
    protected final Target target;
    private final String topic;
    private final String readyPrefix;
    private final FrameParser parser;
    private final ReceiveCounters counters;
    private final String key;
    private @Nullable ByteBuf handshake = Unpooled.buffer(512, MAX_HANDSHAKE_BYTES);
    private @Nullable ChannelHandlerContext context;
    private @Nullable String closeReason;

    Subscriber(Target target, String topic, boolean inspect, ReceiveCounters counters) {
        this.target = target;
        this.topic = topic;
        this.readyPrefix = target.readyPrefix();
        Records records = target.records(topic);
        this.parser = records == null
                ? new FrameParser(target.deliveryPrefix(), inspect, this)
                : new FrameParser(records, inspect, this);
        this.counters = counters;
        this.key = newKey();
    }

    /** One for which frames other than the target's usual ones are the deliveries. */
    Subscriber(Target target, String topic, byte[] deliveryPrefix, boolean inspect, ReceiveCounters counters) {
        this.target = target;
        this.topic = topic;
        this.readyPrefix = target.readyPrefix();
        this.parser = new FrameParser(deliveryPrefix, inspect, this);
        this.counters = counters;
        this.key = newKey();
    }

    private static String newKey() {
        byte[] nonce = new byte[16];
        ThreadLocalRandom.current().nextBytes(nonce);
        return Base64.getEncoder().encodeToString(nonce);
    }

    /** Completes when the subscription stands, or fails with the reason why it can't. */
    final CompletableFuture<Void> ready() {
        return ready;
    }

    /** Any thread: the last frame that came while the subscription didn't stand yet; a gateway's error may be there. */
    final String lastBeforeReady() {
        return lastBeforeReady;
    }

    /** The subscription stands; {@code text} is the frame that says so. */
    void onReady(String text) {}

    /** Called once per read with what it delivered. */
    abstract void onDelivered(int messages);

    /** A data frame that is neither a delivery nor the sign that the subscription stands. */
    abstract void onNotice(String text);

    /** The connection ended while the run still wanted it. */
    abstract void onClosed(String why);

    /** Stops to take bytes from the socket, or goes on. */
    final void read(boolean on) {
        if (context != null) {
            context.channel().config().setAutoRead(on);
        }
    }

    /** Sends a text frame. */
    final void send(byte[] text) {
        if (context != null) {
            writeMasked(context, OP_TEXT, text);
        }
    }

    /** Says goodbye and waits for the gateway's: the orderly way. No {@link #onClosed} follows. */
    final void leave() {
        closeReason = "closed by the generator";
        if (context != null) {
            writeMasked(context, OP_CLOSE, NORMAL_CLOSURE);
        }
    }

    /** Whether there is a connection that hasn't ended. */
    final boolean connected() {
        return context != null && context.channel().isActive();
    }

    /** Cuts the connection with a TCP reset, as a phone that changes its network. No {@link #onClosed} follows. */
    final void reset() {
        closeReason = "reset by the generator";
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            ctx.channel().config().setOption(ChannelOption.SO_LINGER, 0);
            ctx.close();
        }
    }

    /** Says goodbye and closes; no {@link #onClosed} follows. */
    final void close() {
        closeReason = "closed by the generator";
        ChannelHandlerContext ctx = context;
        if (ctx != null && ctx.channel().isActive()) {
            writeMasked(ctx, OP_CLOSE, NORMAL_CLOSURE);
            ctx.close();
        }
    }

    @Override
    public final void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        StringBuilder request = new StringBuilder(256)
                .append("GET ")
                .append(target.subscribePath(topic))
                .append(" HTTP/1.1\r\nHost: ")
                .append(HostPort.format(target.clients()))
                .append(
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
                .append(key)
                .append("\r\n");
        target.handshakeHeaders()
                .forEach((name, value) ->
                        request.append(name).append(": ").append(value).append("\r\n"));
        ctx.writeAndFlush(Unpooled.copiedBuffer(request.append("\r\n"), ISO_8859_1), ctx.voidPromise());
    }

    @Override
    public final void channelRead(ChannelHandlerContext ctx, Object read) {
        ByteBuf in = (ByteBuf) read;
        try {
            if (handshake != null && !finishHandshake(handshake, in)) {
                return;
            }
            if (in.isReadable()) {
                counters.reads++;
                counters.bytes += in.readableBytes();
                int messages = parser.read(in);
                if (messages > 0) {
                    counters.messages += messages;
                    onDelivered(messages);
                }
            }
        } finally {
            in.release();
        }
    }

    /** Collects the answer to the upgrade; once it is whole, leaves in {@code in} the bytes that follow it. */
    private boolean finishHandshake(ByteBuf answer, ByteBuf in) {
        while (in.isReadable()) {
            if (!answer.isWritable() && answer.readableBytes() >= MAX_HANDSHAKE_BYTES) {
                throw new WebSocketHandshakeException("an answer of more than " + MAX_HANDSHAKE_BYTES + " bytes");
            }
            byte b = in.readByte();
            answer.writeByte(b);
            int length = answer.writerIndex();
            if (b == '\n' && length >= 4 && answer.getInt(length - 4) == 0x0d0a0d0a) {
                checkHandshake(answer.toString(ISO_8859_1));
                handshake = null;
                say(target.hello(topic));
                if (readyPrefix.isEmpty()) {
                    ready.complete(null);
                }
                return true;
            }
        }
        return false;
    }

    private void checkHandshake(String answer) {
        String status = answer.substring(0, answer.indexOf('\r'));
        if (!status.startsWith("HTTP/1.1 101")) {
            throw new WebSocketHandshakeException("the gateway answered '" + status + "', not 101");
        }
        String expected = acceptOf(key);
        boolean accepted = answer.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("sec-websocket-accept:"))
                .anyMatch(line -> line.substring(line.indexOf(':') + 1).strip().equals(expected));
        if (!accepted) {
            throw new WebSocketHandshakeException("a 101 without the right Sec-WebSocket-Accept");
        }
    }

    static String acceptOf(String key) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            return Base64.getEncoder().encodeToString(sha1.digest((key + ACCEPT_GUID).getBytes(ISO_8859_1)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }

    @Override
    public final void onOther(String text) {
        String reply = target.reply(text);
        if (reply != null) {
            say(reply);
        } else if (ready.isDone()) {
            onNotice(text);
        } else if (text.startsWith(readyPrefix)) {
            onReady(text);
            ready.complete(null);
        } else {
            lastBeforeReady = text;
        }
    }

    @Override
    public final void onPing(byte[] payload) {
        counters.pings++;
        if (context != null) {
            writeMasked(context, OP_PONG, payload);
        }
    }

    @Override
    public final void onClose(int code, String reason) {
        if (closeReason == null) {
            closeReason = "the gateway closed with " + code + (reason.isEmpty() ? "" : " " + reason);
        }
        if (context != null) {
            context.close();
        }
    }

    @Override
    public final void channelInactive(ChannelHandlerContext ctx) {
        boolean wanted = closeReason == null || closeReason.startsWith("the gateway");
        if (closeReason == null) {
            closeReason = "the connection ended without a close frame";
        }
        ended(closeReason, wanted);
    }

    @Override
    public final void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (closeReason == null) {
            closeReason = "the gateway's stream failed: " + cause.getMessage();
        }
        ctx.close();
    }

    @Override
    public final void connectFailed(Throwable cause) {
        ready.completeExceptionally(cause);
    }

    private void ended(String why, boolean wanted) {
        String said = lastBeforeReady.isEmpty() ? "" : ", after " + lastBeforeReady;
        boolean stood = !ready.completeExceptionally(new WebSocketHandshakeException(why + said));
        if (stood && wanted) {
            onClosed(why);
        }
    }

    /** Says something in the gateway's own protocol, in a frame of the kind that its protocol takes. */
    private void say(String text) {
        if (!text.isEmpty() && context != null) {
            int opcode = target.saysBinary() ? OP_BINARY : OP_TEXT;
            writeMasked(context, opcode, text.getBytes(UTF_8));
        }
    }

    private static void writeMasked(ChannelHandlerContext ctx, int firstByte, byte[] payload) {
        int mask = ThreadLocalRandom.current().nextInt();
        ByteBuf frame = ctx.alloc().buffer(8 + payload.length);
        frame.writeByte(firstByte);
        if (payload.length < LENGTH_IN_TWO_BYTES) {
            frame.writeByte(0x80 | payload.length);
        } else {
            frame.writeByte(0x80 | LENGTH_IN_TWO_BYTES).writeShort(payload.length);
        }
        frame.writeInt(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.writeByte(payload[i] ^ (mask >>> (8 * (3 - i % 4))));
        }
        ctx.writeAndFlush(frame, ctx.voidPromise());
    }
}
