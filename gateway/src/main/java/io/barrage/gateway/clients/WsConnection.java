package io.barrage.gateway.clients;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.hub.Connection;
import io.barrage.gateway.hub.Encoding;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.ClientFrame;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.UserName;
import io.barrage.protocol.Utf8;
import io.barrage.protocol.WebSocketFrames;
import io.barrage.protocol.WebSocketFrames.Opcode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
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
final class WsConnection extends Connection {
    /** Frames of its own, and their bytes, that may wait for a client that doesn't read; then it isn't read from either. */
    private static final int MAX_WAITING_FRAMES = 64;

    private static final int MAX_WAITING_BYTES = 64 * 1024;

    /** What a client's frame may have beside a message's data. */
    private static final int ENVELOPE_BYTES = 4 * 1024;

    /** Frames that aren't understood, within {@link #NOISE_WINDOW_NANOS}, that end a connection. */
    private static final int MAX_NOISE = 10;

    private static final long NOISE_WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** How long the client may take to answer a close frame. */
    private static final long CLOSE_TIMEOUT_MILLIS = 2_000;

    /** Of those that applications may use (RFC 6455 section 7.4.2); the decoder lets more pass. */
    private static final int MAX_CLOSE_CODE = 4999;

    /** The reserved bit that marks a compressed message, as the decoder numbers them (RFC 7692 section 6). */
    private static final int RSV1 = 0x4;

    private static final double HEARTBEAT_JITTER = 0.2;

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
    private final boolean deflates;
    private final Heartbeat heartbeat;
    private @Nullable ChannelHandlerContext handler;
    private @Nullable String user;
    private State state = State.OPEN;
    private boolean welcomed;

    private boolean inRead;
    private boolean mustFlush;
    private boolean writing;
    /** Whether {@link #writable} is about to be called by a task. */
    private boolean resuming;

    private int waitingFrames;
    private int waitingBytes;
    private long drains;
    private @Nullable ArrayDeque<WebSocketFrame> held;
    private @Nullable ByteArrayOutputStream fragments;
    /** Whether the message that {@link #fragments} begin is compressed. */
    private boolean fragmentsDeflated;

    private int noise;
    private long noiseSinceNanos;

    /** @param deflates whether permessage-deflate was negotiated */
    WsConnection(ClientsDoor.Context context, Channel channel, HubShard shard, boolean deflates) {
        super(shard);
        this.context = context;
        this.channel = channel;
        this.deflates = deflates;
        this.number = context.ids().incrementAndGet();
        this.heartbeat = new Heartbeat(this, context.rules().heartbeatTimeout().toNanos());
    }

    // ---------------------------------------------------------------- the beginning

    void addTo(ChannelPipeline pipeline) {
        long beat = context.rules().heartbeat().toMillis();
        // Spread, so that a hundred thousand connections of one start aren't pinged in one moment.
        long jittered = Math.round(
                beat * (1 + HEARTBEAT_JITTER * (2 * ThreadLocalRandom.current().nextDouble() - 1)));
        pipeline.addLast(
                new IdleStateHandler(jittered, 0, 0, TimeUnit.MILLISECONDS),
                new WebSocket13FrameDecoder(WebSocketDecoderConfig.newBuilder()
                        .maxFramePayloadLength(maxFrameBytes())
                        .expectMaskedFrames(true)
                        // Lets all reserved bits pass; which may be set is asked in take.
                        .allowExtensions(deflates)
                        // These send frames through an encoder that isn't there; the faults come to exceptionCaught.
                        .closeOnProtocolViolation(false)
                        .withUTF8Validator(false)
                        .build()),
                new Inbound());
    }

    private int maxFrameBytes() {
        return context.rules().maxMessageBytes() + ENVELOPE_BYTES;
    }

