package io.barrage.gateway.clients;

import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.hub.Connection;
import io.barrage.gateway.hub.ConnectionId;
import io.barrage.gateway.hub.Encoding;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.Utf8;
import io.barrage.protocol.WebSocketFrames;
import io.barrage.protocol.WebSocketFrames.Opcode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.Socket;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.ssl.SslHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Step 5 of 5: a client on WebSocket (RFC 6455). Writes the runs that the hub gives it, carries out the client's frames.
 *
 * <p>Confined to its event loop. The channel's write-buffer watermarks must be (1, 1): writable then means that Netty holds
 * nothing, and anything else that something is in flight.
 */
final class WsConnection extends Connection implements ClientSession.Carrier {
    /** Frames of its own, and their bytes, that may wait for a client that doesn't read; then it isn't read from either. */
    private static final int MAX_WAITING_FRAMES = 64;

    private static final int MAX_WAITING_BYTES = 64 * 1024;

    /** Bytes of such frames with which it is closed: not all of them answer what the client asks. */
    private static final int MAX_OWN_BYTES = 4 * 1024 * 1024;

    /** What a client's frame may have beside a message's data. */
    private static final int ENVELOPE_BYTES = 4 * 1024;

    /** How long the client may take to answer a close frame. */
    private static final long CLOSE_TIMEOUT_MILLIS = 2_000;

    /** Of those that applications may use (RFC 6455 section 7.4.2); the decoder lets more pass. */
    private static final int MAX_CLOSE_CODE = 4999;

    /** What stands for a close frame without a code, and for the end of a connection without a close frame. */
    private static final int NO_CODE = 1005;

    private static final int NO_CLOSE_FRAME = 1006;

    /** The reserved bit that marks a compressed message, as the decoder numbers them (RFC 7692 section 6). */
    private static final int RSV1 = 0x4;

    /** By the largest frame: one for all connections that are opened under the same rules. */
    private static final ConcurrentMap<Integer, WebSocketDecoderConfig> PLAIN = new ConcurrentHashMap<>();

    private static final ConcurrentMap<Integer, WebSocketDecoderConfig> DEFLATED = new ConcurrentHashMap<>();

    private static final Logger log = LoggerFactory.getLogger(WsConnection.class);

    private enum State {
        OPEN,
        /** The close frame is on its way; nothing more is sent or carried out. */
        CLOSING,
        CLOSED
    }

    private final ClientsDoor.Context context;
    private final Channel channel;
    private final long number;
    private final @Nullable SocketAddress address;
    private final boolean deflates;
    /** Where frames may pass the pipeline by; null where it has something to do to them, and on other transports than epoll. */
    private @Nullable Socket socket;

    /** Made with the first frame. */
    private @Nullable InboundPace pace;

    private final Heartbeat heartbeat;
    private @Nullable ChannelHandlerContext handler;
    private final ClientSession session;
    /** Why it is closed, whoever closes it. */
    private int closeCode = NO_CLOSE_FRAME;

    private State state = State.OPEN;

    /** Whether nothing is in the outbound buffer; false if that isn't known. */
    private boolean clear;

    private boolean inRead;
    private boolean mustFlush;
    private boolean writing;
    /** Whether {@link #writable} is about to be called by a task. */
    private boolean resuming;

    private int waitingFrames;
    private int waitingBytes;
    private int drains;
    private @Nullable ArrayDeque<WebSocketFrame> held;
    private @Nullable ByteArrayOutputStream fragments;
    /** Whether the message that {@link #fragments} begin is compressed. */
    private boolean fragmentsDeflated;
    /** Whether the frame that is being taken was a publish. */
    private boolean publishTaken;

    /**
     * @param address the client's, which needn't be the channel's peer
     * @param deflates whether permessage-deflate was negotiated
     */
    WsConnection(
            ClientsDoor.Context context,
            Channel channel,
            HubShard shard,
            @Nullable SocketAddress address,
            boolean deflates) {
        super(shard);
        this.address = address;
        this.context = context;
        this.channel = channel;
        this.deflates = deflates;
        this.number = context.ids().incrementAndGet();
        this.heartbeat = new Inbound(this, context.rules());
        this.session = new ClientSession(context, this, shard, channel.eventLoop(), this);
    }

    // ---------------------------------------------------------------- the beginning

