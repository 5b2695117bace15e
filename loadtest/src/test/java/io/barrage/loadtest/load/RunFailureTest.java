package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class RunFailureTest {
    private static final long LONG = TimeUnit.HOURS.toNanos(1);

    private final RunFailure failure = new RunFailure();

    @Test
    void waitsForWhatIsDone() throws Exception {
        assertFalse(failure.await(new CompletableFuture<>(), 1));
        assertTrue(failure.await(CompletableFuture.completedFuture(1), LONG));
        failure.pause(1);
    }

    @Test
    void endsEveryWaitWithTheFirstReason() {
        failure.tellBroken(3, "it ended");
        failure.tell("later");
        String reason = "a publishing connection broke with 3 unanswered publishes: it ended";
        assertEquals(
                reason,
                assertThrows(LoadException.class, () -> failure.pause(LONG)).getMessage());
        assertEquals(
                reason,
                assertThrows(LoadException.class, () -> failure.await(new CompletableFuture<>(), LONG))
                        .getMessage());
    }

    @Test
    void saysWhyNobodyCanPublish() {
        assertEquals(
                "cannot publish: refused",
                assertThrows(
                                LoadException.class,
                                () -> failure.awaitConnected(
                                        CompletableFuture.failedFuture(new IOException("refused")),
                                        Duration.ofHours(1)))
                        .getMessage());
        assertEquals(
                "cannot publish: no connection within PT0.001S",
                assertThrows(
                                LoadException.class,
                                () -> failure.awaitConnected(new CompletableFuture<>(), Duration.ofMillis(1)))
                        .getMessage());
    }
}