    /** Says welcome and carries out what the upgrade's query asks for. */
    void welcome(Exchange upgrade) {
        inRead = true;
        if (context.drain().draining) {
            send(new ServerFrame.Goaway("draining", 1000));
            close(CloseCode.GOING_AWAY, "going_away retryAfterMs=1000");
            return;
        }
        int max = context.rules().maxConnections();
        if (context.connections().incrementAndGet() > max && max > 0) {
            context.connections().decrementAndGet();
            close(CloseCode.RATE_LIMITED, "too_many_connections retryAfterMs=5000");
            return;
        }
        welcomed = true;
        context.metrics().opened();
        try {
            user = userOf(upgrade);
            encoding(Encoding.of(batchOf(upgrade), deflates));
        } catch (ProtocolException e) {
            fail(0, null, e);
            close(CloseCode.BAD_REQUEST, CloseCode.BAD_REQUEST.wire());
            return;
        }
        send(new ServerFrame.Welcome(id(), user, context.rules().heartbeat().toMillis()));
        Map<String, Position> since = sinceOf(upgrade);
        for (String name : upgrade.parameters("topic")) {
            try {
                subscribe(0, TopicName.of(name), since.get(name), 0);
            } catch (ProtocolException e) {
                fail(0, name, e);
            }
        }
        if (user != null) {
            shard().subscribe(this, TopicName.ofUser(user), 0, null, 0);
        }
        inRead = false;
        flush();
    }

    private @Nullable String userOf(Exchange upgrade) {
        if (!context.rules().development()) {
            return null;
        }
        String name = upgrade.parameter("user");
        return name == null ? null : UserName.check(name);
    }

    private static boolean batchOf(Exchange upgrade) {
        String batch = upgrade.parameter("batch");
        if (batch == null || batch.equals("0")) {
            return false;
        }
        if (batch.equals("1")) {
            return true;
        }
        throw new ProtocolException(
                ErrorCode.BAD_REQUEST, "query parameter 'batch' is 1 or 0, not " + Printable.of(batch));
    }

    private Map<String, Position> sinceOf(Exchange upgrade) {
        Map<String, Position> since = new HashMap<>();
        for (String text : upgrade.parameters("since")) {
            try {
                Position.OfTopic position = Position.OfTopic.parse(text);
                since.put(position.topic().toString(), position.position());
            } catch (ProtocolException e) {
                fail(0, null, e);
            }
        }
        return since;
    }

