package io.barrage.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.Requirements;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(30)
class ListenerTest {

    private static final String HOST = "127.0.0.1";

    private final BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();

    /** Echoes, and tells the test about each connection. */
    private final ChannelHandler echo = new ChannelInitializer<>() {
        @Override
        protected void initChannel(Channel channel) {
            accepted.add(channel);
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                @SuppressWarnings("FutureReturnValueIgnored") // the promise is void
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ctx.writeAndFlush(message, ctx.voidPromise());
                }
            });
        }
    };

    private static Transport start(TransportKind kind) {
        Requirements.that(Transport.isAvailable(kind), kind.name());
        return Transport.start(new ServerConfig(kind, 2));
    }

    private static Socket connect(int port) throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), port);
    }

    private static int echoed(Socket socket, int b) throws Exception {
        socket.getOutputStream().write(b);
        return socket.getInputStream().read();
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void carriesBytesOnEveryTransport(TransportKind kind) throws Exception {
        try (Transport transport = start(kind);
                Listener listener = Listener.open(transport, "clients", HOST, 0, echo, Map.of());
                Socket socket = connect(listener.port())) {
            assertEquals(42, echoed(socket, 42));
            Channel channel = accepted.take();
            String carrier =
                    switch (transport.kind()) {
                        case EPOLL -> "EpollSocketChannel";
                        case IO_URING -> "IoUringSocketChannel";
                        case NIO -> "NioSocketChannel";
                        case AUTO -> throw new AssertionError("it came to nothing");
                    };
            assertEquals(carrier, channel.getClass().getSimpleName());
            assertTrue(kind == TransportKind.AUTO || kind == transport.kind());
            assertTrue(channel.eventLoop().inEventLoop(threadOf(channel)));
            assertTrue(
                    threadOf(channel).getName().startsWith("barrage-loop-"),
                    threadOf(channel).getName());
            assertTrue(threadOf(channel).isDaemon());
        }
    }

    private static Thread threadOf(Channel channel) throws Exception {
        return channel.eventLoop().submit(Thread::currentThread).get();
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void setsOptionsThatTheTransportKnows(TransportKind kind) throws Exception {
        WriteBufferWaterMark marks = new WriteBufferWaterMark(1, 1);
        Map<ChannelOption<?>, Object> options = Map.of(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                marks,
                EpollChannelOption.TCP_NOTSENT_LOWAT,
                32_768L,
                IoUringChannelOption.TCP_NOTSENT_LOWAT,
                32_768L);
        try (Transport transport = start(kind);
                Listener listener = Listener.open(transport, "clients", HOST, 0, echo, options);
                Socket socket = connect(listener.port())) {
            assertEquals(7, echoed(socket, 7));
            Channel channel = accepted.take();
            assertEquals(marks, channel.config().getWriteBufferWaterMark());
            assertEquals(true, channel.config().getOption(ChannelOption.TCP_NODELAY));
            Long ofEpoll = transport.kind() == TransportKind.EPOLL ? 32_768L : null;
            assertEquals(ofEpoll, channel.config().getOption(EpollChannelOption.TCP_NOTSENT_LOWAT));
            Long ofIoUring = transport.kind() == TransportKind.IO_URING ? 32_768L : null;
            assertEquals(ofIoUring, channel.config().getOption(IoUringChannelOption.TCP_NOTSENT_LOWAT));
        }
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void stopsAcceptingButKeepsConnections(TransportKind kind) throws Exception {
        try (Transport transport = start(kind);
                Listener listener = Listener.open(transport, "clients", HOST, 0, echo, Map.of())) {
            int port = listener.port();
            try (Socket socket = connect(port)) {
                assertEquals(1, echoed(socket, 1));
                listener.stopAccepting().sync();
                assertThrows(ConnectException.class, () -> connect(port).close());
                assertEquals(2, echoed(socket, 2));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void bindsAgainWhileOldConnectionsLinger(TransportKind kind) throws Exception {
        try (Transport transport = start(kind)) {
            Listener first = Listener.open(transport, "clients", HOST, 0, echo, Map.of());
            int port = first.port();
            try (Socket socket = connect(port)) {
                assertEquals(1, echoed(socket, 1));
                // Closed by the server first: its end of the connection stays behind.
                accepted.take().close().sync();
                first.close();
                Listener.open(transport, "clients", HOST, port, echo, Map.of()).close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void tellsWhyAPortCannotBeOpened(TransportKind kind) throws Exception {
        try (Transport transport = start(kind);
                Listener other = Listener.open(transport, "clients", HOST, 0, echo, Map.of())) {
            ListenException taken = assertThrows(
                    ListenException.class,
                    () -> Listener.open(transport, "backend", HOST, other.port(), echo, Map.of()));
            assertEquals(
                    "backend.host, backend.port: can't listen on 127.0.0.1:" + other.port()
                            + ": Address already in use",
                    taken.getMessage());
            ListenException unknown = assertThrows(
                    ListenException.class,
                    () -> Listener.open(transport, "backend", "no such host", 0, echo, Map.of()));
            assertEquals("backend.host: no address is known for \"no such host\"", unknown.getMessage());
            // A documentation address: nobody has it.
            ListenException foreign = assertThrows(
                    ListenException.class, () -> Listener.open(transport, "backend", "192.0.2.1", 0, echo, Map.of()));
            assertTrue(
                    foreign.getMessage().startsWith("backend.host, backend.port: can't listen on 192.0.2.1:0: "),
                    foreign.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(TransportKind.class)
    void survivesFailuresToAccept(TransportKind kind) throws Exception {
        try (Transport transport = start(kind);
                Listener listener = Listener.open(transport, "clients", HOST, 0, echo, Map.of())) {
            listener.channel().pipeline().fireExceptionCaught(new IOException("Too many open files"));
            try (Socket socket = connect(listener.port())) {
                assertEquals(3, echoed(socket, 3));
            }
        }
    }

    @Test
    void choosesEpollWhereItIsAvailable() {
        try (Transport transport = start(TransportKind.AUTO)) {
            assertEquals(Epoll.isAvailable() ? TransportKind.EPOLL : TransportKind.NIO, transport.kind());
        }
    }

    @Test
    void stopsItsLoops() {
        Transport transport = start(TransportKind.AUTO);
        assertFalse(transport.loops().isShutdown());
        transport.close();
        assertTrue(transport.loops().isTerminated());
        assertTrue(transport.acceptor().isTerminated());
    }
}
