package io.barrage.loadtest.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The generator's event loops: epoll where there is one, NIO elsewhere. Thread-safe; close it to end them. */
final class Loops implements AutoCloseable {
    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;
    private static final long LOOP_ANSWER_SECONDS = 30;

    private final EventLoopGroup group;
    private final List<EventLoop> loops = new ArrayList<>();
    private final List<SharedReceiveBuffer> receiveBuffers = new ArrayList<>();

    Loops(int threads) {
        IoHandlerFactory io = Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group = new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("load", true), io);
        for (int i = 0; i < threads; i++) {
            loops.add(group.next());
            receiveBuffers.add(new SharedReceiveBuffer());
        }
    }

    /** The name of what sockets run on, for reports. */
    static String transport() {
        return Epoll.isAvailable() ? "epoll" : "nio";
    }

    int size() {
        return loops.size();
    }

    EventLoop loop(int index) {
        return loops.get(index);
    }

    /** Connects a socket on the given loop; its handlers come last in the pipeline, in this order. */
    void connect(int loop, SocketAddress to, boolean sharedBuffer, ChannelHandler... handlers) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loops.get(loop))
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(handlers);
                    }
                });
        if (sharedBuffer) {
            bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers.get(loop));
        }
        bootstrap.connect(to).addListener(future -> {
            if (!future.isSuccess()) {
                for (ChannelHandler handler : handlers) {
                    if (handler instanceof Connects connects) {
                        connects.connectFailed(future.cause());
                    }
                }
            }
        });
    }

    /** Runs {@code task} on a loop and waits for its value. */
    <T> T ask(int loop, Callable<T> task) throws InterruptedException {
        try {
            return loops.get(loop).submit(task).get(LOOP_ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("on event loop " + loop, e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException(
                    "event loop " + loop + " did not answer within " + LOOP_ANSWER_SECONDS + " s", e);
        }
    }

    /** Runs {@code task} on a loop and waits for its end. */
    void tell(int loop, Runnable task) throws InterruptedException {
        ask(loop, Executors.callable(task));
    }

    @Override
    public void close() {
        boolean ended = group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
        if (ended) {
            receiveBuffers.forEach(SharedReceiveBuffer::release);
        }
    }

    /** A handler that wants to know when its connection couldn't be made. */
    interface Connects {
        void connectFailed(Throwable cause);
    }
}
