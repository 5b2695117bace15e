package io.barrage.gateway.http;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP/1.1 side of one accepted socket: hands requests to a {@link Door} one at a time, in order, and answers those that
 * no door should have to see. Pipelined requests wait while one is being answered.
 *
 * <p>Confined to its event loop.
 */
public final class HttpConnection extends ChannelInboundHandlerAdapter {
    /** Decides who reads a request's body and answers it. */
    @FunctionalInterface
    public interface Door {
        /**
         * Called with each request's head.
         *
         * @throws ProtocolException to refuse it; becomes a problem document
         */
        BodyReader open(Exchange exchange);

        /** Told of each request that was refused, by this door or before it was asked. */
        default void refused(ErrorCode code) {}
    }

    /** Bytes of a body that buy a second of time: a body that is slower than this for long is an attack. */
    private static final int BYTES_PER_SECOND = 1024;

    /** Requests that may wait for the answer to the one before; further ones are dropped. */
    private static final int MAX_WAITING_REQUESTS = 128;

    /** After its last answer a connection is read on for so long, at most. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final HttpDecoderConfig DECODING = new HttpDecoderConfig()
            .setMaxInitialLineLength(HttpLimits.MAX_LINE_BYTES)
            .setMaxHeaderSize(HttpLimits.MAX_HEADER_BYTES);

    private static final Logger log = LoggerFactory.getLogger(HttpConnection.class);

    private enum State {
        /** Nothing of a request has come. */
        IDLE,
        /** Some of a request's head has come. */
        HEAD,
        /** The head has come, the body not yet. */
        BODY,
        /** The request is complete, the answer isn't. */
        ANSWERING,
        /** What still comes is dropped; the connection closes when the answer is written. */
        CLOSING
    }

    private final Door door;
    private final HttpLimits limits;
    private final Decoder decoder = new Decoder();

    private @Nullable ChannelHandlerContext context;
    private State state = State.IDLE;
    private @Nullable Exchange exchange;
    private @Nullable BodyReader reader;
    private boolean streaming;
    private boolean inRead;
    private boolean mustFlush;
    /** Whether reading is off because answers wait for the client. */
    private boolean paused;
    /** Whether reading is off because the body's reader wants no more for now. */
    private boolean held;
    /** What has come of requests that aren't begun, since one before them isn't answered or its answer isn't read. */
    private final ArrayDeque<HttpObject> backlog = new ArrayDeque<>(0);
    /** Requests in it. */
    private int waiting;
    /** Whether it is being worked off. */
    private boolean workingOff;
    /** Whether another protocol has the channel. */
    private boolean handedOver;
    /** Whether requests were dropped, since too many waited: the connection ends when those are answered that do. */
    private boolean overrun;

    /** When the read under way began: near enough for deadlines, and the clock is asked once for a read. */
    private long nowNanos;

    private long deadlineNanos;
    /** When the timer looks at the deadline next; never after it. */
    private long timerNanos;

    private @Nullable Future<?> timer;

    private HttpConnection(Door door, HttpLimits limits) {
        this.door = door;
        this.limits = limits;
    }

    /** Adds the handlers of one new connection to {@code pipeline}. */
    public static void add(ChannelPipeline pipeline, Door door, HttpLimits limits) {
        HttpConnection connection = new HttpConnection(door, limits);
        pipeline.addLast(connection.decoder, connection);
    }

    /** Reads requests, and tells of their bytes first: only so is it known that one has begun. */
    private final class Decoder extends HttpRequestDecoder {
        /** Whether what it was given last belongs to a request whose end it hasn't found. */
        private boolean begun;

        Decoder() {
            super(DECODING);
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
            int from = in.readerIndex();
            super.decode(ctx, in, out);
            if (!out.isEmpty()) {
                begun = !(out.get(out.size() - 1) instanceof LastHttpContent);
            } else if (in.readerIndex() > from) {
                begun = true;
            }
        }

        /** Whether some of a request has come that isn't handed on yet as a whole. */
        boolean isWithinRequest() {
            return begun || actualReadableBytes() > 0;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object bytes) throws Exception {
            inRead = true;
            nowNanos = System.nanoTime();
            bytesCame(bytes);
            try {
                super.channelRead(ctx, bytes);
            } finally {
                inRead = false;
            }
            // Not with the end of the read: on io_uring the end of the connection may come before that.
            flush();
        }
    }

    private void bytesCame(Object bytes) {
        if (state == State.IDLE) {
            state = State.HEAD;
            deadlineIn(limits.requestTimeout().toNanos());
        } else if (state == State.BODY && bytes instanceof ByteBuf buffer) {
            if (streaming && !held) {
                deadlineIn(limits.keepAliveTimeout().toNanos());
            } else if (!streaming) {
                deadlineNanos += TimeUnit.SECONDS.toNanos(buffer.readableBytes()) / BYTES_PER_SECOND;
            }
        }
    }

    Channel channel() {
        return context().channel();
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not added to a pipeline");
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        if (ctx.channel().isActive()) {
            start();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        start();
        ctx.fireChannelActive();
    }

    private void start() {
        if (timer == null) {
            // A connection that never says anything gets no more time than one that says too little.
            deadlineNanos = System.nanoTime() + limits.requestTimeout().toNanos();
            startTimer();
        }
    }

    // ---------------------------------------------------------------- time

    private void deadlineIn(long nanos) {
        deadlineNanos = (inRead ? nowNanos : System.nanoTime()) + nanos;
        // A later deadline waits for the timer to find it; only an earlier one is worth a new timer.
        if (timer != null && deadlineNanos - timerNanos < 0) {
            timer.cancel(false);
            startTimer();
        }
    }

    private void startTimer() {
        timerNanos = deadlineNanos;
        timer = context()
                .executor()
                .schedule(this::deadlineCame, deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    private void deadlineCame() {
        try {
            checkDeadline();
        } catch (RuntimeException e) {
            // The timer's future would keep it to itself.
            exceptionCaught(context(), e);
        }
    }

    private void checkDeadline() {
        if (deadlineNanos - System.nanoTime() > 0) {
            startTimer();
            return;
        }
        Exchange late = exchange;
        boolean unanswered = state == State.HEAD || (state == State.BODY && late != null && !late.isAnswered());
        timer = null;
        if (unanswered) {
            refuse(Problem.of(ErrorCode.REQUEST_TIMEOUT, "the request wasn't complete in time"));
            startTimer();
        } else {
            context().close();
        }
    }

    // ---------------------------------------------------------------- reading

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        HttpObject part = (HttpObject) msg;
        if (overrun) {
            ReferenceCountUtil.release(part);
        } else if (mustWait() || !backlog.isEmpty()) {
            await(part);
        } else {
            take(part);
        }
    }

    /** Whether nothing more is taken for now: an answer is still due, or its client doesn't read it, or the body's reader waits. */
    private boolean mustWait() {
        return paused || held || state == State.ANSWERING;
    }

    /** Keeps some of a later request; bounded, since one read may bring a thousand small ones. */
    private void await(HttpObject part) {
        if (part instanceof HttpRequest) {
            overrun = waiting == MAX_WAITING_REQUESTS;
            waiting += overrun ? 0 : 1;
        }
        if (overrun) {
            ReferenceCountUtil.release(part);
        } else {
            backlog.add(part);
        }
    }

    /** Takes {@code part}. */
    private void take(HttpObject part) {
        try {
            if (state == State.CLOSING) {
                return;
            }
            if (part instanceof HttpRequest request) {
                begin(request);
            }
            if (part instanceof HttpContent content && state == State.BODY) {
                read(content);
            }
        } catch (Exchange.MethodNotAllowed e) {
            refuse(e.response(Objects.requireNonNull(exchange).method()));
        } catch (ProtocolException e) {
            door.refused(e.code());
            refuse(Problem.of(e));
        } catch (RuntimeException e) {
            bug(e);
        } finally {
            ReferenceCountUtil.release(part);
        }
    }

    private void begin(HttpRequest request) {
        state = State.BODY;
        streaming = false;
        exchange = null;
        deadlineIn(limits.requestTimeout().toNanos());
        DecoderResult decoded = request.decoderResult();
        if (decoded.isFailure()) {
            throw undecodable(decoded.cause());
        }
        if (request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && !isOne(request.headers().valueCharSequenceIterator(HttpHeaderNames.HOST))) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "an HTTP/1.1 request has one Host field");
        }
        exchange = new Exchange(this, request);
        reader = door.open(exchange);
        if (exchange.isAnswered() && !streaming) {
            return;
        }
        long length = HttpUtil.getContentLength(request, 0L);
        if (!streaming && length > limits.maxBodyBytes()) {
            throw BodyReader.tooLarge(limits.maxBodyBytes());
        }
        if (!streaming) {
            continueIfExpected(request);
        }
    }

    private static boolean isOne(Iterator<? extends CharSequence> values) {
        if (!values.hasNext()) {
            return false;
        }
        values.next();
        return !values.hasNext();
    }

    /** Lets a client send the body that it holds back until it is told that somebody wants it. */
    private void continueIfExpected(HttpRequest request) {
        if (HttpUtil.is100ContinueExpected(request)) {
            context().writeAndFlush(ResponseBytes.goOn(), context().voidPromise());
        }
    }

    private static ProtocolException undecodable(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            return new ProtocolException(
                    ErrorCode.URI_TOO_LONG, "the request line is longer than " + HttpLimits.MAX_LINE_BYTES + " bytes");
        }
        if (cause instanceof TooLongHttpHeaderException) {
            return new ProtocolException(
                    ErrorCode.HEADERS_TOO_LARGE,
                    "the header fields are larger than " + HttpLimits.MAX_HEADER_BYTES + " bytes");
        }
        return new ProtocolException(ErrorCode.BAD_REQUEST, "not an HTTP/1.1 request");
    }

    private void read(HttpContent content) {
        BodyReader to = Objects.requireNonNull(reader, "a body without a request");
        if (content.decoderResult().isFailure()) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "the request's body isn't well-formed");
        }
        if (content.content().isReadable()) {
            to.content(content.content());
        }
        if (content instanceof LastHttpContent && state == State.BODY) {
            state = State.ANSWERING;
            Exchange current = Objects.requireNonNull(exchange);
            if (!held) {
                deadlineIn(limits.keepAliveTimeout().toNanos());
            }
            to.end();
            if (!current.isAnswered() || streaming) {
                // What follows waits until the answer is written.
                context().channel().config().setAutoRead(false);
            } else if (state == State.ANSWERING) {
                next();
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (paused && ctx.channel().isWritable()) {
            paused = false;
            readOn();
        }
        ctx.fireChannelWritabilityChanged();
    }

    // ---------------------------------------------------------------- answering

    void write(Exchange answered, Response response) {
        HttpRequest request = answered.request();
        boolean early = state == State.BODY && answered == exchange && !(request instanceof LastHttpContent);
        boolean keepAlive =
                HttpUtil.isKeepAlive(request) && state != State.CLOSING && !(early && hasBody(request)) && !isLast();
        writeFull(response, request.protocolVersion(), request.method(), keepAlive);
        if (!keepAlive) {
            closeAfterAnswer();
        } else if (state == State.ANSWERING) {
            next();
        }
    }

    private boolean isLast() {
        return overrun && waiting == 0;
    }

    private static boolean hasBody(HttpRequest request) {
        return HttpUtil.isTransferEncodingChunked(request) || HttpUtil.getContentLength(request, 0L) > 0;
    }

    private void writeFull(Response response, HttpVersion version, HttpMethod method, boolean keepAlive) {
        boolean withBody =
                !method.equals(HttpMethod.HEAD) && !response.status().equals(HttpResponseStatus.NOT_MODIFIED);
        context()
                .write(
                        ResponseBytes.of(channel().alloc(), response, withBody, connectionField(version, keepAlive)),
                        context().voidPromise());
        written();
    }

    private static @Nullable String connectionField(HttpVersion version, boolean keepAlive) {
        if (!keepAlive) {
            return "close";
        }
        return version.isKeepAliveDefault() ? null : "keep-alive";
    }

    ResponseStream openStream(Exchange answered, String contentType) {
        streaming = true;
        HttpRequest request = answered.request();
        // Behind the answer's head it would come too late.
        continueIfExpected(request);
        boolean chunked = request.protocolVersion().isKeepAliveDefault();
        boolean keepAlive = chunked && HttpUtil.isKeepAlive(request) && !isLast();
        String connection = connectionField(request.protocolVersion(), keepAlive);
        context()
                .write(
                        ResponseBytes.headOfStream(channel().alloc(), contentType, chunked, connection),
                        context().voidPromise());
        mustFlush = true;
        return new ResponseStream() {
            @Override
            public void write(ByteBuf bytes) {
                if (!bytes.isReadable()) {
                    // An empty chunk would be the last.
                    bytes.release();
                    return;
                }
                if (chunked) {
                    context()
                            .write(
                                    ResponseBytes.beforeChunk(bytes.readableBytes()),
                                    context().voidPromise());
                }
                context().write(bytes, context().voidPromise());
                if (chunked) {
                    context().write(ResponseBytes.lineEnd(), context().voidPromise());
                }
                written();
            }

            @Override
            public void end() {
                if (chunked) {
                    context().write(ResponseBytes.lastChunk(), context().voidPromise());
                }
                mustFlush = true;
                streaming = false;
                if (!keepAlive) {
                    closeAfterAnswer();
                } else if (state == State.ANSWERING) {
                    next();
                }
                if (!inRead) {
                    flush();
                }
            }
        };
    }

    private void next() {
        exchange = null;
        reader = null;
        held = false;
        awaitRequest();
        readOn();
    }

    private void awaitRequest() {
        boolean begun = backlog.isEmpty() && !paused && decoder.isWithinRequest();
        state = begun ? State.HEAD : State.IDLE;
        deadlineIn((begun ? limits.requestTimeout() : limits.keepAliveTimeout()).toNanos());
    }

    void hold(long nanos) {
        held = true;
        deadlineIn(nanos + limits.keepAliveTimeout().toNanos());
        channel().config().setAutoRead(false);
    }

    void release() {
        held = false;
        readOn();
    }

    /** Goes on with what waits, and reads on behind it, as far as it may. */
    private void readOn() {
        if (workingOff || mustWait() || channel().config().isAutoRead()) {
            return;
        }
        boolean within = inRead;
        if (!within) {
            nowNanos = System.nanoTime();
        }
        inRead = true;
        workingOff = true;
        try {
            while (!mustWait() && !backlog.isEmpty()) {
                HttpObject part = backlog.remove();
                waiting -= part instanceof HttpRequest ? 1 : 0;
                take(part);
            }
        } finally {
            workingOff = false;
            inRead = within;
        }
        if (handedOver) {
            // Whether to read on is the new protocol's to say.
            return;
        }
        if (!within) {
            flush();
        }
        if (!mustWait()) {
            channel().config().setAutoRead(true);
        }
    }

    /** Refuses the request under way, whatever of it has come; closes if it isn't known where the next one starts. */
    private void refuse(Response response) {
        BodyReader refused = reader;
        reader = null;
        Exchange current = exchange;
        boolean answered = current != null && current.isAnswered();
        if (refused != null) {
            refused.abort();
        }
        if (answered) {
            closeAfterAnswer();
        } else if (current != null && state == State.ANSWERING) {
            current.respond(response);
        } else if (current != null
                && !hasBody(current.request())
                && !response.status().equals(HttpResponseStatus.REQUEST_TIMEOUT)) {
            // Without a body the next request's start is known, and the connection can live.
            reader = BodyReader.none(() -> {});
            current.respond(response);
        } else {
            HttpMethod method = current == null ? HttpMethod.GET : current.method();
            writeFull(response, HttpVersion.HTTP_1_1, method, false);
            closeAfterAnswer();
        }
    }

    private void bug(RuntimeException e) {
        log.error("A request failed by a bug of ours.", e);
        refuse(Problem.of(ErrorCode.INTERNAL, "the gateway failed to handle this request"));
    }

    private void closeAfterAnswer() {
        state = State.CLOSING;
        reader = null;
        dropBacklog();
        deadlineIn(limits.keepAliveTimeout().toNanos());
        mustFlush = false;
        context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            // Closing with unread bytes in the socket would reset it, and the client might never see the answer.
            if (written.isSuccess() && channel() instanceof DuplexChannel duplex) {
                duplex.shutdownOutput();
                deadlineIn(LINGER_NANOS);
            } else {
                channel().close();
            }
        });
        // What still comes is dropped, and only a read tells that the client has gone.
        paused = false;
        held = false;
        channel().config().setAutoRead(true);
    }

    /** Flushes at the end of the read, or now if there is none under way or much waits. */
    private void written() {
        mustFlush = true;
        if (!inRead || !channel().isWritable()) {
            flush();
        }
    }

    private void flush() {
        if (mustFlush && !handedOver) {
            mustFlush = false;
            context().flush();
            if (!channel().isWritable() && channel().isActive() && state != State.CLOSING) {
                // One that doesn't read its answers isn't asked for more.
                paused = true;
                channel().config().setAutoRead(false);
                if (state == State.HEAD) {
                    // Nobody reads what is missing of it.
                    awaitRequest();
                }
            }
        }
    }

    // ---------------------------------------------------------------- the end

    void takeOver(Map<String, String> fields, Runnable replace, Runnable begin) {
        context()
                .write(
                        ResponseBytes.headOfSwitch(channel().alloc(), fields),
                        context().voidPromise());
        stopTimer();
        state = State.CLOSING;
        handedOver = true;
        ChannelPipeline pipeline = context().pipeline();
        replace.run();
        Leftovers leftovers = new Leftovers();
        pipeline.addBefore(context().name(), null, leftovers);
        if (overrun || !backlog.isEmpty()) {
            // What came behind was decoded as HTTP already: what it would have been can't be known any more.
            channel().close();
        }
        pipeline.remove(this);
        // Hands on the bytes that it hasn't decoded, which the new protocol shall see after it has begun.
        pipeline.remove(decoder);
        try {
            begin.run();
        } finally {
            pipeline.remove(leftovers);
        }
    }

    /** Holds what came behind an upgrade in the same read. Confined to its event loop. */
    private static final class Leftovers extends ChannelInboundHandlerAdapter {
        private final List<ByteBuf> held = new ArrayList<>(1);

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            held.add((ByteBuf) msg);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            // Of HTTP's read; the next end of a read is the new protocol's.
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) {
            if (!held.isEmpty()) {
                held.forEach(ctx::fireChannelRead);
                ctx.fireChannelReadComplete();
            }
        }
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        stopTimer();
        if (reader != null) {
            reader.abort();
            reader = null;
        }
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        dropBacklog();
    }

    private void dropBacklog() {
        backlog.forEach(ReferenceCountUtil::release);
        backlog.clear();
        waiting = 0;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            log.debug("A client's connection broke: {}", cause.toString());
        } else if (cause instanceof DecoderException) {
            log.debug("A client's requests can't be read: {}", cause.toString());
        } else {
            log.error("A connection failed by a bug of ours.", cause);
        }
        ctx.close();
    }
}
