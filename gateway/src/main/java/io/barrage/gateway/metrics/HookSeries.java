package io.barrage.gateway.metrics;

import io.barrage.gateway.hooks.HookKind;
import io.barrage.gateway.hooks.HookMetrics;
import io.barrage.gateway.hooks.HookOutcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The series of the backend's hooks. Thread-safe. */
final class HookSeries implements HookMetrics {
    private final Map<HookKind, OfHook> hooks = new EnumMap<>(HookKind.class);
    private final Map<DropReason, Counter> drops = new EnumMap<>(DropReason.class);
    private final Counter notified;

    private record OfHook(Map<HookOutcome, Counter> calls, Timer seconds, AtomicInteger inFlight) {}

    HookSeries(MeterRegistry registry) {
        for (HookKind hook : HookKind.values()) {
            hooks.put(hook, ofHook(hook, registry));
        }
        notified = Counter.builder("barrage.notifications.sent")
                .description("Events that the backend's hook has taken")
                .register(registry);
        for (DropReason reason : DropReason.values()) {
            drops.put(
                    reason,
                    Counter.builder("barrage.notifications.dropped")
                            .description("Events that the backend wasn't told, by reason")
                            .tag("reason", reason.wire())
                            .register(registry));
        }
    }

    private static OfHook ofHook(HookKind hook, MeterRegistry registry) {
        Tags tags = Tags.of("hook", hook.wire());
        Map<HookOutcome, Counter> calls = new EnumMap<>(HookOutcome.class);
        for (HookOutcome outcome : HookOutcome.values()) {
            if (isPossible(hook, outcome)) {
                calls.put(
                        outcome,
                        Counter.builder("barrage.hook.calls")
                                .description("Calls of the backend's hooks, by what became of them")
                                .tags(tags.and("outcome", outcome.wire()))
                                .register(registry));
            }
        }
        AtomicInteger inFlight = new AtomicInteger();
        Gauge.builder("barrage.hook.in.flight", inFlight, AtomicInteger::get)
                .description("Calls of the backend's hooks that wait for their answers")
                .tags(tags)
                .register(registry);
        Timer seconds = Timer.builder("barrage.hook.latency")
                .description("From a call of a backend's hook to its answer, or to giving up")
                .tags(tags)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(5),
                        Duration.ofMillis(10),
                        Duration.ofMillis(25),
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(2500),
                        Duration.ofSeconds(5))
                .register(registry);
        return new OfHook(calls, seconds, inFlight);
    }

    private static boolean isPossible(HookKind hook, HookOutcome outcome) {
        return switch (outcome) {
            case HELD, REWRITTEN -> hook == HookKind.PUBLISH;
            case ALLOWED, REFUSED, SATURATED -> hook != HookKind.EVENTS;
            case DELIVERED -> hook == HookKind.EVENTS;
            case FAILED, TIMEOUT -> true;
        };
    }

    @Override
    public void calling(HookKind hook) {
        OfHook series = hooks.get(hook);
        if (series != null) {
            series.inFlight.incrementAndGet();
        }
    }

    @Override
    public void called(HookKind hook, HookOutcome outcome, long nanos) {
        OfHook series = hooks.get(hook);
        if (series != null) {
            series.inFlight.decrementAndGet();
            series.seconds.record(nanos, TimeUnit.NANOSECONDS);
            increment(series.calls.get(outcome), 1);
        }
    }

    @Override
    public void saturated(HookKind hook) {
        OfHook series = hooks.get(hook);
        if (series != null) {
            increment(series.calls.get(HookOutcome.SATURATED), 1);
        }
    }

    @Override
    public void notified(int events) {
        notified.increment(events);
    }

    @Override
    public void dropped(DropReason reason, int events) {
        increment(drops.get(reason), events);
    }

    private static void increment(@Nullable Counter counter, int by) {
        if (counter != null) {
            counter.increment(by);
        }
    }
}