    void addTo(ChannelPipeline pipeline) {
        WebSocketDecoderConfig decoding = (deflates ? DEFLATED : PLAIN)
                .computeIfAbsent(maxFrameBytes(), maxBytes -> decoding(maxBytes, deflates));
        pipeline.addLast(new WebSocket13FrameDecoder(decoding), heartbeat);
        // Of the transports with a socket of Netty's own only epoll's never blocks.
        if (channel instanceof EpollSocketChannel epoll
                && epoll.fd() instanceof Socket own
                && pipeline.get(SslHandler.class) == null) {
            socket = own;
        }
    }

    private static WebSocketDecoderConfig decoding(int maxFrameBytes, boolean deflates) {
        return WebSocketDecoderConfig.newBuilder()
                .maxFramePayloadLength(maxFrameBytes)
                .expectMaskedFrames(true)
                // Lets all reserved bits pass; which may be set is asked in take.
                .allowExtensions(deflates)
                // These send frames through an encoder that isn't there; the faults come to exceptionCaught.
                .closeOnProtocolViolation(false)
                .withUTF8Validator(false)
                .build();
    }

    private int maxFrameBytes() {
        return context.rules().maxMessageBytes() + ENVELOPE_BYTES;
    }

    /** Lets the client in, or doesn't, by what its upgrade asks for. */
    void begin(Exchange upgrade) {
        inRead = true;
        // The upgrade's answer is written, and there may be nothing to say behind it before the client does.
        mustFlush = true;
        try {
            Opening opening = Opening.of(upgrade);
            encoding(Encoding.of(opening.batch(), deflates));
            session.begin(opening);
        } catch (ProtocolException e) {
            context.metrics().failed(e.code());
            send(new ServerFrame.Failure(0, null, e.code(), e.getMessage()));
            close(CloseCode.BAD_REQUEST, CloseCode.BAD_REQUEST.wire());
        }
        inRead = false;
        flush();
        stopReadingIfBusy();
    }

    @Override
    public String id() {
        return ConnectionId.of(context.node(), number);
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public @Nullable String user() {
        return session.user();
    }

    @Override
    public @Nullable String info() {
        return session.info();
    }

    @Override
    public @Nullable SocketAddress address() {
        return address;
    }

    @Override
    public String transport() {
        return "websocket";
    }

    @Override
    protected long heldBytes() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        if (buffer == null) {
            return 0;
        }
        // Netty's own sum counts its objects, too, and a run that is half written as a whole.
        long[] bytes = {0};
        try {
            buffer.forEachFlushedMessage(message -> {
                if (message instanceof ByteBuf held) {
                    bytes[0] += held.readableBytes();
                }
                return true;
            });
        } catch (Exception e) {
            throw new IllegalStateException("a look at a buffer's length doesn't fail", e);
        }
        return bytes[0];
    }

    Channel channel() {
        return channel;
    }

    private ChannelHandlerContext handler() {
        return java.util.Objects.requireNonNull(handler, "not in a pipeline yet");
    }

    @Override
    protected void rulesChanged() {
        session.rulesChanged();
    }

    @Override
    protected void takenOff(TopicName topic) {
        session.takenOff(topic);
    }

    // ---------------------------------------------------------------- writing

    /** Most of a delivery's time that isn't the kernel's was the outbound buffer's: its entry, and two changes of writability. */
    @Override
    protected int writeNow(ByteBuf from, int index, int length) {
        // Something waits in the outbound buffer, and must not be overtaken.
        if (socket == null || !isClear()) {
            return 0;
        }
        try {
            if (from.hasMemoryAddress()) {
                return Math.max(0, socket.sendAddress(from.memoryAddress(), index, index + length));
            }
            ByteBuffer buffer = from.internalNioBuffer(index, length);
            return Math.max(0, socket.send(buffer, buffer.position(), buffer.limit()));
        } catch (IOException e) {
            // The pipeline meets it, too, and closes the channel as it does.
            return 0;
        }
    }

    /** Asks the channel only after own writes, since it lies three objects away, each of them out of the processor's caches. */
    private boolean isClear() {
        if (!clear) {
            clear = channel.isWritable();
        }
        // A descriptor that is closed may be another connection's by now; Netty closes it on this thread.
        return clear
                && state == State.OPEN
                && java.util.Objects.requireNonNull(socket).isOpen();
    }

    @Override
    protected Write write(ByteBuf run) {
        clear = false;
        if (state != State.OPEN) {
            run.release();
            return Write.CLOSED;
        }
        writing = true;
        mustFlush = false;
        handler().writeAndFlush(run, channel.voidPromise());
        writing = false;
        if (channel.isWritable()) {
            noticeDrained();
            return Write.WRITTEN;
        }
        return channel.isActive() ? Write.IN_FLIGHT : Write.CLOSED;
    }

