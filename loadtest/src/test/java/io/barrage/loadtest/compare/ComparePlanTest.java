package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ComparePlanTest {
    private static ComparePlan plan(List<TargetKind> kinds, List<Workload> workloads, String... variants) {
        InetSocketAddress none = InetSocketAddress.createUnresolved("none", 1);
        FanoutPlan load = new FanoutPlan(
                TargetKind.BARRAGE.at(none, none),
                1,
                1,
                1,
                OptionalDouble.empty(),
                1,
                100,
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
        return new ComparePlan(
                kinds,
                Arrays.stream(variants).map(Variant::parse).toList(),
                workloads,
                1,
                1,
                new Peers(Path.of("gateway.jar"), List.of(), Path.of("peers"), List.of("java")),
                Duration.ZERO,
                Duration.ZERO,
                load,
                1);
    }

    @Test
    void runsNothingTwiceInARound() {
        ComparePlan plan = plan(
                List.of(TargetKind.NATS, TargetKind.BARRAGE, TargetKind.NATS), List.of(Workload.LONE, Workload.LONE));
        assertEquals(List.of(TargetKind.NATS, TargetKind.BARRAGE), plan.kinds());
        assertEquals(List.of(Workload.LONE), plan.workloads());
    }

    @Test
    void putsVariantsBehindTheOthers() {
        ComparePlan plan =
                plan(List.of(TargetKind.BARRAGE), List.of(Workload.LONE), "serial=-XX:+UseSerialGC", "again=");
        assertEquals(
                List.of("barrage", "serial", "again"),
                plan.gateways().stream().map(Peer::name).toList());
    }

    @Test
    void refusesANameThatTwoWouldHave() {
        for (String[] variants : new String[][] {{"nats="}, {"x=", "x=-Xmx1g"}}) {
            String refused = assertThrows(
                            IllegalArgumentException.class,
                            () -> plan(List.of(TargetKind.BARRAGE), List.of(Workload.LONE), variants))
                    .getMessage();
            assertTrue(refused.contains("the name is another gateway's"), refused);
        }
    }
}
