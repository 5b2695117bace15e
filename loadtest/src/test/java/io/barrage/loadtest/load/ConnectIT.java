package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Target;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class ConnectIT {
    @TempDir
    private Path directory;

    private static ConnectResult run(
            Target target, int connections, OptionalDouble rate, int warmup, Duration hold, OptionalLong pid)
            throws Exception {
        return run(target, connections, rate, 0, warmup, hold, pid);
    }

    private static ConnectResult run(
            Target target,
            int connections,
            OptionalDouble rate,
            int topics,
            int warmup,
            Duration hold,
            OptionalLong pid)
            throws Exception {
        return Connect.run(
                new ConnectPlan(
                        target, connections, rate, 20, topics, warmup, 10, hold, Duration.ofSeconds(20), pid, false),
                ProgressLine.toStandardError());
    }

    @Test
    void holdsConnectionsThatAnswerPings() throws Exception {
        try (GatewayProcess gateway =
                new GatewayProcess(directory, "auth: none\nheartbeat: 1s\nheartbeatTimeout: 3s\n")) {
            ConnectResult result = run(
                    gateway.target(),
                    200,
                    OptionalDouble.empty(),
                    25,
                    Duration.ofSeconds(6),
                    OptionalLong.of(gateway.pid()));
            assertTrue(result.clean(), result.toString());
            assertEquals(200, result.handshake().count());
            assertEquals(Map.of(), result.lost());
            // Who doesn't answer within heartbeat and timeout is closed, so each has answered at least once.
            assertTrue(result.pings() >= 200, result.toString());
            assertEquals(25, result.warmupHandshakes());
            assertEquals(10, result.warmupConnections());
            assertEquals(
                    List.of(),
                    result.notes().stream()
                            .filter(note -> note.contains("warm-up"))
                            .toList());
            assertTrue(result.server() != null && result.server().rssBefore() > 1 << 20, result.toString());
            assertTrue(result.server().rssCold() > 1 << 20, result.toString());
            assertEquals(
                    (result.server().rssHeld() - result.server().rssCold()) / 200.0,
                    result.server().bytesPerConnectionFromCold());
            assertEquals(
                    (result.server().rssHeld() - result.server().rssHalf()) / 100.0,
                    result.server().bytesPerConnectionOfSecondHalf());
            assertTrue(result.generator().lag().count() > 0, result.toString());
            assertTrue(result.server().cpuSeconds() >= 0
                    && result.server().peakRss() >= result.server().rssHeld());
        }
    }

    @Test
    void putsAllIntoOneRoomOrOverSeveral() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            for (int topics : new int[] {1, 3}) {
                ConnectResult result = run(
                        gateway.target(),
                        30,
                        OptionalDouble.empty(),
                        topics,
                        0,
                        Duration.ofMillis(500),
                        OptionalLong.empty());
                assertTrue(result.clean(), result.toString());
                assertTrue(result.plan().contains(topics == 1 ? "on one topic" : "on 3 topics"), result.plan());
            }
        }
    }

    @Test
    void opensAtARateWithoutATopic() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            ConnectResult result = run(
                    Doorstep.of(gateway.target()), 50, OptionalDouble.of(200), 0, Duration.ZERO, OptionalLong.empty());
            assertTrue(result.clean(), result.toString());
            assertEquals(50, result.late().count());
            // The last of them is due 49/200 s after the first: an open loop can't be done before.
            assertTrue(result.seconds() >= 0.245, result.toString());
            assertTrue(result.handshakesPerSecond() <= 50 / 0.245, result.toString());
        }
    }

    @Test
    void countsWhoIsClosedByAnyServer() throws Exception {
        try (ClosesEveryThird server = new ClosesEveryThird()) {
            ConnectResult result = run(
                    Doorstep.of("ws://127.0.0.1:" + server.port() + "/chat?room={n}"),
                    30,
                    OptionalDouble.empty(),
                    0,
                    Duration.ofSeconds(2),
                    OptionalLong.empty());
            assertFalse(result.clean());
            assertEquals(30, result.opened());
            assertEquals(20, result.held());
            assertEquals(Map.of("the gateway closed with 4000 third", 10), result.lost());
            assertEquals(20, result.pings());
            assertEquals(20, server.pongs.get());
        }
    }

    @Test
    void saysWhyNobodyGotIn() throws Exception {
        InetSocketAddress nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort());
        }
        LoadException failure = assertThrows(
                LoadException.class,
                () -> run(
                        new Doorstep("nobody", nobody, "/", "", ""),
                        // More than the stack is deep, if each failure began the next one.
                        15_000,
                        OptionalDouble.empty(),
                        0,
                        Duration.ZERO,
                        OptionalLong.empty()));
        assertTrue(failure.getMessage().contains("Connection refused"), failure.getMessage());
    }

    @Test
    void countsRefusedHandshakesByReason() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, "")) {
            LoadException failure = assertThrows(
                    LoadException.class,
                    () -> run(
                            new Doorstep("elsewhere", gateway.target().clients(), "/nowhere", "", ""),
                            5,
                            OptionalDouble.empty(),
                            0,
                            Duration.ZERO,
                            OptionalLong.empty()));
            assertTrue(failure.getMessage().contains("404"), failure.getMessage());
        }
    }

    /** A plain WebSocket server that pings everybody, but closes each third at once. One event loop. */
    private static final class ClosesEveryThird implements AutoCloseable {
        private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        private final AtomicInteger pongs = new AtomicInteger();
        private final InetSocketAddress address;
        private int connections;

        ClosesEveryThird() throws InterruptedException {
            address = (InetSocketAddress) new ServerBootstrap()
                    .group(group)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel channel) {
                            channel.pipeline()
                                    .addLast(
                                            new HttpServerCodec(),
                                            new HttpObjectAggregator(1 << 16),
                                            new WebSocketServerProtocolHandler(
                                                    "/chat", null, false, 1 << 16, false, true, false),
                                            new Greeting());
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel()
                    .localAddress();
        }

        int port() {
            return address.getPort();
        }

        @Override
        public void close() {
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
        }

        private final class Greeting extends ChannelInboundHandlerAdapter {
            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
                    boolean third = ++connections % 3 == 0;
                    ctx.writeAndFlush(
                            third
                                    ? new CloseWebSocketFrame(4000, "third")
                                    : new PingWebSocketFrame(Unpooled.wrappedBuffer(new byte[] {1, 2, 3})));
                }
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object read) {
                if (read instanceof PongWebSocketFrame pong) {
                    pongs.addAndGet(pong.content().readableBytes() == 3 ? 1 : 0);
                }
                io.netty.util.ReferenceCountUtil.release(read);
            }
        }
    }
}