    @Override
    public void send(ServerFrame frame) {
        if (maySend()) {
            writeOwn(WebSocketFrames.text(frame));
        }
    }

    @Override
    public void send(TopicValue value) {
        if (maySend()) {
            writeOwn(WebSocketFrames.frame(Opcode.TEXT, value.json()));
        }
    }

    @Override
    public void giveBack(byte[] frame) {
        if (state == State.OPEN && !isOverfull()) {
            writeOwn(frame);
        }
    }

    /** Whether a frame may follow those that wait; else the connection is closed. */
    private boolean maySend() {
        if (state == State.OPEN && waitingBytes >= MAX_OWN_BYTES) {
            close(CloseCode.SLOW_CONSUMER, CloseCode.SLOW_CONSUMER.wire());
        }
        return state == State.OPEN;
    }

    private void writeOwn(byte[] frame) {
        clear = false;
        writing = true;
        handler().write(Unpooled.wrappedBuffer(frame), channel.voidPromise());
        writing = false;
        mustFlush = true;
        waitingFrames++;
        waitingBytes += frame.length;
        if (!inRead) {
            flush();
        }
        if (waitingFrames >= MAX_WAITING_FRAMES || waitingBytes >= MAX_WAITING_BYTES) {
            // Perhaps the socket takes them; if not, no more is read until it does.
            flush();
            if (isOverfull()) {
                channel.config().setAutoRead(false);
            }
        }
    }

    private boolean mustHold() {
        return isOverfull() || session.isBusy() || isPaused();
    }

    private boolean isPaused() {
        return pace != null && pace.isPaused();
    }

    private boolean isOverfull() {
        return waitingFrames >= MAX_WAITING_FRAMES || waitingBytes >= MAX_WAITING_BYTES;
    }

    private void flush() {
        if (mustFlush) {
            mustFlush = false;
            writing = true;
            handler().flush();
            writing = false;
        }
        if (channel.isWritable()) {
            noticeDrained();
        }
    }

    /**
     * All is written, perhaps by our own flush: Netty gives up its turn when a socket takes many small bites, and then the next
     * flush may be ours and finish. The event about it came from within and wasn't listened to, so who waits for it is told
     * here, though not before the caller has done.
     */
    private void noticeDrained() {
        waitingFrames = 0;
        waitingBytes = 0;
        if (!resuming && (isInFlight() || held != null || !channel.config().isAutoRead())) {
            resuming = true;
            channel.eventLoop().execute(() -> {
                if (channel.isWritable()) {
                    writable();
                }
                resuming = false;
            });
        }
    }

    private void writable() {
        drains++;
        waitingFrames = 0;
        waitingBytes = 0;
        drained();
        readOn();
    }

    /** The session has decided what it waited for, or a pause is over. */
    @Override
    public void resume() {
        try {
            // The answer to a ping may be in what wasn't read.
            heartbeat.received();
            inRead = true;
            readOn();
            inRead = false;
            flush();
        } catch (RuntimeException e) {
            // The future of the timer that ends a pause would keep it to itself.
            failed(e);
        }
    }

    private void readOn() {
        carryOutHeld();
        if (held == null && !mustHold() && !channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
    }

    /** Whether Netty holds something that the socket didn't take. */
    boolean isWaitingForSocket() {
        return !channel.isWritable();
    }

    /** Whether it isn't read from because something is being decided. */
    boolean isWaitingForDecision() {
        return session.isBusy();
    }

    /** Changes whenever the socket has taken something that waited. */
    long writeProgress() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return ((long) drains << 32) + (buffer == null ? 0 : buffer.currentProgress());
    }

    // ---------------------------------------------------------------- the client's frames

    private static final class Inbound extends Heartbeat {
        Inbound(WsConnection connection, ClientRules rules) {
            super(connection, rules.heartbeat(), rules.heartbeatTimeout());
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
            connection.handler = ctx;
            super.handlerAdded(ctx);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            received();
            connection.received((WebSocketFrame) msg);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            bytesCame();
            connection.inRead = false;
            connection.flush();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            // Inside of our own writes and flushes this fires too; what became of those is asked after them.
            if (!connection.writing && connection.channel.isWritable()) {
                connection.writable();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof CorruptedWebSocketFrameException corrupted) {
                connection.violated(corrupted);
            } else if (cause instanceof IOException) {
                log.debug("A client's connection broke. connection={} cause={}", connection.id(), cause.toString());
                connection.channel.close();
            } else {
                connection.failed(cause);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            super.channelInactive(ctx);
            connection.ended();
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
            super.handlerRemoved(ctx);
            connection.ended();
        }
    }

