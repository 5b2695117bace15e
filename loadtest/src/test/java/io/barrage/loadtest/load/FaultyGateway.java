package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.Target;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A gateway that makes the mistake it is told to, so that tests can see whether the instrument notices. One event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // a test's gateway
final class FaultyGateway implements AutoCloseable {
    /** What becomes of one publish. */
    interface Fault {
        /** The frames that each subscriber gets for the publish with this offset. */
        List<String> frames(long offset, String message);

        /** The answer to its publisher. */
        default FullHttpResponse answer(long offset) {
            return json(HttpResponseStatus.OK, "{\"topic\":\"t\",\"epoch\":\"e\",\"offset\":" + offset + "}");
        }
    }

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Channel> subscribers = new ArrayList<>();
    private final Fault fault;
    private final InetSocketAddress clients;
    private final InetSocketAddress backend;
    private long offset;

    FaultyGateway(Fault fault) throws InterruptedException {
        this.fault = fault;
        this.clients = listen(
                () -> new ChannelHandler[] {new WebSocketServerProtocolHandler("/ws", true), new SubscribeHandler()});
        this.backend = listen(() -> new ChannelHandler[] {new PublishHandler()});
    }

    static FullHttpResponse json(HttpResponseStatus status, String body) {
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.copiedBuffer(body, UTF_8));
        response.headers().setInt("content-length", body.length());
        return response;
    }

    private InetSocketAddress listen(Supplier<ChannelHandler[]> handlers) throws InterruptedException {
        return (InetSocketAddress) new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20));
                        channel.pipeline().addLast(handlers.get());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel()
                .localAddress();
    }

    Target target() {
        return new BarrageTarget("faulty", clients, backend);
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
    }

    private final class SubscribeHandler extends SimpleChannelInboundHandler<WebSocketFrame> {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
                subscribers.add(ctx.channel());
                ctx.write(new TextWebSocketFrame("{\"type\":\"welcome\",\"connection\":\"c\"}"));
                ctx.writeAndFlush(new TextWebSocketFrame("{\"type\":\"subscribed\",\"topic\":\"t\",\"offset\":0}"));
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
            // subscribers say nothing
        }
    }

    private final class PublishHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
            String body = request.content().toString(UTF_8);
            String data = body.substring(body.indexOf("\"data\":"), body.length() - 1);
            offset++;
            String message = "{\"type\":\"message\",\"topic\":\"t\",\"offset\":" + offset + "," + data + "}";
            for (String frame : fault.frames(offset, message)) {
                subscribers.forEach(channel -> channel.writeAndFlush(new TextWebSocketFrame(frame)));
            }
            ctx.writeAndFlush(fault.answer(offset));
        }
    }
}
