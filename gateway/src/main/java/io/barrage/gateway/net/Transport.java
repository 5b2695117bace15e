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
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.NettyRuntime;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The event loops and the kind of sockets that run on them. Thread-safe.
 *
 * <p>One loop accepts for all listeners; the others own connections. Accepting apart means that a loop in the middle of a
 * long fan-out doesn't keep newcomers waiting. Threads are daemons: who wants the process to live waits for something.
 */
public final class Transport implements AutoCloseable {

    /** Writes that go to the kernel in one call, if as many are due: about a slice of a fan-out. */
    private static final int SUBMISSION_RING = 4096;

    private static final long STOP_SECONDS = 5;
    private static final long QUIET_MILLIS = 50;

    static {
        // With it a pause after a failure to accept isn't one: Netty arms it anew, and what has failed fails at once
        // again.
        System.setProperty("io.netty.iouring.acceptMultiShotEnabled", "false");
    }

    private final Io io;
    private final EventLoopGroup acceptor;
    private final EventLoopGroup loops;
    private final Set<ChannelOption<?>> childOptions;

    /** One of the system's interfaces to sockets, and Netty's classes for it. */
    private record Io(
            TransportKind kind,
            @Nullable Throwable unavailable,
            Supplier<IoHandlerFactory> handlers,
            Class<? extends ServerChannel> serverChannel,
            Supplier<Channel> child) {
        static Io of(TransportKind kind) {
            return switch (kind) {
                case AUTO -> Epoll.isAvailable() ? of(TransportKind.EPOLL) : of(TransportKind.NIO);
                case EPOLL ->
                    new Io(
                            kind,
                            Epoll.unavailabilityCause(),
                            EpollIoHandler::newFactory,
                            EpollServerSocketChannel.class,
                            EpollSocketChannel::new);
                case IO_URING ->
                    new Io(
                            kind,
                            IoUring.unavailabilityCause(),
                            () -> IoUringIoHandler.newFactory(
                                    new IoUringIoHandlerConfig().setRingSize(SUBMISSION_RING)),
                            IoUringServerSocketChannel.class,
                            IoUringSocketChannel::new);
                case NIO ->
                    new Io(kind, null, NioIoHandler::newFactory, NioServerSocketChannel.class, NioSocketChannel::new);
            };
        }
    }

    private Transport(Io io, int loopCount) {
        this.io = io;
        this.childOptions = options(io.child().get());
        this.acceptor = new MultiThreadIoEventLoopGroup(
                1, threads("barrage-accept"), io.handlers().get());
        this.loops = new MultiThreadIoEventLoopGroup(
                loopCount, threads("barrage-loop"), io.handlers().get());
    }

    /**
     * Starts the loops.
     *
     * @throws ListenException if an interface is asked for that isn't available; the message says why
     */
    public static Transport start(ServerConfig config) {
        Io io = Io.of(config.transport());
        if (io.unavailable() != null) {
            throw new ListenException(
                    "server.transport: " + io.kind().name().toLowerCase(Locale.ROOT)
                            + " isn't available here, use auto or nio: " + reason(io.unavailable()),
                    io.unavailable());
        }
        return new Transport(io, config.loops() == 0 ? NettyRuntime.availableProcessors() : config.loops());
    }

    /** Whether this machine has it. */
    public static boolean isAvailable(TransportKind kind) {
        return Io.of(kind).unavailable() == null;
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

    /** What it came to; never {@code AUTO}. */
    public TransportKind kind() {
        return io.kind();
    }

    /** The loops that own connections. */
    public EventLoopGroup loops() {
        return loops;
    }

    EventLoopGroup acceptor() {
        return acceptor;
    }

    Class<? extends ServerChannel> serverChannel() {
        return io.serverChannel();
    }

    /** Whether connections of this transport know the option; each kind has its own. */
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