    private void received(WebSocketFrame frame) {
        inRead = true;
        if (mustHold() || held != null) {
            hold(frame);
        } else {
            take(frame);
        }
    }

    /** Something failed by a bug of ours: that is the end of this connection, and of no other. */
    @Override
    public void failed(Throwable cause) {
        log.error("A connection failed by a bug of ours. connection={}", id(), cause);
        close(CloseCode.INTERNAL, CloseCode.INTERNAL.wire());
    }

    private void hold(WebSocketFrame frame) {
        // One read may bring many frames. It is the last: reading is off.
        if (held == null) {
            held = new ArrayDeque<>();
        }
        held.add(frame);
        // It is told once: what comes behind that is dropped anyway.
        if (state == State.OPEN
                && pace != null
                && pace.isTooFarAhead(context.rules().limits(), held.size())) {
            session.tooFarAhead(pace.limit());
        }
    }

    private void carryOutHeld() {
        while (held != null && !mustHold()) {
            WebSocketFrame frame = held.poll();
            if (frame == null) {
                held = null;
            } else {
                take(frame);
            }
        }
    }

    /** Takes {@code frame}. */
    private void take(WebSocketFrame frame) {
        publishTaken = false;
        try {
            if (state != State.OPEN) {
                if (frame instanceof CloseWebSocketFrame) {
                    channel.close();
                }
            } else if (frame.rsv() != 0 && !isDeflatedText(frame)) {
                refuseReservedBits(frame);
            } else if (frame instanceof PingWebSocketFrame) {
                writeOwn(WebSocketFrames.frame(Opcode.PONG, ByteBufUtil.getBytes(frame.content())));
            } else if (frame instanceof CloseWebSocketFrame close) {
                answerClose(close);
            } else if (frame instanceof BinaryWebSocketFrame) {
                close(CloseCode.UNSUPPORTED_DATA, "binary frames aren't taken");
            } else if (!(frame instanceof PongWebSocketFrame)) {
                takeText(frame);
            }
        } catch (RuntimeException e) {
            // Not left to the pipeline: what was held is taken by a task, and nobody would see that fail.
            failed(e);
        } finally {
            frame.release();
        }
        count(publishTaken);
    }

    /** Whether a frame begins a compressed message: only those may have a reserved bit (RFC 7692 section 6.1). */
    private static boolean isDeflatedText(WebSocketFrame frame) {
        return frame.rsv() == RSV1 && frame instanceof TextWebSocketFrame;
    }

    private void refuseReservedBits(WebSocketFrame frame) {
        String reason = "only the first frame of a text message may have a reserved bit, and only RSV1";
        if (frame instanceof CloseWebSocketFrame) {
            // The decoder reads nothing after it.
            closeUnanswered(CloseCode.PROTOCOL_ERROR, reason);
        } else {
            close(CloseCode.PROTOCOL_ERROR, reason);
        }
    }

    private void takeText(WebSocketFrame frame) {
        byte[] payload = ByteBufUtil.getBytes(frame.content());
        boolean deflated = isDeflatedText(frame);
        if (fragments != null || !frame.isFinalFragment()) {
            if (fragments == null) {
                fragments = new ByteArrayOutputStream();
                fragmentsDeflated = deflated;
            }
            if (fragments.size() + payload.length > maxFrameBytes()) {
                close(CloseCode.TOO_BIG, "a message is larger than " + maxFrameBytes() + " bytes");
                return;
            }
            fragments.writeBytes(payload);
            if (!frame.isFinalFragment()) {
                return;
            }
            payload = fragments.toByteArray();
            fragments = null;
            deflated = fragmentsDeflated;
        }
        byte[] text = deflated ? inflate(payload) : payload;
        if (text == null) {
            return;
        }
        if (Utf8.firstInvalid(text, 0, text.length) >= 0) {
            close(CloseCode.INVALID_UTF8, "a text frame wasn't UTF-8");
            return;
        }
        publishTaken = session.take(text);
        stopReadingIfBusy();
    }

    /** Counts a frame that was carried out: who sends too many isn't read for a moment. */
    private void count(boolean publish) {
        if (state != State.OPEN) {
            return;
        }
        long now = System.nanoTime();
        InboundPace counted = pace;
        if (counted == null) {
            counted = new InboundPace(now);
            pace = counted;
        }
        ClientLimit over = counted.count(context.rules().limits(), publish, now);
        if (over != null) {
            channel.config().setAutoRead(false);
            session.tooFast(over, counted.mustTell(now));
            goOnLater(counted, now);
        }
    }

