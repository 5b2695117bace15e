package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.BarrageTarget;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class HotIT {
    private static final String CONFIGURATION = """
            auth: none
            namespaces:
              - name: room
                budget: 50/s
            """;

    @TempDir
    private Path directory;

    private static HotResult run(BarrageTarget target, Duration duration, OptionalLong pid) throws Exception {
        HotPlan plan = new HotPlan(
                target, "room", 20, 300, 10, 5, duration, duration.dividedBy(2), 50, 100, Duration.ofSeconds(20), pid);
        return Hot.run(plan, ProgressLine.toStandardError());
    }

    @Test
    void findsThatAllViewersSeeTheSameRoom() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(directory, CONFIGURATION)) {
            HotResult result = run(gateway.target(), Duration.ofSeconds(4), OptionalLong.of(gateway.pid()));
            assertTrue(result.clean(), result.toString());
            assertTrue(result.normal().hidden() > 0, result.toString());
            assertEquals(
                    result.normal().offered(),
                    result.normal().shown() + result.normal().hidden());
            assertTrue(result.critical().shown() > 0);
            assertEquals(result.critical().offered(), result.critical().shown());
            assertTrue(result.shares().senders() > 0, result.toString());
            assertTrue(result.serverCores() > 0 && result.late().count() > 0, result.toString());
            assertTrue(result.generator().lag().count() > 0, result.toString());
        }
    }

    @Test
    void findsAMissingGift() throws Exception {
        try (FaultyGateway gateway = new FaultyGateway((offset, message) -> offset == 1
                ? List.of()
                : List.of(message.replace(",\"data\"", ",\"priority\":\"critical\",\"data\"")))) {
            HotResult result = run((BarrageTarget) gateway.target(), Duration.ofMillis(300), OptionalLong.empty());
            assertFalse(result.clean());
            assertEquals(20, result.criticalMissing());
            assertEquals(20, result.shortOfMessages());
            assertEquals(1, result.visibleSets());
        }
    }

    @Test
    void findsHiddenMessagesThatNobodyWasToldOf() throws Exception {
        FaultyGateway.Fault fault = new FaultyGateway.Fault() {
            @Override
            public List<String> frames(long offset, String message) {
                return offset % 2 == 0 ? List.of() : List.of(message);
            }

            @Override
            public FullHttpResponse answer(long offset) {
                return offset % 2 == 0
                        ? FaultyGateway.json(HttpResponseStatus.OK, "{\"topic\":\"t\",\"shed\":\"budget\"}")
                        : FaultyGateway.Fault.super.answer(offset);
            }
        };
        try (FaultyGateway gateway = new FaultyGateway(fault)) {
            HotResult result = run((BarrageTarget) gateway.target(), Duration.ofMillis(300), OptionalLong.empty());
            assertEquals(20, result.hiddenWrong());
            assertEquals(0, result.shortOfMessages());
            assertFalse(result.clean());
        }
    }
}