    @Override
    public String id() {
        return context.node() + "-" + Long.toString(number, Character.MAX_RADIX);
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public @Nullable String user() {
        return user;
    }

    @Override
    public @Nullable SocketAddress address() {
        return channel.remoteAddress();
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

    // ---------------------------------------------------------------- writing

    @Override
    protected Write write(ByteBuf run) {
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
        if (state == State.OPEN) {
            writeOwn(WebSocketFrames.text(frame));
        }
    }

    @Override
    public void send(TopicValue value) {
        if (state == State.OPEN) {
            writeOwn(WebSocketFrames.frame(Opcode.TEXT, value.json()));
        }
    }

    @Override
    public void send(Message message) {
        if (state == State.OPEN) {
            writeOwn(WebSocketFrames.text(message));
        }
    }

    private void writeOwn(byte[] frame) {
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
        carryOutHeld();
        if (held == null && !channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
    }

    /** Whether Netty holds something that the socket didn't take. */
    boolean isWaitingForSocket() {
        return !channel.isWritable();
    }

    /** Changes whenever the socket has taken something that waited. */
    long writeProgress() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return drains * (1L << 32) + (buffer == null ? 0 : buffer.currentProgress());
    }

    // ---------------------------------------------------------------- the client's frames

    private final class Inbound extends ChannelInboundHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            handler = ctx;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            inRead = true;
            heartbeat.received();
            WebSocketFrame frame = (WebSocketFrame) msg;
            if (isOverfull() || held != null) {
                hold(frame);
            } else {
                take(frame);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            inRead = false;
            flush();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            // Inside of our own writes and flushes this fires too; what became of those is asked after them.
            if (!writing && channel.isWritable()) {
                writable();
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof IdleStateEvent) {
                heartbeat.idle();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof CorruptedWebSocketFrameException corrupted) {
                violated(corrupted);
            } else if (cause instanceof IOException) {
                log.debug("A client's connection broke. connection={} cause={}", id(), cause.toString());
                channel.close();
            } else {
                log.error("A connection failed by a bug of ours. connection={}", id(), cause);
                close(CloseCode.INTERNAL, CloseCode.INTERNAL.wire());
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            ended();
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) {
            ended();
        }
    }

    private void hold(WebSocketFrame frame) {
        // One read may bring many frames. It is the last: reading is off.
        if (held == null) {
            held = new ArrayDeque<>();
        }
        held.add(frame);
    }

    private void carryOutHeld() {
        while (held != null && !isOverfull()) {
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
        } finally {
            frame.release();
        }
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
        try {
            carryOut(ClientFrame.parse(text));
        } catch (ProtocolException e) {
            fail(0, null, e);
            countNoise();
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

    private void countNoise() {
        long now = System.nanoTime();
        if (noise == 0 || now - noiseSinceNanos > NOISE_WINDOW_NANOS) {
            noise = 0;
            noiseSinceNanos = now;
        }
        noise++;
        if (noise >= MAX_NOISE) {
            close(CloseCode.BAD_REQUEST, CloseCode.BAD_REQUEST.wire());
        }
    }

    private void carryOut(ClientFrame frame) {
        if (frame instanceof ClientFrame.Ping ping) {
            send(new ServerFrame.Pong(ping.id()));
        } else if (frame instanceof ClientFrame.Subscribe subscribe) {
            subscribe(subscribe.id(), subscribe.topic(), subscribe.since(), subscribe.last());
        } else if (frame instanceof ClientFrame.Attention attention) {
            setAttention(attention);
        } else if (frame instanceof ClientFrame.Unsubscribe unsubscribe) {
            unsubscribe(unsubscribe);
        } else if (frame instanceof ClientFrame.Publish publish) {
            publish(publish);
        } else if (frame instanceof ClientFrame.Invalid invalid) {
            fail(invalid.id(), invalid.topic(), invalid.error());
        } else if (frame instanceof ClientFrame.Auth auth) {
            fail(auth.id(), null, ErrorCode.NOT_IMPLEMENTED, "this gateway takes no tokens: it runs with 'auth: none'");
        }
    }

    private void subscribe(long id, TopicName topic, @Nullable Position since, int last) {
        if (!context.rules().permissions().maySubscribe(topic)) {
            fail(id, topic.toString(), ErrorCode.NOT_PERMITTED, "this connection may not subscribe to this topic");
        } else if (subscriptionCount() >= context.rules().maxSubscriptions()) {
            fail(
                    id,
                    topic.toString(),
                    ErrorCode.TOO_MANY_SUBSCRIPTIONS,
                    "a connection may have " + context.rules().maxSubscriptions() + " subscriptions");
        } else if (!shard().subscribe(this, topic, id, since, last)) {
            fail(id, topic.toString(), ErrorCode.ALREADY_SUBSCRIBED, "this connection is on this topic already");
        }
    }

    private void setAttention(ClientFrame.Attention frame) {
        if (!shard().attention(this, frame.topic(), frame.id(), frame.level())) {
            failNotSubscribed(frame.id(), frame.topic());
        }
    }

    private void failNotSubscribed(long id, TopicName topic) {
        fail(id, topic.toString(), ErrorCode.NOT_SUBSCRIBED, "this connection isn't on this topic");
    }

    private void unsubscribe(ClientFrame.Unsubscribe frame) {
        if (shard().unsubscribe(this, frame.topic())) {
            send(new ServerFrame.Unsubscribed(frame.id(), frame.topic(), null, null));
        } else {
            failNotSubscribed(frame.id(), frame.topic());
        }
    }

    private void publish(ClientFrame.Publish frame) {
        PublishRequest request = frame.request();
        ProtocolException refusal = refusal(frame.topic(), request);
        if (refusal != null) {
            fail(frame.id(), frame.topic().toString(), refusal);
            return;
        }
        String publisher = user == null ? id() : "user " + user;
        Broker.MessageId messageId =
                request.messageId() == null ? null : new Broker.MessageId(publisher, request.messageId());
        if (request.value() != null) {
            answerPublish(frame, null, context.broker().publish(frame.topic(), request.value(), messageId));
            return;
        }
        Message.Draft draft = new Message.Draft(
                frame.topic(),
                request.data(),
                request.priority(),
                user,
                System.currentTimeMillis(),
                System.nanoTime(),
                TimeUnit.MILLISECONDS.toNanos(request.ttlMillis()));
        // No user has a '#' in its name.
        String speaker = user == null ? '#' + id() : user;
        answerPublish(frame, draft, context.broker().publish(draft, messageId, speaker));
    }

    /** Why the client may not publish this; null if it may. */
    private @Nullable ProtocolException refusal(TopicName topic, PublishRequest request) {
        ClientRules rules = context.rules();
        if (request.value() != null) {
            if (!rules.permissions().mayPublishValues(topic)) {
                return new ProtocolException(
                        ErrorCode.NOT_PERMITTED, "this connection may not publish values to this topic");
            }
        } else if (!rules.permissions().mayPublish(topic)) {
            return new ProtocolException(ErrorCode.NOT_PERMITTED, "this connection may not publish to this topic");
        } else if (request.priority().compareTo(rules.permissions().maxPriority(topic)) > 0) {
            return new ProtocolException(
                    ErrorCode.NOT_PERMITTED,
                    "clients may publish here up to priority "
                            + rules.permissions().maxPriority(topic).wire());
        }
        if (request.data().length > rules.maxMessageBytes()) {
            return new ProtocolException(
                    ErrorCode.TOO_LARGE,
                    "a message's data has at most " + rules.maxMessageBytes() + " bytes, this has "
                            + request.data().length);
        }
        return null;
    }

    /** @param draft null for a publish to a value */
    private void answerPublish(
            ClientFrame.Publish frame, Message.@Nullable Draft draft, CompletableFuture<PublishResult> result) {
        if (result.isDone()) {
            answerPublish(frame, draft, result.join());
        } else {
            result.whenCompleteAsync((answer, ignored) -> answerPublish(frame, draft, answer), channel.eventLoop());
        }
    }

    private void answerPublish(
            ClientFrame.Publish frame, Message.@Nullable Draft draft, @Nullable PublishResult result) {
        if (result instanceof PublishResult.Accepted accepted) {
            if (frame.id() != 0) {
                send(new ServerFrame.Published(
                        frame.id(), frame.topic(), accepted.epoch(), accepted.offset(), accepted.duplicate()));
            }
        } else if (result instanceof PublishResult.ValueAccepted merged) {
            if (frame.id() != 0) {
                send(new ServerFrame.PublishedValue(frame.id(), frame.topic(), merged.key(), merged.duplicate()));
            }
        } else if (result instanceof PublishResult.Shed shed) {
            if (draft != null && user == null && shard().isSubscribed(this, frame.topic())) {
                // Those with a name get it back from the hub, on all their connections.
                send(draft.withoutPlace());
            }
            if (frame.id() != 0) {
                send(new ServerFrame.PublishShed(frame.id(), frame.topic(), shed.reason(), shed.duplicate()));
            }
        } else if (result instanceof PublishResult.Refused refused) {
            fail(frame.id(), frame.topic().toString(), refused.code(), refused.message());
        } else {
            fail(frame.id(), frame.topic().toString(), ErrorCode.INTERNAL, "the gateway failed to publish this");
        }
    }

    private void fail(long id, @Nullable String topic, ProtocolException mistake) {
        fail(id, topic, mistake.code(), mistake.getMessage());
    }

    private void fail(long id, @Nullable String topic, ErrorCode code, String message) {
        context.metrics().failed(code);
        send(new ServerFrame.Failure(id, topic, code, message));
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
        writeOwn(code < 0 ? WebSocketFrames.frame(Opcode.CLOSE, new byte[0]) : WebSocketFrames.close(code, ""));
        flush();
        channel.close();
    }

    @Override
    public void close(CloseCode code, String reason) {
        if (state != State.OPEN) {
            return;
        }
        context.metrics().closed(code);
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
        channel.eventLoop().execute(this::gone);
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
        if (welcomed) {
            context.connections().decrementAndGet();
            context.metrics().ended();
        }
    }
}
