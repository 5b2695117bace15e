package io.barrage.gateway.metrics;

import com.sun.management.OperatingSystemMXBean;
import io.barrage.gateway.backend.BackendMetrics;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.clients.ClientLimit;
import io.barrage.gateway.clients.ClientMetrics;
import io.barrage.gateway.hooks.HookMetrics;
import io.barrage.gateway.hub.HubListener;
import io.barrage.gateway.hub.HubSnapshot;
import io.barrage.gateway.hub.ShedReason;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * All metrics of one gateway. Thread-safe.
 *
 * <p>Every label has a closed set of values: namespaces and API keys as configured, priorities, reasons, codes; never a topic or a user. All
 * series exist from the start, so that the first increase of a rare one is seen as such.
 */
@SuppressWarnings(
        "deprecation") // The simpleclient bridge is chosen, see the decisions; Micrometer prefers the newer client.
public final class GatewayMetrics implements BackendMetrics, BrokerMetrics, ClientMetrics, HubListener, AutoCloseable {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final Function<TopicName, String> namespaceOf;
    private final Map<String, Map<Priority, PublishCounters>> publishes = new ConcurrentHashMap<>();
    private final Map<CloseCode, Counter> closes = new EnumMap<>(CloseCode.class);
    private final Map<ErrorCode, Counter> refusedUpgrades = new EnumMap<>(ErrorCode.class);
    private final Map<ErrorCode, Counter> failures = new EnumMap<>(ErrorCode.class);
    private final Map<ClientLimit, Counter> limits = new EnumMap<>(ClientLimit.class);
    private final Map<String, KeyCounters> keys = new ConcurrentHashMap<>();
    private final AtomicLong connections = new AtomicLong();
    private final Counter handshakes;
    private final Counter appliedReloads;
    private final Counter refusedReloads;
    private volatile long configSince = System.currentTimeMillis();
    private final Timer fanOut;
    private final HookSeries hooks;
    private volatile HubSnapshot hub = HubSnapshot.EMPTY;

    private final Map<String, ValueCounters> values = new ConcurrentHashMap<>();

    private final Map<String, Counter> retractions = new ConcurrentHashMap<>();

    private record PublishCounters(
            Counter accepted, Counter duplicate, Counter limited, Counter refused, Counter invalid, Counter hidden) {}

    private record KeyCounters(Counter overRate, Counter slowed) {}

    private record ValueCounters(Counter accepted, Counter duplicate, Counter refused, Counter told) {}

