package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class PlansTest {
    private static final InetSocketAddress NOWHERE = InetSocketAddress.createUnresolved("nowhere", 1);
    private static final Target TARGET = TargetKind.BARRAGE.at(NOWHERE, NOWHERE);

    private static FanoutPlan plan(int topics, int subscribers, int window, int burst, OptionalDouble rate, int bytes) {
        return plan(TARGET, topics, subscribers, window, burst, rate, bytes);
    }

    private static FanoutPlan plan(
            Target target, int topics, int subscribers, int window, int burst, OptionalDouble rate, int bytes) {
        return new FanoutPlan(
                target,
                topics,
                subscribers,
                window,
                rate,
                burst,
                bytes,
                Duration.ZERO,
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                1,
                1,
                OptionalInt.empty(),
                1_000,
                OptionalLong.empty(),
                false);
    }

    @Test
    void saysInWordsHowMessagesAreLetGo() {
        assertEquals(
                "1 topics x 1000 subscribers, 100 bytes, closed loop, W=32",
                plan(1, 1000, 32, 1, OptionalDouble.empty(), 100).inWords());
        assertEquals(
                "2 topics x 3 subscribers, 100 bytes, open loop, 50.0/s, bursts of 10",
                plan(2, 3, 0, 10, OptionalDouble.of(50), 100).inWords());
    }

    @Test
    void refusesMoreConnectionsThanThisProcessMayHave() {
        FanoutPlan tooMany = plan(100_000, 100_000, 1, 1, OptionalDouble.empty(), 100);
        String message = assertThrows(
                        IllegalArgumentException.class, () -> Fanout.run(tooMany, ProgressLine.toStandardError()))
                .getMessage();
        assertTrue(message.startsWith("connections: 10000000001 are more than this generator"), message);
    }

    @Test
    void refusesAWindowThatABurstCannotPass() {
        assertThrows(IllegalArgumentException.class, () -> plan(1, 1, 9, 10, OptionalDouble.empty(), 100));
    }

    @Test
    void refusesBurstsThatNobodyReceives() {
        assertThrows(IllegalArgumentException.class, () -> plan(1, 0, 10, 10, OptionalDouble.empty(), 100));
    }

    @Test
    void refusesWhatMakesNoLoad() {
        assertThrows(IllegalArgumentException.class, () -> plan(0, 1, 1, 1, OptionalDouble.empty(), 100));
        assertThrows(IllegalArgumentException.class, () -> plan(1, -1, 1, 1, OptionalDouble.empty(), 100));
        assertThrows(IllegalArgumentException.class, () -> plan(1, 1, 0, 1, OptionalDouble.empty(), 100));
        assertThrows(IllegalArgumentException.class, () -> plan(1, 1, 1, 1, OptionalDouble.of(-1), 100));
        assertThrows(IllegalArgumentException.class, () -> plan(1, 1, 1, 1, OptionalDouble.empty(), 10));
    }

    @Test
    void spreadsPublishesOverConnectionsWhereAGatewayTakesOneRequestAtATime() {
        Target centrifugo = TargetKind.CENTRIFUGO.at(NOWHERE, NOWHERE);
        assertEquals(
                8, plan(centrifugo, 1, 1000, 32, 1, OptionalDouble.empty(), 100).connections());
        assertEquals(
                8, plan(centrifugo, 1, 1000, 0, 10, OptionalDouble.of(50), 100).connections());
        assertFalse(plan(centrifugo, 1, 1000, 1, 1, OptionalDouble.empty(), 100).spread(), "one at a time keeps order");
        assertFalse(plan(centrifugo, 16, 0, 16, 1, OptionalDouble.empty(), 100).spread(), "one on each connection");
        assertFalse(plan(1, 1000, 32, 1, OptionalDouble.empty(), 100).spread());
    }

    @Test
    void samplesAFewSubscribersOfEachTopic() {
        assertEquals(16, plan(1, 1000, 1, 1, OptionalDouble.empty(), 100).samples());
        assertEquals(1, plan(1000, 10, 1, 1, OptionalDouble.empty(), 100).samples());
        assertEquals(3, plan(1, 3, 1, 1, OptionalDouble.empty(), 100).samples());
    }

    @Test
    void aReplayNeedsCommentsAndSpeed() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ReplayPlan(
                        TARGET, "t", List.of(), 1, 1, 1, Duration.ZERO, Duration.ZERO, OptionalLong.empty(), false));
    }
}
