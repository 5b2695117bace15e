package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RepeatedTest {
    @Test
    void goesOnAfterABugAndSaysSoOnce() {
        Logger logger = (Logger) LoggerFactory.getLogger(Repeated.class);
        ListAppender<ILoggingEvent> logged = new ListAppender<>();
        logged.start();
        logger.addAppender(logged);
        EmbeddedChannel channel = new EmbeddedChannel();
        List<Integer> done = new ArrayList<>();
        try {
            channel.freezeTime();
            Repeated step = new Repeated("counting", () -> {
                done.add(done.size());
                if (done.size() < 3) {
                    throw new IllegalStateException("a bug");
                }
            });
            channel.eventLoop().scheduleAtFixedRate(step, 1, 1, TimeUnit.SECONDS);
            for (int i = 0; i < 4; i++) {
                channel.advanceTimeBy(1, TimeUnit.SECONDS);
                channel.runScheduledPendingTasks();
            }
        } finally {
            logger.detachAppender(logged);
            channel.finishAndReleaseAll();
        }
        assertEquals(List.of(0, 1, 2, 3), done);
        assertEquals(1, logged.list.size());
        assertTrue(logged.list.get(0).getFormattedMessage().contains("what=counting"));
    }
}