    /**
     * @param namespaces all that topics can belong to
     * @param namespaceOf which of them a topic belongs to
     */
    public GatewayMetrics(Collection<String> namespaces, Function<TopicName, String> namespaceOf) {
        this.namespaceOf = namespaceOf;
        // Their names break Prometheus' rules: a time in nanoseconds, a gauge that ends as histograms do.
        registry.config()
                .meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"))
                .meterFilter(MeterFilter.denyNameStartsWith("system.cpu.count"));
        addNamespaces(namespaces);
        for (CloseCode code : CloseCode.values()) {
            closes.put(
                    code,
                    Counter.builder("barrage.closes")
                            .description("WebSocket connections that the gateway closed, by close code")
                            .tag("code", Integer.toString(code.code()))
                            .register(registry));
        }
        for (ErrorCode code : ErrorCode.values()) {
            refusedUpgrades.put(
                    code,
                    Counter.builder("barrage.upgrades.refused")
                            .description("WebSocket upgrades that were refused in HTTP, by reason")
                            .tag("code", code.wire())
                            .register(registry));
            failures.put(
                    code,
                    Counter.builder("barrage.client.errors")
                            .description("Clients' frames that were answered with an error, by its code")
                            .tag("code", code.wire())
                            .register(registry));
        }
        for (ClientLimit limit : ClientLimit.values()) {
            limits.put(
                    limit,
                    Counter.builder("barrage.limited")
                            .description("Times that a client was over a limit, and was refused, closed or slowed down")
                            .tag("limit", limit.wire())
                            .register(registry));
        }
        handshakes = Counter.builder("barrage.handshakes")
                .description("Connections that have been welcomed")
                .tag("transport", "websocket")
                .register(registry);
        appliedReloads = reloads("applied");
        refusedReloads = reloads("refused");
        Gauge.builder("barrage.config.last.success.timestamp.seconds", this, metrics -> metrics.configSince / 1e3)
                .description("When the configuration that is in effect was read, in seconds since 1970")
                .register(registry);
        fanOut = Timer.builder("barrage.fanout")
                .description("From a publish's acceptance to its write to the last socket of an event loop")
                .serviceLevelObjectives(
                        Duration.ofNanos(500_000),
                        Duration.ofMillis(1),
                        Duration.ofNanos(2_500_000),
                        Duration.ofMillis(5),
                        Duration.ofMillis(10),
                        Duration.ofMillis(25),
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(2500),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(10))
                .register(registry);
        Gauge.builder("barrage.connections", connections, AtomicLong::get)
                .description("Connections now")
                .tag("transport", "websocket")
                .register(registry);
        hooks = new HookSeries(registry);
        registerHub();
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        registerProcessor();
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    /** Adds namespaces that topics can belong to from now on; those that are known stay, so that no counter falls. */
    public synchronized void addNamespaces(Collection<String> namespaces) {
        for (String namespace : namespaces) {
            if (!publishes.containsKey(namespace)) {
                registerNamespace(namespace);
            }
        }
    }

    private Counter reloads(String result) {
        return Counter.builder("barrage.config.reloads")
                .description("Times that the configuration was read anew")
                .tag("result", result)
                .register(registry);
    }

    /** The configuration was read anew, and is in effect or wasn't usable. */
    public void reloaded(boolean applied) {
        if (applied) {
            appliedReloads.increment();
            configSince = System.currentTimeMillis();
        } else {
            refusedReloads.increment();
        }
    }

    private void registerProcessor() {
        new ProcessorMetrics().bindTo(registry);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            FunctionCounter.builder("process.cpu", system, s -> s.getProcessCpuTime() / 1e9)
                    .description("Processor time that the process has used")
                    .baseUnit("seconds")
                    .register(registry);
        }
    }

    private void registerNamespace(String namespace) {
        Map<Priority, PublishCounters> byPriority = new EnumMap<>(Priority.class);
        for (Priority priority : Priority.values()) {
            Tags tags = Tags.of("namespace", namespace, "priority", priority.wire());
            byPriority.put(
                    priority,
                    new PublishCounters(
                            publishes(tags, "accepted"),
                            publishes(tags, "duplicate"),
                            publishes(tags, "limited"),
                            publishes(tags, "refused"),
                            publishes(tags, "invalid"),
                            Counter.builder("barrage.hidden")
                                    .description("Messages hidden from everybody but their senders, by reason")
                                    .tags(tags.and("reason", "budget"))
                                    .register(registry)));
            FunctionCounter.builder(
                            "barrage.deliveries",
                            this,
                            metrics -> metrics.of(
                                    namespace, found -> found.delivered().get(priority.ordinal())))
                    .description("Messages handed to the kernel for a subscription")
                    .tags(tags)
                    .register(registry);
            for (ShedReason reason : ShedReason.values()) {
                FunctionCounter.builder(
                                "barrage.shed",
                                this,
                                metrics -> metrics.of(namespace, found -> found.shed()
                                        .get(reason.ordinal())
                                        .get(priority.ordinal())))
                        .description("Messages deliberately not delivered to a subscription, by reason")
                        .tags(tags.and("reason", reason.wire()))
                        .register(registry);
            }
        }
        Tags tags = Tags.of("namespace", namespace);
        retractions.put(
                namespace,
                Counter.builder("barrage.retracted")
                        .description("Messages that were retracted")
                        .tags(tags)
                        .register(registry));
        values.put(
                namespace,
                new ValueCounters(
                        valuePublishes(tags, "accepted"),
                        valuePublishes(tags, "duplicate"),
                        valuePublishes(tags, "refused"),
                        Counter.builder("barrage.values.told")
                                .description("Values told to a topic's subscribers, once for all of them")
                                .tags(tags)
                                .register(registry)));
        publishes.put(namespace, byPriority);
    }

