package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.naive.NaiveServer;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class FanoutIT {
    private static final Duration WARMUP = Duration.ofMillis(100);
    private static final Duration DURATION = Duration.ofMillis(500);

    private static FanoutPlan plan(
            Target target, int topics, int subscribers, int window, OptionalDouble rate, int burst, int threads) {
        return new FanoutPlan(
                target,
                topics,
                subscribers,
                window,
                rate,
                burst,
                100,
                WARMUP,
                DURATION,
                Duration.ofSeconds(1),
                Duration.ofSeconds(20),
                threads,
                2,
                OptionalInt.empty(),
                1_000,
                OptionalLong.of(ProcessHandle.current().pid()),
                false);
    }

    private static FanoutResult run(
            int topics, int subscribers, int window, OptionalDouble rate, int burst, int threads) throws Exception {
        try (NaiveServer server = new NaiveServer(0, 0, 2)) {
            Target target = TargetKind.NETTY_GROUP.at(server.clients(), server.backend());
            return Fanout.run(
                    plan(target, topics, subscribers, window, rate, burst, threads), ProgressLine.toStandardError());
        }
    }

    private static FanoutResult run(FaultyGateway.Fault fault) throws Exception {
        try (FaultyGateway gateway = new FaultyGateway(fault)) {
            return Fanout.run(
                    plan(gateway.target(), 1, 3, 0, OptionalDouble.of(200), 1, 1), ProgressLine.toStandardError());
        }
    }

    private static void assertEverythingCame(FanoutResult result, int subscribersPerTopic) {
        FanoutResult.Totals totals = result.totals();
        assertTrue(totals.sent() > 0);
        assertEquals(totals.sent() * subscribersPerTopic, totals.expected());
        assertEquals(totals.expected(), totals.delivered());
        assertTrue(result.clean(), totals.toString());
        assertTrue(result.sampled().count() > 0);
        assertTrue(result.complete().count() > 0);
        assertTrue(result.server() != null && result.server().rssBytes() > 0);
    }

    @Test
    void deliversToEverybodyWithOneMessageAtATime() throws Exception {
        FanoutResult result = run(1, 20, 1, OptionalDouble.empty(), 1, 1);
        assertEverythingCame(result, 20);
        assertEquals(1.0, result.messagesPerRead(), "a lone message leaves nothing to batch");
    }

    @Test
    void deliversToEverybodyThroughAWindowOverManyTopics() throws Exception {
        assertEverythingCame(run(7, 3, 16, OptionalDouble.empty(), 1, 1), 3);
    }

    @Test
    void deliversToEverybodyWithSubscribersOnSeveralLoops() throws Exception {
        // 2 subscribers on 3 loops: no topic has subscribers everywhere.
        assertEverythingCame(run(5, 2, 8, OptionalDouble.empty(), 1, 3), 2);
    }

    @Test
    void publishesInBursts() throws Exception {
        FanoutResult result = run(1, 5, 10, OptionalDouble.empty(), 10, 1);
        assertEverythingCame(result, 5);
        assertEquals(0, result.totals().sent() % 10);
    }

    @Test
    void publishesWhatAnOpenLoopOwes() throws Exception {
        FanoutResult result = run(2, 4, 0, OptionalDouble.of(200), 1, 1);
        assertEverythingCame(result, 4);
        // Due between 100 and 600 ms at 200/s are 100; each counts once, and once at each of its topic's 4 samples.
        assertTrue(result.late().count() > 0 && result.late().count() <= 100, result.toString());
        assertEquals(result.late().count(), result.complete().count());
        assertEquals(4 * result.late().count(), result.sampled().count());
    }

    @Test
    void publishesToNobodyAsFastAsAnswersCome() throws Exception {
        FanoutResult result = run(4, 0, 4, OptionalDouble.empty(), 1, 1);
        assertTrue(result.totals().sent() > 4, result.toString());
        assertEquals(0, result.totals().expected());
        assertTrue(result.clean(), result.toString());
        assertEquals(0, result.deliveriesPerSecond());
        assertTrue(result.publishesPerCpuSecond() > 0);
        assertTrue(result.complete().count() > 0, "a publish is through with its answer");
    }

    @Test
    void withholdsWhatAnOverwhelmedGatewayCannotTakeAndSaysThatTheRunIsInvalid() throws Exception {
        try (FaultyGateway gateway = new FaultyGateway((offset, message) -> List.of())) {
            FanoutPlan plan = plan(gateway.target(), 1, 1, 0, OptionalDouble.of(10_000), 1, 1);
            FanoutResult result = Fanout.run(plan, ProgressLine.toStandardError());
            assertEquals(1_000, result.totals().sent(), "the bound of this plan");
            assertEquals(1_000, result.totals().lost());
            assertTrue(
                    result.invalid().stream().anyMatch(reason -> reason.contains("withheld")),
                    result.invalid().toString());
        }
    }

    @Test
    void findsLoss() throws Exception {
        FanoutResult result = run((offset, message) -> offset == 5 ? List.of() : List.of(message));
        assertEquals(3, result.totals().lost());
        assertEquals(0, result.totals().told());
        assertFalse(result.clean());
    }

    @Test
    void findsAdmittedLoss() throws Exception {
        FanoutResult result = run((offset, message) -> offset == 5
                ? List.of("{\"type\":\"gap\",\"topic\":\"t\",\"from\":5,\"to\":5,\"count\":1,\"reason\":\"behind\"}")
                : List.of(message));
        assertEquals(3, result.totals().lost());
        assertEquals(3, result.totals().told());
        assertFalse(result.clean());
    }

    @Test
    void findsRepeatedDeliveries() throws Exception {
        FanoutResult result = run((offset, message) -> offset == 5 ? List.of(message, message) : List.of(message));
        assertEquals(3, result.totals().excess());
        assertEquals(3, result.totals().repeated());
        assertFalse(result.clean());
    }

    @Test
    void findsDisorder() throws Exception {
        AtomicInteger five = new AtomicInteger();
        String[] held = new String[1];
        FanoutResult result = run((offset, message) -> {
            if (offset == 5) {
                held[0] = message;
                five.incrementAndGet();
                return List.of();
            }
            return offset == 7 ? List.of(message, held[0]) : List.of(message);
        });
        assertEquals(1, five.get());
        assertEquals(3, result.totals().disordered());
        assertFalse(result.clean());
    }

    @Test
    void givesUpOnAClosedLoopThatStandsStill() throws Exception {
        try (FaultyGateway gateway = new FaultyGateway((offset, message) -> List.of())) {
            FanoutPlan plan = new FanoutPlan(
                    gateway.target(),
                    1,
                    2,
                    1,
                    OptionalDouble.empty(),
                    1,
                    100,
                    WARMUP,
                    Duration.ofSeconds(30),
                    Duration.ofMillis(900),
                    Duration.ofSeconds(20),
                    1,
                    1,
                    OptionalInt.empty(),
                    1_000,
                    OptionalLong.empty(),
                    false);
            String message = assertThrows(LoadException.class, () -> Fanout.run(plan, ProgressLine.toStandardError()))
                    .getMessage();
            assertTrue(message.startsWith("nothing moved for 0 s: 1 published, 1 answered, 0 delivered"), message);
        }
    }
}
