package io.barrage.gateway;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.backend.BackendDoor;
import io.barrage.gateway.backend.ConnectionsHandler;
import io.barrage.gateway.backend.HealthHandler;
import io.barrage.gateway.backend.MetricsEndpoint;
import io.barrage.gateway.backend.NodeHandler;
import io.barrage.gateway.backend.PublishHandler;
import io.barrage.gateway.broker.Delivery;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.broker.PresenceMode;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.clients.ClientRules;
import io.barrage.gateway.clients.ClientsDoor;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.HttpLimits;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubMemory;
import io.barrage.gateway.hub.HubShard;
import io.barrage.gateway.hub.TopicRules;
import io.barrage.gateway.metrics.GatewayMetrics;
import io.barrage.gateway.net.Listener;
import io.barrage.gateway.net.Transport;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.util.concurrent.EventExecutor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.StreamSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running gateway: builds everything, and stops it in reverse. Thread-safe. */
final class Gateway implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Gateway.class);

    private static final long COUNTS_INTERVAL_MILLIS = 1_000;
    private static final long HIDDEN_INTERVAL_MILLIS = 500;
    /** How often values are looked through, unless an interval is shorter. */
    private static final long VALUES_TICK_MILLIS = 50;

    private static final long SWEEP_INTERVAL_MILLIS = 5_000;

    /** What the kernel may hold for one client; more would only make a slow one's messages older. */
    private static final int SEND_BUFFER_BYTES = 64 * 1024;

    /** A socket counts as writable again when the kernel holds less than this unsent. */
    private static final long UNSENT_LOW_WATER_BYTES = 32 * 1024;

    /** Answers to a stream of publishes may wait unread up to here before no more of it is read. */
    private static final WriteBufferWaterMark BACKEND_WATER_MARK = new WriteBufferWaterMark(512 * 1024, 1024 * 1024);

    /** Writable means that Netty holds nothing. */
    private static final WriteBufferWaterMark CLIENT_WATER_MARK = new WriteBufferWaterMark(1, 1);

    private static final long STOP_MARGIN_SECONDS = 5;

    private final GatewayConfig config;
    private final Transport transport;
    private final GatewayMetrics metrics;
    private final Hub hub;
    private final ClientsDoor clientsDoor;
    private final Listener clients;
    private final Listener backend;
    private final AtomicBoolean draining = new AtomicBoolean();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final CountDownLatch closed = new CountDownLatch(1);

    private Gateway(GatewayConfig config, Transport transport) {
        this.config = config;
        this.transport = transport;
        Namespaces namespaces = new Namespaces(config.namespaces());
        this.metrics = new GatewayMetrics(
                namespaces.names(), topic -> namespaces.of(topic).name());
        MemoryBroker broker = new MemoryBroker(
                System::nanoTime,
                namespaces::of,
                metrics,
                config.memory().tail().bytes());
        metrics.bind(broker);
        metrics.bind(PooledByteBufAllocator.DEFAULT);

        List<EventExecutor> loops =
                StreamSupport.stream(transport.loops().spliterator(), false).toList();
        this.hub = new Hub(
                loops.stream().map(EventLoopOfShard::new).toList(),
                broker,
                topic -> rules(namespaces.of(topic)),
                memory(config, loops.size()),
                // Slices of adaptive buffers, Netty's default, would allocate with each delivery.
                PooledByteBufAllocator.DEFAULT,
                metrics);
        Map<EventLoop, HubShard> shards = new HashMap<>();
        for (int i = 0; i < loops.size(); i++) {
            shards.put((EventLoop) loops.get(i), hub.shards().get(i));
        }

        String node = Long.toString(ThreadLocalRandom.current().nextLong(1L << 25, 1L << 30), Character.MAX_RADIX);
        this.clientsDoor = new ClientsDoor(
                clientRules(config, namespaces),
                broker,
                loop -> Objects.requireNonNull(shards.get(loop), "a loop of another transport"),
                metrics,
                node);
        ApiKeys keys = ApiKeys.of(config.backend().keys());
        BackendDoor backendDoor = new BackendDoor(
                () -> keys,
                new PublishHandler(broker, (int) config.limits().bodyBytes().bytes(), (int)
                        config.limits().messageBytes().bytes()),
                new HealthHandler(hub, () -> !draining.get()),
                new NodeHandler(node, Main.versionText(), hub, draining::get, this::drain),
                new ConnectionsHandler(node, hub),
                new MetricsEndpoint(() -> metrics.scrape(hub.snapshot())),
                config.metrics().open());

        this.backend = listen(
                "backend",
                config.backend().host(),
                config.backend().port(),
                backendDoor,
                Map.of(ChannelOption.WRITE_BUFFER_WATER_MARK, BACKEND_WATER_MARK));
        try {
            this.clients =
                    listen("clients", config.clients().host(), config.clients().port(), clientsDoor, clientOptions());
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
        timer().scheduleAtFixedRate(
                        hub::tellCounts, COUNTS_INTERVAL_MILLIS, COUNTS_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
        timer().scheduleAtFixedRate(
                        broker::tellHidden, HIDDEN_INTERVAL_MILLIS, HIDDEN_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
        long valuesTick = valuesTickMillis(config);
        timer().scheduleAtFixedRate(broker::tellValues, valuesTick, valuesTick, TimeUnit.MILLISECONDS);
        timer().scheduleAtFixedRate(broker::sweep, SWEEP_INTERVAL_MILLIS, SWEEP_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Starts everything that the configuration asks for; returns when both doors are open.
     *
     * @throws io.barrage.gateway.net.ListenException if one can't be opened; nothing is left running then
     */
    static Gateway start(GatewayConfig config) {
        Transport transport = Transport.start(config.server());
        try {
            Gateway gateway = new Gateway(config, transport);
            gateway.greet();
            return gateway;
        } catch (RuntimeException e) {
            transport.close();
            throw e;
        }
    }

    private static TopicRules rules(NamespaceConfig namespace) {
        return new TopicRules(
                namespace.name(),
                namespace.log().size(),
                (int) namespace.log().bytes().bytes(),
                namespace.presence() == PresenceMode.COUNTS,
                namespace.coalesce().toNanos(),
                namespace.coalesceMax().toNanos(),
                namespace.delivery() == Delivery.RELIABLE);
    }

    /** Often enough that a value is told soon after its interval. */
    private static long valuesTickMillis(GatewayConfig config) {
        return config.namespaces().stream()
                .mapToLong(namespace -> namespace.interval().toMillis())
                .reduce(VALUES_TICK_MILLIS, Math::min);
    }

    private static HubMemory memory(GatewayConfig config, int loops) {
        return new HubMemory(
                config.memory().queue().bytes(),
                config.memory().log().bytes() / loops,
                config.memory().pinned().bytes() / loops);
    }

    private static ClientRules clientRules(GatewayConfig config, Namespaces namespaces) {
        return new ClientRules(
                config.profile() == Profile.DEVELOPMENT,
                config.clients().origins(),
                config.clients().compression(),
                config.heartbeat(),
                config.heartbeatTimeout(),
                (int) config.limits().messageBytes().bytes(),
                config.limits().connections(),
                config.limits().subscriptionsPerConnection(),
                new ClientRules.Permissions() {
                    @Override
                    public boolean maySubscribe(TopicName topic) {
                        return namespaces.of(topic).subscribe() == Who.ANYONE;
                    }

                    @Override
                    public boolean mayPublish(TopicName topic) {
                        return namespaces.of(topic).publish() == Who.ANYONE;
                    }

                    @Override
                    public boolean mayPublishValues(TopicName topic) {
                        return namespaces.of(topic).publishValues() == Who.ANYONE;
                    }

                    @Override
                    public Priority maxPriority(TopicName topic) {
                        return namespaces.of(topic).maxClientPriority();
                    }
                });
    }

    private static Map<ChannelOption<?>, Object> clientOptions() {
        Map<ChannelOption<?>, Object> options = new HashMap<>();
        options.put(ChannelOption.WRITE_BUFFER_WATER_MARK, CLIENT_WATER_MARK);
        options.put(ChannelOption.SO_SNDBUF, SEND_BUFFER_BYTES);
        options.put(EpollChannelOption.TCP_NOTSENT_LOWAT, UNSENT_LOW_WATER_BYTES);
        options.put(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        return options;
    }

    private Listener listen(
            String name, String host, int port, HttpConnection.Door door, Map<ChannelOption<?>, Object> options) {
        HttpLimits limits = new HttpLimits(
                (int) config.limits().bodyBytes().bytes(),
                config.limits().requestTimeout(),
                config.limits().keepAliveTimeout());
        return Listener.open(
                transport,
                name,
                host,
                port,
                new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        HttpConnection.add(channel.pipeline(), door, limits);
                    }
                },
                options);
    }

    private void greet() {
        if (config.profile() == Profile.DEVELOPMENT) {
            log.info("The live demo is open in any browser. url=http://localhost:{}/", clients.port());
        }
    }

    private ScheduledExecutorService timer() {
        return transport.loops().next();
    }

    /** The port of the clients' door. */
    int clientsPort() {
        return clients.port();
    }

    /** The port of the backend's door. */
    int backendPort() {
        return backend.port();
    }

    /**
     * Begins to end: not ready at once, no new connections, the old ones told to go elsewhere; stops when all have gone, or at
     * the deadline. Returns at once.
     */
    void drain() {
        if (!draining.compareAndSet(false, true)) {
            return;
        }
        log.info("Draining. deadline={}", config.drain().deadline());
        clientsDoor.drain();
        clients.stopAccepting();
        new Drain(hub, timer())
                .start(config.drain().spread(), config.drain().deadline())
                // Not on a loop: stopping waits for the loops.
                .thenRunAsync(this::close, task -> new Thread(task, "barrage-stop").start());
    }

    /** Drains, and returns when the gateway has stopped; for the process's end. */
    void drainAndAwait() throws InterruptedException {
        drain();
        boolean stopped = closed.await(config.drain().deadline().toSeconds() + STOP_MARGIN_SECONDS, TimeUnit.SECONDS);
        if (!stopped) {
            log.error("The gateway didn't stop in time.");
        }
    }

    /** Whether the gateway has stopped. */
    boolean isClosed() {
        return closed.getCount() == 0;
    }

    /** Returns when the gateway has stopped. */
    void awaitClosed() throws InterruptedException {
        closed.await();
    }

    /** Stops now: closes all connections and returns when everything has ended. Not to be called on an event loop. */
    @Override
    public void close() {
        if (!stopping.compareAndSet(false, true)) {
            return;
        }
        draining.set(true);
        clients.close();
        backend.close();
        try {
            Drain.closeAll(hub).thenCompose(ignored -> hub.close()).get(STOP_MARGIN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            log.error("The hub didn't close in time.", e);
        }
        transport.close();
        metrics.close();
        log.info("Stopped.");
        closed.countDown();
    }
}
