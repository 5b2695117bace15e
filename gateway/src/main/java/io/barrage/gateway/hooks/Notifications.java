package io.barrage.gateway.hooks;

import io.barrage.gateway.broker.OccupancyListener;
import io.barrage.gateway.hooks.EventsConfig.EventKind;
import io.barrage.gateway.hooks.HookMetrics.DropReason;
import io.barrage.protocol.TopicName;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Tells the backend what has happened: in order, in batches, one batch at a time, best effort. What it isn't told is counted, and
 * the next batch says how much that was.
 *
 * <p>Thread-safe: events come from any thread and are only noted; sending is the timer's.
 */
public final class Notifications implements OccupancyListener {
    /** Events that may wait, and topics that may be in their grace: a mass of clients that leaves at once has room. */
    static final int MAX_WAITING = 100_000;

    /** Pauses before the second attempt to deliver a batch, the third and so on. */
    private static final long[] PAUSES_NANOS = {
        TimeUnit.MILLISECONDS.toNanos(500), TimeUnit.SECONDS.toNanos(2), TimeUnit.SECONDS.toNanos(8)
    };

    /** About as long as an event is. */
    private static final int EVENT_BYTES = 160;

    private static final Logger log = LoggerFactory.getLogger(Notifications.class);
    private static final JsonFactory JSON = new JsonFactory();

    /** Topics whose grace ends in one turn: an event loop on which somebody comes to a topic or leaves one waits for it. */
    private static final int MAX_ENDED_IN_TURN = 1_000;

    /** Delivers a batch. Thread-safe. */
    interface Delivery {
        /**
         * Delivers; the future fails if the backend hasn't taken it.
         *
         * @param id of the batch, the same at each attempt
         */
        CompletableFuture<?> deliver(HookRules.Target target, String id, byte[] batch);

        /** An id for a batch. */
        String newId();
    }

    private final Supplier<HookRules> rules;
    private final Function<TopicName, String> namespaceOf;
    private final Timer timer;
    private final Delivery delivery;
    private final HookMetrics metrics;
    private final String node;
    private final int maxWaiting;

    // under this
    private final ArrayDeque<Event> waiting = new ArrayDeque<>();
    /** Topics without subscriptions of which nothing is told yet, oldest first, with the time when it is to be. */
    private final LinkedHashMap<TopicName, Long> vacant = new LinkedHashMap<>();

    /** What is being sent, or waits for its next attempt. */
    private @Nullable Batch current;

    private boolean sendScheduled;
    private boolean graceScheduled;
    private boolean closing;
    private long untold;
    private final CompletableFuture<Void> idle = new CompletableFuture<>();

    /** What has happened, to be written when it is sent: who tells it is an event loop. Immutable. */
    private record Event(String type, long timeMillis, Fields fields) {}

    /** What an event has besides its type and time. */
    private interface Fields {
        void write(JsonGenerator json);
    }

    /** Events on their way, each batch another one. Immutable. */
    private static final class Batch {
        private final String id;
        private final List<Event> events;
        private final long untold;

        Batch(String id, List<Event> events, long untold) {
            this.id = id;
            this.events = events;
            this.untold = untold;
        }
    }

    /**
     * @param namespaceOf the name of the namespace whose rules a topic follows
     * @param node names this node's life
     */
    Notifications(
            Supplier<HookRules> rules,
            Function<TopicName, String> namespaceOf,
            Timer timer,
            Delivery delivery,
            HookMetrics metrics,
            String node,
            int maxWaiting) {
        this.rules = rules;
        this.namespaceOf = namespaceOf;
        this.timer = timer;
        this.delivery = delivery;
        this.metrics = metrics;
        this.node = node;
        this.maxWaiting = maxWaiting;
    }

    // ---------------------------------------------------------------- what happens

