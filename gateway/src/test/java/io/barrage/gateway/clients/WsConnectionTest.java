package io.barrage.gateway.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.RecordingListener;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.HttpLimits;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubListener;
import io.barrage.gateway.hub.HubMemory;
import io.barrage.gateway.hub.Loop;
import io.barrage.gateway.hub.TopicRules;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is hard to bring about with a real socket: writes that are finished by somebody else's flush. */
class WsConnectionTest {
    private static final TopicName TOPIC = TopicName.of("room:42");

    /**
     * A channel whose socket takes nothing while it is full, and that isn't told when it takes more: as a real one that has
     * taken many small bites, where Netty will ask again by a task.
     */
    private static final class NarrowChannel extends EmbeddedChannel {
        private boolean full;

        @Override
        protected void doWrite(ChannelOutboundBuffer in) throws Exception {
            if (!full) {
                super.doWrite(in);
            }
        }
    }

    private final NarrowChannel channel = new NarrowChannel();
    private final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(NamespaceConfig.class, "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private Hub hub;

    @BeforeEach
    void connect() {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 1));
        hub = new Hub(
                List.of(new ChannelLoop(channel)),
                broker,
                topic -> new TopicRules("default", 1024, 1 << 20, false, 0, 0, false),
                new HubMemory(1 << 20, 1 << 20, 1 << 20),
                UnpooledByteBufAllocator.DEFAULT,
                HubListener.NOOP);
        ClientsDoor door = new ClientsDoor(
                new ClientRules(
                        true,
                        List.of(),
                        true,
                        Duration.ofHours(1),
                        Duration.ofHours(1),
                        1 << 16,
                        0,
                        10,
                        new Everything()),
                broker,
                loop -> hub.shards().get(0),
                ClientMetrics.NOOP,
                "n");
        HttpConnection.add(channel.pipeline(), door, new HttpLimits(1 << 16, Duration.ofHours(1), Duration.ofHours(1)));
        receive("""
                GET /ws?topic=room:42 HTTP/1.1
                Host: h
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

                """.replace("\n", "\r\n"));
        assertTrue(sent().contains("\"type\":\"subscribed\""));
    }

    private record ChannelLoop(EmbeddedChannel channel) implements Loop {
        @Override
        public boolean inLoop() {
            return true;
        }

        @Override
        public void execute(Runnable task) {
            channel.eventLoop().execute(task);
        }

        @Override
        public void executeAfterIo(Runnable task) {
            channel.eventLoop().execute(task);
        }

        @Override
        public void executeAfter(Runnable task, long nanos) {
            throw new AssertionError("nothing is coalesced here");
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }
    }

    private static final class Everything implements ClientRules.Permissions {
        @Override
        public boolean maySubscribe(TopicName topic) {
            return true;
        }

        @Override
        public boolean mayPublish(TopicName topic) {
            return true;
        }

        @Override
        public boolean mayPublishValues(TopicName topic) {
            return true;
        }

        @Override
        public Priority maxPriority(TopicName topic) {
            return Priority.CRITICAL;
        }
    }

    @AfterEach
    void close() {
        channel.full = false;
        channel.close();
        channel.runPendingTasks();
        hub.close();
        channel.runPendingTasks();
        channel.finishAndReleaseAll();
    }

    private void receive(String text) {
        receive(text.getBytes(UTF_8));
    }

    private void receive(byte[] bytes) {
        channel.writeInbound(Unpooled.copiedBuffer(bytes));
        channel.runPendingTasks();
    }

    /** A masked frame; the mask is nothing. */
    private void receiveFrame(int first, String payload) {
        byte[] text = payload.getBytes(UTF_8);
        byte[] frame = new byte[6 + text.length];
        frame[0] = (byte) first;
        frame[1] = (byte) (0x80 | text.length);
        System.arraycopy(text, 0, frame, 6, text.length);
        receive(frame);
    }

    private void publish(String data) {
        broker.publish(
                new Message.Draft(TOPIC, data.getBytes(UTF_8), Priority.NORMAL, null, 1, System.nanoTime()), null);
        channel.runPendingTasks();
    }

    /** All bytes since the last call. */
    private String sent() {
        StringBuilder all = new StringBuilder();
        for (ByteBuf bytes = channel.readOutbound(); bytes != null; bytes = channel.readOutbound()) {
            all.append(bytes.toString(UTF_8));
            bytes.release();
        }
        return all.toString();
    }

    @Test
    void goesOnWhenAnAnswerOfItsOwnFlushesWhatWasInFlight() {
        channel.full = true;
        publish("1");
        publish("2");
        assertEquals("", sent());
        channel.full = false;
        // The pong's flush writes the message in front of it; the channel's event about that comes from within.
        receiveFrame(0x89, "#");
        String sent = sent();
        assertTrue(sent.indexOf("\"data\":1}") < sent.indexOf("#"), sent);
        assertTrue(sent.contains("\"data\":2}"), "what waited behind it follows: " + sent);
        publish("3");
        assertTrue(sent().contains("\"data\":3}"));
    }

    @Test
    void readsOnWhenAMessageFlushesTheAnswersThatWaited() {
        channel.full = true;
        for (int i = 0; i < 70; i++) {
            receiveFrame(0x89, "ping" + i);
        }
        assertFalse(channel.config().isAutoRead(), "64 answers wait");
        channel.full = false;
        publish("1");
        String sent = sent();
        for (int i = 0; i < 70; i++) {
            assertTrue(sent.contains("ping" + i), "also those that came behind the 64th: " + i);
        }
        assertTrue(channel.config().isAutoRead());
    }

    @Test
    void givesMessagesTheirTimeToLive() {
        RecordingListener listener = new RecordingListener();
        broker.attach(TOPIC, listener);
        receiveFrame(0x81, "{\"type\":\"publish\",\"topic\":\"room:42\",\"ttlMs\":5000,\"data\":1}");
        receiveFrame(0x81, "{\"type\":\"publish\",\"topic\":\"room:42\",\"data\":2}");
        Message mortal = listener.offered.get(0);
        assertEquals(5_000_000_000L, mortal.expiresNanos() - mortal.acceptedNanos());
        assertFalse(listener.offered.get(1).canExpire());
    }
}