    @Override
    public void retracted(TopicName topic, int count) {
        Counter counter = retractions.get(namespaceOf.apply(topic));
        if (counter != null) {
            counter.increment(count);
        }
    }

    private Counter valuePublishes(Tags tags, String result) {
        return Counter.builder("barrage.values")
                .description("Publishes to values that were answered, one per target")
                .tags(tags.and("result", result))
                .register(registry);
    }

    private Counter publishes(Tags tags, String result) {
        return Counter.builder("barrage.publishes")
                .description("Publishes that were answered, one per target")
                .tags(tags.and("result", result))
                .register(registry);
    }

    private double of(String namespace, ToDoubleFunction<HubSnapshot.Namespace> read) {
        for (HubSnapshot.Namespace found : hub.namespaces()) {
            if (found.name().equals(namespace)) {
                return read.applyAsDouble(found);
            }
        }
        return 0;
    }

    private void registerHub() {
        gauge("barrage.subscriptions", "Subscriptions now", HubSnapshot::subscriptions);
        gauge(
                "barrage.behind.connections",
                "Connections whose socket can't take more now",
                HubSnapshot::behindConnections);
        gauge("barrage.behind.subscriptions", "Subscriptions that have not read all", HubSnapshot::behindSubscriptions);
        gauge(
                "barrage.conservation.error",
                "Messages that are neither delivered nor shed nor in flight; 0, or there is a bug",
                HubSnapshot::greatestConservationError);
        gauge("barrage.log.bytes", "Direct memory of topic logs", HubSnapshot::logBytes);
        gauge("barrage.pinned.bytes", "Direct memory that only stalled sockets hold", HubSnapshot::pinnedBytes);
        gauge("barrage.queue.bytes", "Messages that wait for an event loop", HubSnapshot::queuedBytes);
        gauge(
                "barrage.coalesce.window.seconds",
                "The widest window between two walks of a topic",
                snapshot -> snapshot.coalesceWindowNanos() / 1e9);
        counter("barrage.socket.writes", "Writes of messages to sockets", HubSnapshot::socketWrites);
        counter("barrage.written.messages", "Messages in all socket writes", HubSnapshot::messagesWritten);
        counter(
                "barrage.replayed.messages",
                "Messages of topics' pasts handed to the kernel, for those who came back or late",
                HubSnapshot::replayed);
        counter("barrage.drains", "Turns of the event loops' drains", HubSnapshot::drains);
    }

    private void gauge(String name, String description, ToDoubleFunction<HubSnapshot> read) {
        Gauge.builder(name, this, metrics -> read.applyAsDouble(metrics.hub))
                .description(description)
                .register(registry);
    }

    private void counter(String name, String description, ToDoubleFunction<HubSnapshot> read) {
        FunctionCounter.builder(name, this, metrics -> read.applyAsDouble(metrics.hub))
                .description(description)
                .register(registry);
    }

    /** Adds what only the allocator of the clients' buffers knows. */
    public void bind(PooledByteBufAllocator allocator) {
        Gauge.builder("barrage.direct.memory.bytes", allocator, pooled -> pooled.metric()
                        .usedDirectMemory())
                .description("Direct memory that the pool of buffers has taken from the system")
                .register(registry);
    }

    /** Adds what only the broker knows. */
    public void bind(Broker broker) {
        Gauge.builder("barrage.topics", broker, Broker::topics)
                .description("Topics that have a numbering now")
                .register(registry);
        Gauge.builder("barrage.tail.bytes", broker, Broker::tailBytes)
                .description("Messages that the node keeps, for histories and for those that are behind")
                .register(registry);
    }