    /**
     * A connection has ended that had been welcomed.
     *
     * @param code of the close, whoever closed; 1006 without one
     */
    public void disconnected(String connection, @Nullable String user, int code, long connectedNanos) {
        if (!isTold(EventKind.DISCONNECT)) {
            return;
        }
        add(event("disconnect", json -> {
            json.writeStringProperty("connection", connection);
            if (user != null) {
                json.writeStringProperty("user", user);
            }
            json.writeNumberProperty("code", code);
            json.writeNumberProperty("connectedMs", TimeUnit.NANOSECONDS.toMillis(connectedNanos));
        }));
    }

    @Override
    public void occupied(TopicName topic) {
        synchronized (this) {
            if (vacant.remove(topic) != null) {
                // It is what the backend takes it for.
                return;
            }
        }
        if (isTold(EventKind.OCCUPIED, topic)) {
            add(event("occupied", json -> json.writeStringProperty("topic", topic.toString())));
        }
    }

    @Override
    public synchronized void vacated(TopicName topic) {
        if (!isTold(EventKind.VACATED, topic) && !isTold(EventKind.OCCUPIED, topic)) {
            return;
        }
        if (hasRoom()) {
            long graceNanos = rules.get().notifications().graceNanos();
            vacant.put(topic, timer.nanoTime() + graceNanos);
            scheduleGrace(graceNanos);
        }
    }

    private boolean isTold(EventKind kind, TopicName topic) {
        HookRules.Notify notify = rules.get().notifications();
        return isTold(kind)
                && !topic.namespace().equals(TopicName.USER_NAMESPACE)
                && (notify.namespaces() == null || notify.namespaces().contains(namespaceOf.apply(topic)));
    }

    private boolean isTold(EventKind kind) {
        HookRules now = rules.get();
        return now.target(HookKind.EVENTS) != null
                && now.notifications().kinds().contains(kind);
    }

    private static Event event(String type, Fields fields) {
        return new Event(type, System.currentTimeMillis(), fields);
    }

    private synchronized void add(Event event) {
        if (!hasRoom()) {
            return;
        }
        waiting.add(event);
        HookRules.Notify notify = rules.get().notifications();
        if (current != null) {
            return;
        }
        if (waiting.size() == notify.batch()) {
            timer.schedule(this::send, 0);
        } else if (!sendScheduled) {
            sendScheduled = true;
            timer.schedule(this::send, notify.everyNanos());
        }
    }

    private boolean hasRoom() {
        assert Thread.holdsLock(this);
        if (closing) {
            drop(DropReason.STOPPED, 1);
            return false;
        }
        if (waiting.size() + vacant.size() >= maxWaiting) {
            drop(DropReason.OVERFLOW, 1);
            return false;
        }
        return true;
    }

    private synchronized void drop(DropReason reason, long events) {
        untold += events;
        metrics.dropped(reason, (int) events);
    }

    // ---------------------------------------------------------------- the grace

    private void scheduleGrace(long delayNanos) {
        if (!graceScheduled) {
            graceScheduled = true;
            timer.schedule(this::endGraces, delayNanos);
        }
    }

    private synchronized void endGraces() {
        graceScheduled = false;
        long now = timer.nanoTime();
        int ended = 0;
        for (Iterator<Map.Entry<TopicName, Long>> topics = vacant.entrySet().iterator(); topics.hasNext(); ) {
            Map.Entry<TopicName, Long> oldest = topics.next();
            long left = oldest.getValue() - now;
            if (left > 0 || ended == MAX_ENDED_IN_TURN) {
                scheduleGrace(Math.max(0, left));
                return;
            }
            ended++;
            topics.remove();
            TopicName topic = oldest.getKey();
            if (isTold(EventKind.VACATED, topic)) {
                add(event("vacated", json -> json.writeStringProperty("topic", topic.toString())));
            }
        }
    }

    // ---------------------------------------------------------------- sending

