package io.barrage.gateway.hooks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.testkit.HookBackend;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class NotificationsTest {
    private static final TopicName ROOM = TopicName.of("room:1");
    private static final TopicName OTHER = TopicName.of("lobby:1");

    /** Time stands still until it is moved. */
    private static final class SteppedTimer implements Timer {
        private record Task(Runnable task, long dueNanos) {}

        private final List<Task> tasks = new ArrayList<>();
        private long now;
        private int turns;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public Future<?> schedule(Runnable task, long delayNanos) {
            tasks.add(new Task(task, now + delayNanos));
            return new CompletableFuture<>();
        }

        /** Lets time pass, and runs what is due, in its order. */
        void pass(long millis) {
            long end = now + TimeUnit.MILLISECONDS.toNanos(millis);
            while (true) {
                Task next = null;
                for (Task task : tasks) {
                    if (task.dueNanos <= end && (next == null || task.dueNanos < next.dueNanos)) {
                        next = task;
                    }
                }
                if (next == null) {
                    break;
                }
                tasks.remove(next);
                now = Math.max(now, next.dueNanos);
                turns++;
                next.task.run();
            }
            now = end;
        }
    }

    /** A backend that answers when it is told to. */
    private static final class FakeDelivery implements Notifications.Delivery {
        private record Delivered(String id, String body, CompletableFuture<Void> answer) {}

        private final List<Delivered> all = new ArrayList<>();
        private int ids;
        private boolean takesAll = true;

        @Override
        public CompletableFuture<?> deliver(HookRules.Target target, String id, byte[] batch) {
            Delivered delivered = new Delivered(
                    id,
                    new String(batch, UTF_8).replaceAll(",\"time\":\\d+", ""),
                    takesAll ? CompletableFuture.completedFuture(null) : new CompletableFuture<>());
            all.add(delivered);
            return delivered.answer;
        }

        @Override
        public String newId() {
            return "id" + ++ids;
        }

        Delivered last() {
            return all.get(all.size() - 1);
        }

        List<String> bodies() {
            return all.stream().map(Delivered::body).toList();
        }
    }

    private static final class Counts implements HookMetrics {
        private final Map<DropReason, Integer> dropped = new EnumMap<>(DropReason.class);
        private int notified;

        @Override
        public void notified(int events) {
            notified += events;
        }

        @Override
        public void dropped(DropReason reason, int events) {
            dropped.merge(reason, events, Integer::sum);
        }
    }

    private final SteppedTimer timer = new SteppedTimer();
    private final FakeDelivery backend = new FakeDelivery();
    private final Counts counts = new Counts();

    private static HookRules rules(String yaml) {
        return HookRules.of(ConfigReader.parse(
                HooksConfig.class, "{secret: " + HookBackend.SECRET + ", events: {url: 'http://b/e', " + yaml + "}}"));
    }

    private Notifications notifications(String yaml) {
        HookRules rules = rules(yaml);
        return notifications(() -> rules, 5);
    }

    private Notifications notifications(Supplier<HookRules> rules, int maxWaiting) {
        // Of the namespaces only 'room' is listed.
        return new Notifications(
                rules,
                topic -> topic.namespace().equals("room") ? "room" : "default",
                timer,
                backend,
                counts,
                "n1",
                maxWaiting);
    }

    private static String batch(String... events) {
        return "{\"type\":\"events\",\"node\":\"n1\",\"events\":[" + String.join(",", events) + "]}";
    }

    private static String occupied(TopicName topic) {
        return "{\"type\":\"occupied\",\"topic\":\"" + topic + "\"}";
    }

    private static String vacated(TopicName topic) {
        return "{\"type\":\"vacated\",\"topic\":\"" + topic + "\"}";
    }

    private static String disconnect(int number) {
        return "{\"type\":\"disconnect\",\"connection\":\"c" + number
                + "\",\"user\":\"u\",\"code\":1001,\"connectedMs\":7}";
    }

    private static void disconnect(Notifications notifications, int number) {
        notifications.disconnected("c" + number, "u", 1001, TimeUnit.MILLISECONDS.toNanos(7));
    }

    @Test
    void collectsEventsForAWhile() {
        Notifications notifications = notifications("every: 100ms");
        disconnect(notifications, 1);
        timer.pass(99);
        disconnect(notifications, 2);
        assertEquals(List.of(), backend.bodies());
        timer.pass(1);
        assertEquals(List.of(batch(disconnect(1), disconnect(2))), backend.bodies());
        assertEquals(2, counts.notified);
    }

    @Test
    void sendsAFullBatchAtOnceAndTheRestLater() {
        Notifications notifications = notifications("batch: 2, every: 100ms");
        for (int i = 1; i <= 3; i++) {
            disconnect(notifications, i);
        }
        timer.pass(0);
        assertEquals(List.of(batch(disconnect(1), disconnect(2))), backend.bodies());
        timer.pass(100);
        assertEquals(batch(disconnect(3)), backend.last().body());
    }

    @Test
    void sendsOneBatchAfterTheOther() {
        backend.takesAll = false;
        Notifications notifications = notifications("batch: 1");
        disconnect(notifications, 1);
        disconnect(notifications, 2);
        timer.pass(60_000);
        assertEquals(List.of(batch(disconnect(1))), backend.bodies());
        backend.last().answer().complete(null);
        timer.pass(0);
        assertEquals(List.of(batch(disconnect(1)), batch(disconnect(2))), backend.bodies());
    }

    @Test
    void triesAgainWithTheSameIdAndThenDropsAndTellsHowMany() {
        backend.takesAll = false;
        Notifications notifications = notifications("batch: 2");
        disconnect(notifications, 1);
        disconnect(notifications, 2);
        for (int attempt = 1; attempt <= 4; attempt++) {
            timer.pass(attempt == 1 ? 0 : 8_000);
            assertEquals(attempt, backend.all.size());
            assertEquals("id1", backend.last().id());
            assertEquals(batch(disconnect(1), disconnect(2)), backend.last().body());
            backend.last().answer().completeExceptionally(new HookException(HookOutcome.FAILED, "down"));
        }
        timer.pass(60_000);
        assertEquals(4, backend.all.size());
        assertEquals(Map.of(HookMetrics.DropReason.FAILED, 2), counts.dropped);

        backend.takesAll = true;
        disconnect(notifications, 3);
        timer.pass(500);
        assertEquals("id2", backend.last().id());
        assertEquals(
                "{\"type\":\"events\",\"node\":\"n1\",\"dropped\":2,\"events\":[" + disconnect(3) + "]}",
                backend.last().body());
        disconnect(notifications, 4);
        timer.pass(500);
        assertEquals(batch(disconnect(4)), backend.last().body());
        assertEquals(2, counts.notified);
    }

    @Test
    void holdsOnlySoMany() {
        backend.takesAll = false;
        Notifications notifications = notifications("batch: 1");
        disconnect(notifications, 0);
        timer.pass(0);
        for (int i = 1; i <= 7; i++) {
            disconnect(notifications, i);
        }
        assertEquals(Map.of(HookMetrics.DropReason.OVERFLOW, 2), counts.dropped);
        backend.last().answer().complete(null);
        timer.pass(0);
        assertTrue(
                backend.last().body().contains("\"dropped\":2"), backend.last().body());
    }

    @Test
    void tellsWhatIsOccupiedAndVacated() {
        Notifications notifications = notifications("grace: 1s, every: 10ms");
        notifications.occupied(ROOM);
        timer.pass(10);
        assertEquals(batch(occupied(ROOM)), backend.last().body());
        notifications.vacated(ROOM);
        timer.pass(999);
        assertEquals(1, backend.all.size());
        timer.pass(11);
        assertEquals(batch(vacated(ROOM)), backend.last().body());
        notifications.occupied(ROOM);
        timer.pass(10);
        assertEquals(batch(occupied(ROOM)), backend.last().body());
    }

    @Test
    void tellsNothingOfAReloadedPage() {
        Notifications notifications = notifications("grace: 1s, every: 10ms");
        notifications.occupied(ROOM);
        timer.pass(10);
        for (int i = 0; i < 5; i++) {
            notifications.vacated(ROOM);
            timer.pass(900);
            notifications.occupied(ROOM);
        }
        timer.pass(60_000);
        assertEquals(List.of(batch(occupied(ROOM))), backend.bodies());
        notifications.vacated(ROOM);
        timer.pass(600);
        notifications.vacated(OTHER);
        timer.pass(410);
        assertEquals(batch(vacated(ROOM)), backend.last().body());
        timer.pass(600);
        assertEquals(batch(vacated(OTHER)), backend.last().body());
    }

    @Test
    void tellsOnlyWhatWasAskedFor() {
        Notifications notifications = notifications("kinds: [occupied], namespaces: [room]");
        notifications.occupied(OTHER);
        notifications.occupied(TopicName.ofUser("u7"));
        disconnect(notifications, 1);
        notifications.occupied(ROOM);
        notifications.vacated(ROOM);
        timer.pass(60_000);
        assertEquals(List.of(batch(occupied(ROOM))), backend.bodies());
    }

    @Test
    void tellsOfTopicsByTheNamespaceWhoseRulesTheyFollow() {
        Notifications notifications = notifications("namespaces: [default]");
        notifications.occupied(OTHER);
        notifications.occupied(ROOM);
        notifications.occupied(TopicName.of("plain"));
        notifications.occupied(TopicName.ofUser("u7"));
        timer.pass(60_000);
        assertEquals(List.of(batch(occupied(OTHER), occupied(TopicName.of("plain")))), backend.bodies());
    }

    /** Who leaves a topic meanwhile waits for a turn. */
    @Test
    void endsManyGracesInManyTurns() {
        backend.takesAll = false;
        HookRules rules = rules("kinds: [vacated], grace: 1s, batch: 1000");
        Notifications notifications = notifications(() -> rules, 100_000);
        for (int i = 0; i < 3_500; i++) {
            notifications.vacated(TopicName.of("room:" + i));
        }
        timer.pass(999);
        int before = timer.turns;
        timer.pass(1);
        // Four for the graces, and one in which a full batch is sent.
        assertEquals(5, timer.turns - before);
        backend.takesAll = true;
        backend.last().answer().complete(null);
        timer.pass(60_000);
        String all = String.join("", backend.bodies());
        int from = 0;
        for (int i = 0; i < 3_500; i++) {
            from = all.indexOf(vacated(TopicName.of("room:" + i)), from);
            assertTrue(from >= 0, "not told, or not in its turn: " + i);
        }
        assertEquals(3_500, counts.notified);
        assertEquals(Map.of(), counts.dropped);
    }

    @Test
    void countsWhatItCouldNotTellForWantOfAHook() {
        AtomicReference<HookRules> rules = new AtomicReference<>(rules("every: 100ms"));
        Notifications notifications = notifications(rules::get, 5);
        disconnect(notifications, 1);
        disconnect(notifications, 2);
        rules.set(HookRules.NONE);
        timer.pass(1_000);
        assertEquals(Map.of(HookMetrics.DropReason.STOPPED, 2), counts.dropped);
        assertEquals(List.of(), backend.bodies());

        rules.set(rules("every: 100ms"));
        disconnect(notifications, 3);
        timer.pass(100);
        assertEquals(
                List.of("{\"type\":\"events\",\"node\":\"n1\",\"dropped\":2,\"events\":[" + disconnect(3) + "]}"),
                backend.bodies());
    }

    @Test
    void tellsNothingOfUsersOwnTopics() {
        Notifications notifications = notifications("kinds: [occupied, vacated]");
        notifications.occupied(TopicName.ofUser("u7"));
        notifications.vacated(TopicName.ofUser("u7"));
        timer.pass(60_000);
        assertEquals(List.of(), backend.bodies());
    }

    @Test
    void tellsTheRestAtTheEnd() {
        Notifications notifications = notifications("batch: 1");
        notifications.vacated(ROOM);
        disconnect(notifications, 1);
        disconnect(notifications, 2);
        CompletableFuture<Void> end = notifications.close();
        assertFalse(end.isDone());
        timer.pass(0);
        assertTrue(end.isDone());
        assertEquals(List.of(batch(disconnect(1)), batch(disconnect(2)), batch(vacated(ROOM))), backend.bodies());
        disconnect(notifications, 3);
        assertEquals(Map.of(HookMetrics.DropReason.STOPPED, 1), counts.dropped);
    }

    @Test
    void countsWhatItCouldNotTellAtTheEnd() {
        backend.takesAll = false;
        Notifications notifications = notifications("batch: 2");
        for (int i = 1; i <= 3; i++) {
            disconnect(notifications, i);
        }
        timer.pass(0);
        assertFalse(notifications.close().isDone());
        notifications.abandon();
        assertEquals(Map.of(HookMetrics.DropReason.STOPPED, 3), counts.dropped);
        backend.last().answer().complete(null);
        timer.pass(0);
        assertEquals(1, backend.all.size());
    }
}
