package io.barrage.loadtest.naive;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The gateway that Netty's tutorials lead to: a channel group per topic and a text frame per publish. Thread-safe; close it to
 * stop.
 *
 * <p>It is the baseline of comparisons, so it must stay what people write first: no batching, no bound on what a slow socket
 * piles up, nothing recovered. Do not improve it. It listens on loopback only and speaks a part of {@code barrage.v1}:
 * {@code /ws?topic=} and {@code POST /v1/publish}, one topic and its data.
 */
public final class NaiveServer implements AutoCloseable {
    private static final int MAX_BODY_BYTES = 1 << 20;
    private static final int BACKLOG = 4096;

    private final EventLoopGroup group;
    private final Channel clients;
    private final Channel backend;

    /** Starts it on loopback; port 0 takes a free one. */
    public NaiveServer(int clientsPort, int backendPort, int threads) throws InterruptedException {
        IoHandlerFactory io = Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group = new MultiThreadIoEventLoopGroup(threads, io);
        ConcurrentHashMap<String, NaiveTopic> topics = new ConcurrentHashMap<>();
        clients = listen(clientsPort, () -> new ChannelHandler[] {
            new HttpServerCodec(),
            new HttpObjectAggregator(MAX_BODY_BYTES),
            new WebSocketServerProtocolHandler(WebSocketServerProtocolConfig.newBuilder()
                    .websocketPath("/ws")
                    .checkStartsWith(true) // the query follows
                    .build()),
            new NaiveSubscribeHandler(topics)
        });
        backend = listen(backendPort, () -> new ChannelHandler[] {
            new HttpServerCodec(), new HttpObjectAggregator(MAX_BODY_BYTES), new NaivePublishHandler(topics)
        });
    }

    private Channel listen(int port, Supplier<ChannelHandler[]> handlers) throws InterruptedException {
        return new ServerBootstrap()
                .group(group)
                .channel(Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(handlers.get());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), port)
                .sync()
                .channel();
    }

    /** Where subscribers connect. */
    public InetSocketAddress clients() {
        return (InetSocketAddress) clients.localAddress();
    }

    /** Where publishes go. */
    public InetSocketAddress backend() {
        return (InetSocketAddress) backend.localAddress();
    }

    /** Waits until somebody closes it. */
    public void awaitClose() throws InterruptedException {
        clients.closeFuture().await();
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
    }
}