    private void send() {
        Batch batch;
        synchronized (this) {
            sendScheduled = false;
            if (current != null) {
                return;
            }
            batch = nextBatch();
            if (batch == null) {
                if (closing) {
                    idle.complete(null);
                }
                return;
            }
            current = batch;
        }
        attempt(batch, body(batch), 0);
    }

    private @Nullable Batch nextBatch() {
        assert Thread.holdsLock(this);
        if (waiting.isEmpty()) {
            return null;
        }
        List<Event> events = new ArrayList<>();
        int most = rules.get().notifications().batch();
        for (Event event = waiting.poll(); event != null; event = events.size() < most ? waiting.poll() : null) {
            events.add(event);
        }
        Batch batch = new Batch(delivery.newId(), events, untold);
        untold = 0;
        return batch;
    }

    /** Not under the lock: a thousand events take milliseconds. */
    private byte[] body(Batch batch) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(EVENT_BYTES * (batch.events.size() + 1));
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            json.writeStartObject();
            json.writeStringProperty("type", HookKind.EVENTS.wire());
            json.writeStringProperty("node", node);
            if (batch.untold > 0) {
                json.writeNumberProperty("dropped", batch.untold);
            }
            json.writeArrayPropertyStart("events");
            for (Event event : batch.events) {
                json.writeStartObject();
                json.writeStringProperty("type", event.type);
                event.fields.write(json);
                json.writeNumberProperty("time", event.timeMillis);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private void attempt(Batch batch, byte[] body, int failures) {
        HookRules.Target target = rules.get().target(HookKind.EVENTS);
        if (target == null) {
            // Somebody has taken the hook out of the configuration. If it is put back, the backend learns what it
            // missed.
            giveUp(batch, DropReason.STOPPED);
            settle(batch);
            return;
        }
        delivery.deliver(target, batch.id, body).whenComplete((ignored, failure) -> {
            if (failure == null) {
                metrics.notified(batch.events.size());
                settle(batch);
            } else if (failures < PAUSES_NANOS.length && !isClosing()) {
                timer.schedule(() -> attempt(batch, body, failures + 1), PAUSES_NANOS[failures]);
            } else {
                giveUp(batch, DropReason.FAILED);
                settle(batch);
            }
        });
    }

    /** Gives a batch up. */
    private synchronized void giveUp(Batch batch, DropReason reason) {
        if (current == batch) {
            drop(reason, batch.events.size());
            untold += batch.untold;
        }
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    /** A batch is done with: on with the next, at once if it is full. */
    private synchronized void settle(Batch batch) {
        if (current != batch) {
            // It was abandoned.
            return;
        }
        current = null;
        HookRules.Notify notify = rules.get().notifications();
        if (closing || waiting.size() >= notify.batch()) {
            timer.schedule(this::send, 0);
        } else if (!waiting.isEmpty() && !sendScheduled) {
            sendScheduled = true;
            timer.schedule(this::send, notify.everyNanos());
        }
    }

    // ---------------------------------------------------------------- the end

    /** Takes no more events, and tells those that wait. The future is complete when all are told or have been dropped. */
    CompletableFuture<Void> close() {
        synchronized (this) {
            if (!vacant.isEmpty()) {
                // Their viewers have gone for good, as the node has.
                for (TopicName topic : List.copyOf(vacant.keySet())) {
                    if (isTold(EventKind.VACATED, topic)) {
                        waiting.add(event("vacated", json -> json.writeStringProperty("topic", topic.toString())));
                    }
                }
                vacant.clear();
            }
            closing = true;
            if (current == null) {
                timer.schedule(this::send, 0);
            }
        }
        return idle;
    }

    /** Drops what still waits. */
    synchronized void abandon() {
        int left = waiting.size() + (current == null ? 0 : current.events.size());
        waiting.clear();
        current = null;
        if (left > 0) {
            drop(DropReason.STOPPED, left);
            log.warn("The gateway stops before the backend was told all events. events={}", left);
        }
    }
}
