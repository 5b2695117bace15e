package io.barrage.gateway.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.NettyRuntime;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The event loops and the kind of sockets that run on them. Thread-safe.
 *
 * <p>One loop accepts for all listeners; the others own connections. Accepting apart means that a loop in the middle of a
 * long fan-out doesn't keep newcomers waiting. Threads are daemons: who wants the process to live waits for something.
 */
public final class Transport implements AutoCloseable {

    private static final long STOP_SECONDS = 5;
    private static final long QUIET_MILLIS = 50;

    private final TransportKind kind;
    private final EventLoopGroup acceptor;
    private final EventLoopGroup loops;
    private final Class<? extends ServerChannel> serverChannel;
    private final Set<ChannelOption<?>> childOptions;

    private Transport(
            TransportKind kind,
            int loopCount,
            IoHandlerFactory ioHandlers,
            Class<? extends ServerChannel> serverChannel,
            Set<ChannelOption<?>> childOptions) {
        this.kind = kind;
        this.serverChannel = serverChannel;
        this.childOptions = childOptions;
        this.acceptor = new MultiThreadIoEventLoopGroup(1, threads("barrage-accept"), ioHandlers);
        this.loops = new MultiThreadIoEventLoopGroup(loopCount, threads("barrage-loop"), ioHandlers);
    }

    /**
     * Starts the loops.
     *
     * @throws ListenException if epoll is asked for and isn't available; the message says why
     */
    public static Transport start(ServerConfig config) {
        int loopCount = config.loops() == 0 ? NettyRuntime.availableProcessors() : config.loops();
        if (epoll(config.transport())) {
            return new Transport(
                    TransportKind.EPOLL,
                    loopCount,
                    EpollIoHandler.newFactory(),
                    EpollServerSocketChannel.class,
                    options(new EpollSocketChannel()));
        }
        return new Transport(
                TransportKind.NIO,
                loopCount,
                NioIoHandler.newFactory(),
                NioServerSocketChannel.class,
                options(new NioSocketChannel()));
    }

    private static boolean epoll(TransportKind wanted) {
        if (wanted == TransportKind.EPOLL && !Epoll.isAvailable()) {
            throw new ListenException(
                    "server.transport: epoll isn't available here, use auto or nio: "
                            + reason(Epoll.unavailabilityCause()),
                    Epoll.unavailabilityCause());
        }
        return wanted != TransportKind.NIO && Epoll.isAvailable();
    }

    /** The message at the root: what wraps it only says that a class couldn't be initialised. */
    private static String reason(Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** What this kind of channel can be told; asked from one, since each kind has its own. */
    private static Set<ChannelOption<?>> options(Channel sample) {
        try {
            return Set.copyOf(sample.config().getOptions().keySet());
        } finally {
            sample.unsafe().closeForcibly();
        }
    }

    private static DefaultThreadFactory threads(String name) {
        return new DefaultThreadFactory(name, true);
    }

    /** What it came to: {@code EPOLL} or {@code NIO}. */
    public TransportKind kind() {
        return kind;
    }

    /** The loops that own connections. */
    public EventLoopGroup loops() {
        return loops;
    }

    EventLoopGroup acceptor() {
        return acceptor;
    }

    Class<? extends ServerChannel> serverChannel() {
        return serverChannel;
    }

    /** Whether connections of this transport know the option; epoll has some that NIO lacks. */
    boolean supports(ChannelOption<?> childOption) {
        return childOptions.contains(childOption);
    }

    /**
     * A loop closes its sockets when it sees, before its tasks, that it shall end; behind its tasks it ends. Told in between it
     * would leave them open, but for the quiet period: that makes it go round once more, if a task has run just before.
     */
    private static Future<?> stop(EventLoopGroup group) {
        for (EventExecutor loop : group) {
            loop.submit(() -> {}).awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
        }
        return group.shutdownGracefully(QUIET_MILLIS, TimeUnit.SECONDS.toMillis(STOP_SECONDS), TimeUnit.MILLISECONDS);
    }

    /** Stops all loops; waits for their last tasks, at most five seconds. Not to be called on one of them. */
    @Override
    public void close() {
        // Both begin before either is waited for.
        Future<?> acceptorStopped = stop(acceptor);
        Future<?> loopsStopped = stop(loops);
        acceptorStopped.awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
        loopsStopped.awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    }
}