    /** What the backend's hooks are counted with. */
    public HookMetrics hooks() {
        return hooks;
    }

    /** All metrics now, in Prometheus' text format; {@code now} are the hub's, to be read first. */
    public CompletableFuture<String> scrape(CompletableFuture<HubSnapshot> now) {
        return now.thenApply(snapshot -> {
            hub = snapshot;
            return registry.scrape();
        });
    }

    /** Makes the series of an API key, so that they are there before it is over its rate. */
    public void addKey(String name) {
        keyCounters(name);
    }

    private KeyCounters keyCounters(String name) {
        return keys.computeIfAbsent(
                name, key -> new KeyCounters(keyCounter(key, "refused"), keyCounter(key, "slowed")));
    }

    private Counter keyCounter(String key, String how) {
        return Counter.builder("barrage.key.limited")
                .description("Publishes that an API key's rate has refused, and waits of its streams for it")
                .tag("key", key)
                .tag("how", how)
                .register(registry);
    }

    @Override
    public void overRate(String key) {
        keyCounters(key).overRate.increment();
    }

    @Override
    public void slowed(String key) {
        keyCounters(key).slowed.increment();
    }

    @Override
    public void tooLarge() {
        limited(ClientLimit.BODY);
    }

    @Override
    public void published(TopicName topic, Priority priority, PublishResult result) {
        Map<Priority, PublishCounters> byPriority = publishes.get(namespaceOf.apply(topic));
        PublishCounters counters = byPriority == null ? null : byPriority.get(priority);
        if (counters == null) {
            return;
        }
        if (result instanceof PublishResult.Accepted accepted) {
            (accepted.duplicate() ? counters.duplicate : counters.accepted).increment();
        } else if (result instanceof PublishResult.Shed shed) {
            (shed.duplicate() ? counters.duplicate : counters.hidden).increment();
        } else if (result instanceof PublishResult.Refused refused && !refused.isOverload()) {
            (refused.code() == ErrorCode.BAD_REQUEST ? counters.invalid : counters.limited).increment();
        } else {
            counters.refused.increment();
        }
    }

    @Override
    public void valuePublished(TopicName topic, PublishResult result) {
        ValueCounters counters = values.get(namespaceOf.apply(topic));
        if (counters == null) {
            return;
        }
        if (result instanceof PublishResult.Refused) {
            counters.refused.increment();
        } else if (result instanceof PublishResult.ValueAccepted merged && !merged.duplicate()) {
            counters.accepted.increment();
        } else {
            counters.duplicate.increment();
        }
    }

    @Override
    public void valuesTold(TopicName topic, int count) {
        ValueCounters counters = values.get(namespaceOf.apply(topic));
        if (counters != null) {
            counters.told.increment(count);
        }
    }

    @Override
    public void fannedOut(long nanos) {
        fanOut.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void opened() {
        connections.incrementAndGet();
        handshakes.increment();
    }

    @Override
    public void ended() {
        connections.decrementAndGet();
    }

    @Override
    public void closed(CloseCode code) {
        increment(closes.get(code));
    }

    @Override
    public void upgradeRefused(ErrorCode code) {
        increment(refusedUpgrades.get(code));
    }

    /** A request was refused at either door; counted if it was too large. */
    public void requestRefused(ErrorCode code) {
        switch (code) {
            case URI_TOO_LONG -> limited(ClientLimit.URL);
            case HEADERS_TOO_LARGE -> limited(ClientLimit.HEADERS);
            case TOO_LARGE -> limited(ClientLimit.BODY);
            default -> {}
        }
    }

    @Override
    public void limited(ClientLimit limit) {
        increment(limits.get(limit));
    }

    @Override
    public void failed(ErrorCode code) {
        increment(failures.get(code));
    }

    private static void increment(@org.jspecify.annotations.Nullable Counter counter) {
        if (counter != null) {
            counter.increment();
        }
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
