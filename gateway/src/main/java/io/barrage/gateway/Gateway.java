package io.barrage.gateway;

import io.barrage.gateway.backend.BackendDoor;
import io.barrage.gateway.backend.ConnectionsHandler;
import io.barrage.gateway.backend.HealthHandler;
import io.barrage.gateway.backend.HistoryHandler;
import io.barrage.gateway.backend.MetricsEndpoint;
import io.barrage.gateway.backend.NodeHandler;
import io.barrage.gateway.backend.OpenApiHandler;
import io.barrage.gateway.backend.PresenceHandler;
import io.barrage.gateway.backend.PublishHandler;
import io.barrage.gateway.backend.RetractHandler;
import io.barrage.gateway.backend.Route;
import io.barrage.gateway.backend.TopicsHandler;
import io.barrage.gateway.backend.UsersHandler;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.clients.ClientLimits;
import io.barrage.gateway.clients.ClientRules;
import io.barrage.gateway.clients.ClientsDoor;
import io.barrage.gateway.clients.DrainConfig;
import io.barrage.gateway.clients.Forwarding;
import io.barrage.gateway.hooks.HookConfig;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.hooks.HooksConfig;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.HttpLimits;
import io.barrage.gateway.http.LimitsConfig;
import io.barrage.gateway.hub.Control;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubMemory;
import io.barrage.gateway.hub.HubShard;
import io.barrage.gateway.metrics.GatewayMetrics;
import io.barrage.gateway.net.Descriptors;
import io.barrage.gateway.net.Listener;
import io.barrage.gateway.net.ReceiveBuffers;
import io.barrage.gateway.net.Transport;
import io.barrage.gateway.net.TransportKind;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.TopicName;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.util.concurrent.EventExecutor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
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

    private final Descriptors descriptors;
    private final LiveConfig live;
    private final Transport transport;
    private final GatewayMetrics metrics;
    private final MemoryBroker broker;
    private final Hooks hooks;
    private final Hub hub;
    private final ClientsDoor clientsDoor;
    private final BackendDoor backendDoor;
    private final Listener clients;
    private final Listener backend;
    // under this object's lock, as reloads are
    private @Nullable Future<?> valuesTimer;
    private long valuesTickMillis;

    private final AtomicBoolean draining = new AtomicBoolean();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final CountDownLatch closed = new CountDownLatch(1);

    private Gateway(GatewayConfig config, Transport transport) {
        // Behind the start of the transport, whose loops have some of them.
        this.descriptors = Descriptors.ofProcess();
        this.live = new LiveConfig(config, effective -> clientRules(effective, descriptors));
        this.transport = transport;
        Function<TopicName, String> namespaceOf =
                topic -> live.namespaceOf(topic).name();
        this.metrics = new GatewayMetrics(names(config), namespaceOf);
        String node = Long.toString(ThreadLocalRandom.current().nextLong(1L << 25, 1L << 30), Character.MAX_RADIX);
        this.hooks = new Hooks(
                live::hookRules,
                namespaceOf,
                node,
                () -> (int) live.config().limits().messageBytes().bytes(),
                metrics.hooks());
        this.broker = new MemoryBroker(
                System::nanoTime,
                live::namespaceOf,
                metrics,
                hooks.notifications(),
                config.memory().tail().bytes());
        metrics.bind(broker);
        metrics.bind(PooledByteBufAllocator.DEFAULT);

        List<EventExecutor> loops =
                StreamSupport.stream(transport.loops().spliterator(), false).toList();
        this.hub = new Hub(
                loops.stream().map(EventLoopOfShard::new).toList(),
                broker,
                live::topicRules,
                memory(config, loops.size()),
                // Slices of adaptive buffers, Netty's default, would allocate with each delivery.
                PooledByteBufAllocator.DEFAULT,
                metrics);
        Map<EventLoop, HubShard> shards = new HashMap<>();
        for (int i = 0; i < loops.size(); i++) {
            shards.put((EventLoop) loops.get(i), hub.shards().get(i));
        }

        this.clientsDoor = new ClientsDoor(
                live::clientRules,
                live::namespaces,
                live::tokens,
                hooks,
                broker,
                loop -> Objects.requireNonNull(shards.get(loop), "a loop of another transport"),
                metrics,
                node);
        config.backend().keys().forEach(key -> metrics.addKey(key.name()));
        Control control = new Control(hub, () -> live.config().limits().subscriptionsPerConnection());
        this.backendDoor = new BackendDoor(
                live::keys,
                List.of(
                        new HealthHandler(hub, () -> !draining.get()),
                        new MetricsEndpoint(
                                () -> metrics.scrape(hub.snapshot()),
                                config.metrics().open()),
                        new PublishHandler(
                                broker,
                                (int) config.limits().bodyBytes().bytes(),
                                (int) config.limits().messageBytes().bytes(),
                                metrics),
                        new HistoryHandler(broker),
                        new RetractHandler(broker),
                        new ConnectionsHandler(node, hub, control),
                        new UsersHandler(control),
                        new TopicsHandler(broker),
                        new PresenceHandler(broker),
                        new NodeHandler(node, Main.versionText(), hub, broker, draining::get, this::drain),
                        new OpenApiHandler()));

        this.backend = listen(
                "backend",
                config.backend().host(),
                config.backend().port(),
                backendDoor,
                Map.of(ChannelOption.WRITE_BUFFER_WATER_MARK, BACKEND_WATER_MARK));
        try {
            this.clients = listen(
                    "clients",
                    config.clients().host(),
                    config.clients().port(),
                    clientsDoor,
                    clientOptions(transport.kind()));
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
        every(COUNTS_INTERVAL_MILLIS, new Repeated("telling counts", hub::tellCounts));
        every(HIDDEN_INTERVAL_MILLIS, new Repeated("telling what is hidden", broker::tellHidden));
        every(COUNTS_INTERVAL_MILLIS, new Repeated("telling members", broker::tellMembers));
        tellValuesEvery(valuesTickMillis(config));
        every(SWEEP_INTERVAL_MILLIS, new Repeated("dropping what is old", broker::sweep));
    }

    /** Does it until the gateway stops; closing the hub waits for every loop's turn, and so for one that is being done. */
    private Future<?> every(long millis, Repeated step) {
        Runnable turn = () -> {
            if (!stopping.get()) {
                step.run();
            }
        };
        return timer().scheduleAtFixedRate(turn, millis, millis, TimeUnit.MILLISECONDS);
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
        } catch (Throwable e) {
            // An error, too: the loops' threads would keep the process.
            transport.close();
            throw e;
        }
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

    private static int roomForClients(GatewayConfig config, Descriptors descriptors) {
        HooksConfig hooks = config.hooks();
        return descriptors.roomForClients(Stream.of(hooks.connect(), hooks.subscribe(), hooks.publish())
                .filter(hook -> hook.url() != null)
                .mapToInt(HookConfig::maxInFlight)
                .sum());
    }

    private static ClientRules clientRules(GatewayConfig config, Descriptors descriptors) {
        int maxConnections = config.limits().connections();
        return new ClientRules(
                config.profile() == Profile.DEVELOPMENT,
                config.clients().origins(),
                config.clients().compression(),
                config.heartbeat(),
                config.heartbeatTimeout(),
                (int) config.limits().messageBytes().bytes(),
                maxConnections == 0 ? roomForClients(config, descriptors) : maxConnections,
                config.limits().subscriptionsPerConnection(),
                clientLimits(config.limits()),
                Forwarding.of(config.clients()),
                config.auth().renewal());
    }

    private static ClientLimits clientLimits(LimitsConfig limits) {
        return new ClientLimits(
                limits.connectionsPerUser(),
                limits.connectionsPerAddress(),
                limits.countLoopback(),
                limits.handshakes(),
                limits.handshakesPerAddress(),
                limits.inbound(),
                limits.requests());
    }

    private static Map<ChannelOption<?>, Object> clientOptions(TransportKind transport) {
        Map<ChannelOption<?>, Object> options = new HashMap<>();
        options.put(ChannelOption.WRITE_BUFFER_WATER_MARK, CLIENT_WATER_MARK);
        options.put(ChannelOption.SO_SNDBUF, SEND_BUFFER_BYTES);
        // Each transport takes its own.
        options.put(EpollChannelOption.TCP_NOTSENT_LOWAT, UNSENT_LOW_WATER_BYTES);
        options.put(IoUringChannelOption.TCP_NOTSENT_LOWAT, UNSENT_LOW_WATER_BYTES);
        options.put(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        if (transport != TransportKind.IO_URING) {
            options.put(ChannelOption.RECVBUF_ALLOCATOR, new ReceiveBuffers());
        }
        return options;
    }

    /** Begins to look through the values so often, in place of the pace before. */
    private void tellValuesEvery(long millis) {
        if (valuesTimer != null) {
            valuesTimer.cancel(false);
        }
        valuesTickMillis = millis;
        valuesTimer = every(millis, new Repeated("telling values", broker::tellValues));
    }

    private static HttpLimits httpLimits(GatewayConfig config) {
        return new HttpLimits(
                (int) config.limits().bodyBytes().bytes(),
                config.limits().requestTimeout(),
                config.limits().keepAliveTimeout());
    }

    private Listener listen(
            String name, String host, int port, HttpConnection.Door door, Map<ChannelOption<?>, Object> options) {
        HttpConnection.Door counted = new HttpConnection.Door() {
            @Override
            public BodyReader open(Exchange exchange) {
                return door.open(exchange);
            }

            @Override
            public void refused(ErrorCode code) {
                metrics.requestRefused(code);
            }
        };
        return Listener.open(
                transport,
                name,
                host,
                port,
                new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        HttpConnection.add(channel.pipeline(), counted, httpLimits(live.config()));
                    }
                },
                options);
    }

    private void greet() {
        tellRoomForClients();
        if (live.config().profile() == Profile.DEVELOPMENT) {
            log.info("The live demo is open in any browser. url=http://localhost:{}/", clients.port());
        }
    }

    private void tellRoomForClients() {
        int most = live.clientRules().maxConnections();
        int room = roomForClients(live.config(), descriptors);
        if (room > 0 && most > room) {
            log.warn(
                    "limits.connections is more than the process may have files open for: when those run out, clients"
                            + " wait unanswered instead of being told. Raise that limit (ulimit -n, LimitNOFILE)."
                            + " connections={} room={} descriptors={}",
                    most,
                    room,
                    descriptors.limit());
        } else if (most > 0) {
            log.info("There is room for clients. connections={} descriptors={}", most, descriptors.limit());
        }
    }

    private ScheduledExecutorService timer() {
        return transport.loops().next();
    }

    /** The configuration in effect. */
    GatewayConfig config() {
        return live.config();
    }

    /**
     * Goes on with another configuration, without closing a connection; returns when all topics follow it. Keys that need a restart
     * must be as they were. Not to be called on an event loop.
     */
    synchronized void reconfigure(GatewayConfig changed) {
        LogConfig logging = live.config().log();
        boolean access = !subscribers(live.config()).equals(subscribers(changed));
        int maxConnections = live.clientRules().maxConnections();
        metrics.addNamespaces(names(changed));
        changed.backend().keys().forEach(key -> metrics.addKey(key.name()));
        live.replace(changed);
        broker.reconfigure();
        CompletableFuture<Void> topics = hub.reconfigure(access);
        if (valuesTickMillis(changed) != valuesTickMillis) {
            tellValuesEvery(valuesTickMillis(changed));
        }
        if (!changed.log().equals(logging)) {
            Logging.apply(changed.log());
        }
        if (live.clientRules().maxConnections() != maxConnections) {
            tellRoomForClients();
        }
        topics.join();
        metrics.reloaded(true);
    }

    /** Counts a configuration that was read anew and isn't used. */
    void reloadRefused() {
        metrics.reloaded(false);
    }

    private static Map<String, Who> subscribers(GatewayConfig config) {
        return config.namespaces().stream()
                .collect(Collectors.toMap(NamespaceConfig::name, NamespaceConfig::subscribe));
    }

    private static List<String> names(GatewayConfig config) {
        return config.namespaces().stream().map(NamespaceConfig::name).toList();
    }

    /** The port of the clients' door. */
    int clientsPort() {
        return clients.port();
    }

    /** All that answers at the backend's door. */
    List<Route> backendRoutes() {
        return backendDoor.routes();
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
        DrainConfig rules = live.config().drain();
        log.info("Draining. deadline={}", rules.deadline());
        clientsDoor.drain();
        clients.stopAccepting();
        new Drain(hub, timer())
                .start(rules.spread(), rules.deadline())
                // Not on a loop: stopping waits for the loops.
                .thenRunAsync(this::close, task -> new Thread(task, "barrage-stop").start());
    }

    /** Drains, and returns when the gateway has stopped; for the process's end. */
    void drainAndAwait() throws InterruptedException {
        drain();
        boolean stopped =
                closed.await(live.config().drain().deadline().toSeconds() + STOP_MARGIN_SECONDS, TimeUnit.SECONDS);
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
        live.tokens().close();
        // Behind the connections, whose ends are told.
        hooks.close();
        transport.close();
        metrics.close();
        log.info("Stopped.");
        closed.countDown();
    }
}