    private void goOnLater(InboundPace paused, long nowNanos) {
        channel.eventLoop()
                .schedule(
                        () -> {
                            paused.goOn();
                            resume();
                        },
                        paused.pauseNanos(nowNanos),
                        TimeUnit.NANOSECONDS);
    }

    private void stopReadingIfBusy() {
        if (session.isBusy()) {
            channel.config().setAutoRead(false);
        }
    }

    /** The message that was compressed; null if it can't be had, and the connection is being closed for that. */
    private byte @Nullable [] inflate(byte[] payload) {
        try {
            return context.inflaters().get().inflate(payload, maxFrameBytes());
        } catch (MessageInflater.TooBigException e) {
            close(CloseCode.TOO_BIG, "a compressed message is larger than " + maxFrameBytes() + " bytes");
        } catch (DataFormatException e) {
            // RFC 7692 only asks to fail the connection. 1007 is for data that isn't what its message's type says, and
            // what
            // other servers answer here; the frame itself was well-formed, which 1002 would deny.
            log.debug("A compressed message was corrupt. connection={} cause={}", id(), e.getMessage());
            close(CloseCode.INVALID_UTF8, "a compressed message was corrupt");
        }
        return null;
    }

    // ---------------------------------------------------------------- the heartbeat and the end

    void ping() {
        if (state == State.OPEN) {
            writeOwn(WebSocketFrames.frame(Opcode.PING, new byte[0]));
        }
    }

    void heartbeatMissed() {
        close(CloseCode.HEARTBEAT_TIMEOUT, CloseCode.HEARTBEAT_TIMEOUT.wire());
    }

    private void violated(CorruptedWebSocketFrameException violation) {
        CloseCode code =
                switch (violation.closeStatus().code()) {
                    case 1007 -> CloseCode.INVALID_UTF8;
                    case 1009 -> CloseCode.TOO_BIG;
                    default -> CloseCode.PROTOCOL_ERROR;
                };
        closeUnanswered(code, String.valueOf(violation.getMessage()));
    }

    /** Closes where the decoder has given up, so that the client's answer won't be seen: its end of the connection will. */
    private void closeUnanswered(CloseCode code, String reason) {
        close(code, reason);
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            if (written.isSuccess() && channel instanceof DuplexChannel duplex) {
                duplex.shutdownOutput();
            }
        });
    }

    private void answerClose(CloseWebSocketFrame frame) {
        int code = frame.statusCode();
        if (code > MAX_CLOSE_CODE) {
            closeUnanswered(CloseCode.PROTOCOL_ERROR, "there is no close code " + code);
            return;
        }
        state = State.CLOSING;
        closeCode = code < 0 ? NO_CODE : code;
        writeOwn(code < 0 ? WebSocketFrames.frame(Opcode.CLOSE, new byte[0]) : WebSocketFrames.close(code, ""));
        flush();
        if (channel.isWritable()) {
            channel.close();
        } else {
            // Behind what its socket hasn't taken, which on io_uring is told later of every write; but not for ever.
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> channel.close());
            channel.eventLoop().schedule(() -> channel.close(), CLOSE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void close(CloseCode code, String reason) {
        if (state != State.OPEN) {
            return;
        }
        closeCode = code.code();
        session.end();
        context.metrics().closed(code);
        if (code == CloseCode.TOO_BIG) {
            context.metrics().limited(ClientLimit.MESSAGE);
        }
        log.debug("Closing a connection. connection={} code={} reason={}", id(), code.code(), reason);
        boolean stuck = isInFlight();
        if (stuck && (code == CloseCode.SLOW_CONSUMER || code == CloseCode.HEARTBEAT_TIMEOUT)) {
            // A close frame would wait behind what the client doesn't read. Ends without a word, and frees the memory.
            state = State.CLOSING;
            channel.close();
            return;
        }
        writeOwn(WebSocketFrames.close(code.code(), reason));
        state = State.CLOSING;
        flush();
        channel.eventLoop().schedule(() -> channel.close(), CLOSE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        // The hub must not be changed under the hands of who called this, but its part is over.
        channel.eventLoop().execute(() -> {
            gone();
            // Else the client's answer to the close frame might wait behind what nobody will carry out.
            readOn();
        });
    }

    /** Tells the client to come back elsewhere, or later. */
    void goAway(String reason, long reconnectAfterMillis) {
        send(new ServerFrame.Goaway(reason, reconnectAfterMillis));
    }

    private void ended() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        heartbeat.received();
        if (held != null) {
            held.forEach(WebSocketFrame::release);
            held = null;
        }
        gone();
        session.gone(closeCode);
    }
}
