package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.danmaku.DanmakuXml;
import io.barrage.loadtest.measure.ProgressLine;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class EncodingsIT {
    @TempDir
    private Path directory;

    @Test
    void savesMostOfTheBytesOfRealCommentsInABusyRoom() throws Exception {
        try (GatewayProcess gateway = new GatewayProcess(
                        directory, "auth: none\nnamespaces: [{name: room, coalesce: 100ms, presence: off}]");
                InputStream sample =
                        Objects.requireNonNull(EncodingsIT.class.getResourceAsStream("/sample-danmaku.xml"))) {
            EncodingsPlan plan = new EncodingsPlan(
                    gateway.target(),
                    "room:1",
                    DanmakuXml.read(sample, "sample"),
                    5,
                    300,
                    Duration.ofSeconds(1),
                    1,
                    OptionalLong.of(gateway.pid()));
            EncodingsResult result = Encodings.run(plan, ProgressLine.toStandardError());
            assertEquals(0, result.lost());
            assertTrue(result.generator().lag().count() > 0, result.toString());
            assertEquals(300, result.messagesPerPhase());
            List<EncodingsResult.Row> rows = result.rows();
            assertEquals(1, rows.get(0).bytesOfPlain());
            // A frame for each message, so viewers differ by what one of them didn't get yet; batches may be cut
            // differently.
            for (EncodingsResult.Row row : List.of(rows.get(0), rows.get(2))) {
                long bytes = Math.round(row.bytesPerDelivery() * 300 * 5);
                assertEquals(0, bytes % 5, () -> row + ": not all viewers had everything");
            }
            assertTrue(rows.get(1).bytesOfPlain() < 1, result.toString());
            assertTrue(rows.get(3).bytesOfPlain() < 0.4, result.toString());
        }
    }
}
