package io.barrage.gateway.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An open port that hands each connection to one of the transport's loops. Thread-safe. */
public final class Listener implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Listener.class);

    /** A hot room's viewers come back all at once after a restart; the kernel caps it at net.core.somaxconn (4096). */
    private static final int BACKLOG = 4096;

    private static final long STOP_SECONDS = 5;

    private final String name;
    private final Channel channel;

    private Listener(String name, Channel channel) {
        this.name = name;
        this.channel = channel;
    }

    /**
     * Opens the port; returns when connections are accepted.
     *
     * @param name the section of the configuration, for messages: {@code clients}
     * @param port 0 takes a free one
     * @param child sets up each connection; sharable or a {@code ChannelInitializer}
     * @param childOptions for each connection's socket; those that the transport doesn't know are left out
     * @throws ListenException if the port can't be opened
     */
    public static Listener open(
            Transport transport,
            String name,
            String host,
            int port,
            ChannelHandler child,
            Map<ChannelOption<?>, Object> childOptions) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(transport.acceptor(), transport.loops())
                .channel(transport.serverChannel())
                // A restart must not wait for the connections of the process before to leave TIME_WAIT.
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .handler(new AcceptFailures(name))
                // We write whole batches: Nagle would only wait for acknowledgements in between.
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(child);
        childOptions.forEach((option, value) -> {
            if (transport.supports(option)) {
                childOption(bootstrap, option, value);
            }
        });
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new ListenException(
                    name + ".host: no address is known for \"" + host + '"', new UnknownHostException(host));
        }
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new ListenException(
                    name + ".host, " + name + ".port: can't listen on " + print(host, port) + ": "
                            + reason(bound.cause()),
                    bound.cause());
        }
        Listener listener = new Listener(name, bound.channel());
        log.info("Listening listener={} address={}", name, print(host, listener.port()));
        return listener;
    }

    @SuppressWarnings(
            "unchecked") // the map's signature can't say that each value belongs to its option; Netty checks it
    private static void childOption(ServerBootstrap bootstrap, ChannelOption<?> option, Object value) {
        bootstrap.childOption((ChannelOption<Object>) option, value);
    }

    private static String print(String host, int port) {
        return (host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + port;
    }

    /** Without the name of the system call and its number, which epoll puts around the words. */
    private static String reason(Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        return message.replaceFirst("^bind\\(\\.\\.\\) failed with error\\(-?\\d+\\): ", "");
    }

    /** The port in use; the free one that was taken if 0 was asked for. */
    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    Channel channel() {
        return channel;
    }

    /**
     * Closes the port, not the connections that came through it. The future is done when the kernel refuses newcomers,
     * which under NIO is only after the selector has turned once more.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // all of them end in the one that is returned
    public Future<Void> stopAccepting() {
        EventLoop loop = channel.eventLoop();
        if (!channel.isOpen()) {
            return loop.newSucceededFuture(null);
        }
        Promise<Void> refused = ImmediateEventExecutor.INSTANCE.newPromise();
        // Not execute(): what is executed runs before the selector's next turn, what is scheduled after it.
        channel.close().addListener(done -> loop.schedule(() -> refused.trySuccess(null), 0, TimeUnit.NANOSECONDS));
        return refused;
    }

    /** Closes the port and waits until it is closed, five seconds at most. Not to be called on the acceptor's loop. */
    @Override
    public void close() {
        stopAccepting().awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public String toString() {
        return name + " on " + channel.localAddress();
    }
}
