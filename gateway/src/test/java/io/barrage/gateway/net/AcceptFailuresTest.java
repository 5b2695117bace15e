package io.barrage.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class AcceptFailuresTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger(AcceptFailures.class);
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final EmbeddedChannel channel = new EmbeddedChannel(new AcceptFailures("clients"));

    @BeforeEach
    void listen() {
        channel.freezeTime();
        logged.start();
        logger.addAppender(logged);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(logged);
        channel.finishAndReleaseAll();
    }

    private void fail() {
        channel.pipeline().fireExceptionCaught(new IOException("Too many open files"));
    }

    private void pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    private List<Level> levels() {
        return logged.list.stream().map(ILoggingEvent::getLevel).toList();
    }

    @Test
    void pausesAndGoesOn() {
        fail();
        assertFalse(channel.config().isAutoRead());
        pass(AcceptFailures.PAUSE_MILLIS - 1);
        assertFalse(channel.config().isAutoRead());
        pass(1);
        assertTrue(channel.config().isAutoRead());
        assertTrue(channel.isOpen());
        channel.checkException();
    }

    @Test
    void pausesAgainAsLongAsItFails() {
        for (int i = 0; i < 3; i++) {
            fail();
            fail();
            assertFalse(channel.config().isAutoRead());
            pass(AcceptFailures.PAUSE_MILLIS);
            assertTrue(channel.config().isAutoRead());
        }
    }

    @Test
    void saysSoOnceUntilItWorksAgain() {
        fail();
        pass(AcceptFailures.PAUSE_MILLIS);
        fail();
        pass(AcceptFailures.RECOVERED_MILLIS - 1);
        channel.writeInbound("a connection that took the place of one that left");
        assertEquals(List.of(Level.WARN), levels());
        pass(1);
        channel.writeInbound("a connection");
        channel.writeInbound("another");
        assertEquals(List.of(Level.WARN, Level.INFO), levels());
        fail();
        assertEquals(List.of(Level.WARN, Level.INFO, Level.WARN), levels());
        assertTrue(logged.list.get(0).getFormattedMessage().contains("listener=clients"));
        assertTrue(logged.list.get(1).getFormattedMessage().contains("failures=2"));
    }

    @Test
    void passesConnectionsOn() {
        channel.writeInbound("a connection");
        assertEquals("a connection", channel.readInbound());
        assertEquals(List.of(), levels());
    }
}
