package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private static final long HOUR = 3_600_000;
    private static final long NOTHING_SCHEDULED = -1;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final List<String> done = new ArrayList<>();

    @BeforeEach
    void stopTheClock() {
        channel.freezeTime();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    private Deadline after(long millis, Runnable then) {
        return Deadline.after(millis, then, channel.eventLoop(), this::failed);
    }

    private Deadline at(long atMillis) {
        return Deadline.at(atMillis, () -> done.add("done"), channel.eventLoop(), this::failed);
    }

    private void failed(RuntimeException bug) {
        done.add("failed: " + bug.getMessage());
    }

    /** Lets time pass by the loop's clock, while the wall's stands; gives when something is scheduled next. */
    private long pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        return channel.runScheduledPendingTasks();
    }

    @Test
    void comesWhenTheTimeHasPassed() {
        after(1_000, () -> done.add("done"));
        pass(999);
        assertEquals(List.of(), done);
        assertEquals(NOTHING_SCHEDULED, pass(1));
        assertEquals(List.of("done"), done);
    }

    @Test
    void comesAtOnceIfTheMomentHasPassed() {
        at(System.currentTimeMillis() - 5);
        pass(0);
        assertEquals(List.of("done"), done);
    }

    @Test
    void looksAtTheWallsClockAgainAndAgain() {
        Deadline deadline = at(System.currentTimeMillis() + 24 * HOUR);
        for (int i = 0; i < 30; i++) {
            pass(HOUR);
        }
        assertEquals(List.of(), done, "by that clock it isn't time");
        deadline.cancel();
        assertEquals(NOTHING_SCHEDULED, pass(HOUR));
    }

    @Test
    void doesntComeOnceItIsCancelled() {
        after(1_000, () -> done.add("done")).cancel();
        assertEquals(NOTHING_SCHEDULED, pass(1_000));
        assertEquals(List.of(), done);
    }

    @Test
    void tellsWhatIsThrown() {
        after(1, () -> {
            throw new IllegalStateException("a bug");
        });
        pass(1);
        assertEquals(List.of("failed: a bug"), done);
    }
}
