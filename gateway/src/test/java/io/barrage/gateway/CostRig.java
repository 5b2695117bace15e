package io.barrage.gateway;

import com.sun.management.ThreadMXBean;
import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.HttpLimits;
import io.barrage.gateway.net.Listener;
import io.barrage.gateway.net.ServerConfig;
import io.barrage.gateway.net.Transport;
import io.barrage.gateway.net.TransportKind;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.util.ResourceLeakDetector;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * One event loop with a broker and a door behind a real port, whose allocations are counted without a clock. Used by one thread.
 *
 * <p>Must be in a JVM of its own: leak detection allocates with each touch of a buffer, and code that has met the detector's
 * wrappers is compiled for them.
 */
final class CostRig implements AutoCloseable {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    final EventLoop loop;
    final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(NamespaceConfig.class, "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private final Transport transport;
    private @Nullable Listener listener;

    CostRig() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        transport = Transport.start(new ServerConfig(TransportKind.AUTO, 1));
        loop = transport.loops().next();
    }

    /** Opens the port of a door; returns it. */
    int open(String name, HttpConnection.Door door, Map<ChannelOption<?>, Object> options) {
        Map<ChannelOption<?>, Object> all = new HashMap<>(options);
        all.put(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        HttpLimits limits = new HttpLimits(65_536, Duration.ofMinutes(1), Duration.ofMinutes(1));
        Listener opened = Listener.open(
                transport,
                name,
                "127.0.0.1",
                0,
                new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        HttpConnection.add(channel.pipeline(), door, limits);
                    }
                },
                all);
        listener = opened;
        return opened.port();
    }

    /** What the loop has allocated until now, in bytes. */
    long allocatedBytes() throws Exception {
        return onLoop(THREADS::getCurrentThreadAllocatedBytes);
    }

    <T> T onLoop(Callable<T> task) throws Exception {
        return loop.submit(task).get();
    }

    @Override
    public void close() {
        if (listener != null) {
            listener.close();
        }
        transport.close();
    }
}
