package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.loadtest.target.TargetKind;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class WorkloadTest {
    @Test
    void hasAWindowBelowTheCliffOfUWebSockets() {
        assertEquals(128, Workload.of("w128").window());
    }

    @Test
    void saysOfEachGatewayWhyItPublishesNoStreams() {
        assertEquals(Optional.empty(), Workload.INGEST_NDJSON.unfit(TargetKind.BARRAGE));
        assertEquals(
                Optional.of("it publishes as NDJSON under every load; barrage does here"),
                Workload.INGEST_NDJSON.unfit(TargetKind.BARRAGE_NDJSON));
        assertEquals(
                Optional.of("it takes no NDJSON; see its single publishes in ingest"),
                Workload.INGEST_NDJSON.unfit(TargetKind.NCHAN));
    }
}
