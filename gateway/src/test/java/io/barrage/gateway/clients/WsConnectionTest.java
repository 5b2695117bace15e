package io.barrage.gateway.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.broker.RecordingListener;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.hooks.HookMetrics;
import io.barrage.gateway.hooks.HookRules;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.http.HttpConnection;
import io.barrage.gateway.http.HttpLimits;
import io.barrage.gateway.hub.Control;
import io.barrage.gateway.hub.Hub;
import io.barrage.gateway.hub.HubListener;
import io.barrage.gateway.hub.HubMemory;
import io.barrage.gateway.hub.Loop;
import io.barrage.gateway.hub.TopicRules;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.ValueChange;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is hard to bring about with a real socket: writes that are finished by somebody else's flush, and bugs. */
class WsConnectionTest {
    private static final TopicName TOPIC = TopicName.of("room:42");
    private static final TopicName HOT = TopicName.of("hot:1");

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

    private NarrowChannel channel = new NarrowChannel();
    private final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(
                    NamespaceConfig.class,
                    topic.namespace().equals("hot") ? "{name: hot, budget: 1/h}" : "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private Hub hub;
    private AuthConfig auth = AuthConfig.NONE;
    private ClientMetrics metrics = ClientMetrics.NOOP;

    @BeforeEach
    void connect() {
        connect("?topic=room:42&user=u7");
        assertTrue(sent().contains("\"type\":\"subscribed\""));
    }

    private void connect(String query) {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 1));
        hub = new Hub(
                List.of(new ChannelLoop(channel)),
                broker,
                topic -> new TopicRules("default", 1024, 1 << 20, false, 0, 0, false),
                new HubMemory(1 << 20, 1 << 20, 1 << 20),
                UnpooledByteBufAllocator.DEFAULT,
                HubListener.NOOP);
        ClientsDoor door = new ClientsDoor(
                () -> new ClientRules(
                        true,
                        List.of(),
                        true,
                        Duration.ofHours(1),
                        Duration.ofHours(1),
                        1 << 16,
                        0,
                        10,
                        ClientLimits.NONE,
                        Forwarding.NONE,
                        Duration.ofHours(1)),
                () -> new Namespaces(
                        List.of(ConfigReader.parse(NamespaceConfig.class, "{name: default, publish: anyone}"))),
                () -> TokenVerifier.of(auth),
                new Hooks(() -> HookRules.NONE, TopicName::namespace, "n", () -> 1 << 16, HookMetrics.NOOP),
                broker,
                loop -> hub.shards().get(0),
                metrics,
                "n");
        HttpConnection.add(channel.pipeline(), door, new HttpLimits(1 << 16, Duration.ofHours(1), Duration.ofHours(1)));
        receive("""
                GET /ws%s HTTP/1.1
                Host: h
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

                """.formatted(query).replace("\n", "\r\n"));
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

    /** Publishes lines of u7's that are over the room's budget. */
    private void publishHidden(int count) {
        byte[] line = ('"' + "x".repeat(1_000) + '"').getBytes(UTF_8);
        for (int i = 0; i < count; i++) {
            PublishResult result = broker.publish(
                            new Message.Draft(HOT, line, Priority.LOW, "u7", 1, System.nanoTime()), null)
                    .join();
            assertInstanceOf(PublishResult.Shed.class, result);
            channel.runPendingTasks();
        }
    }

    /** How many hidden lines came back since the last call of {@link #sent}. */
    private int givenBack() {
        return sent().split("\"topic\":\"hot:1\",\"time\"", -1).length - 1;
    }

    /** The socket takes again, and Netty is told so. */
    private void drain() {
        channel.full = false;
        channel.flush();
        channel.runPendingTasks();
    }

    @Test
    void givesNoMoreHiddenLinesBackThanMayWait() {
        // All that may be shown in this hour.
        broker.publish(new Message.Draft(HOT, new byte[] {'1'}, Priority.NORMAL, null, 1, System.nanoTime()), null)
                .join();
        receiveFrame(0x81, "{\"type\":\"subscribe\",\"topic\":\"hot:1\"}");
        publishHidden(100);
        assertEquals(100, givenBack(), "it reads");
        channel.full = true;
        publishHidden(1_000);
        drain();
        int waited = givenBack();
        assertTrue(waited > 10 && waited <= 64, waited + " came back to one that didn't read");
        publishHidden(1);
        assertEquals(1, givenBack());
    }

    @Test
    void closesOneThatTakesNothingOfItsTopicsValues() {
        byte[] data = ('"' + "x".repeat(60_000) + '"').getBytes(UTF_8);
        List<TopicName> topics = List.of(TopicName.of("big:1"), TopicName.of("big:2"));
        for (TopicName topic : topics) {
            for (int i = 0; i < 64; i++) {
                broker.publish(topic, ValueChange.of("key" + i, Merge.LAST, data), null);
            }
        }
        channel.full = true;
        Control control = new Control(hub, () -> 10);
        for (TopicName topic : topics) {
            control.subscribe(new Control.Target("u7", null), topic, null, 0);
            channel.runPendingTasks();
        }
        drain();
        String sent = sent();
        assertTrue(sent.contains("\"key\":\"key63\""), "the values of one topic may wait");
        assertTrue(sent.endsWith("slow_consumer"), "those of both may not");
        assertTrue(sent.length() < 5 << 20, sent.length() + " bytes waited");
    }

    /** Whether a ping was sent since the last call, or that of {@link #sent}. */
    private boolean isPinged() {
        boolean pinged = false;
        for (ByteBuf bytes = channel.readOutbound(); bytes != null; bytes = channel.readOutbound()) {
            pinged |= bytes.getUnsignedByte(0) == 0x89;
            bytes.release();
        }
        return pinged;
    }

    private void passMinutes(int minutes) {
        channel.advanceTimeBy(minutes, TimeUnit.MINUTES);
        channel.runPendingTasks();
    }

    @Test
    void eachPartOfAFrameIsASignOfLife() {
        channel.freezeTime();
        // The heartbeat is an hour, more or less a fifth.
        byte[] head = {(byte) 0x81, (byte) (0x80 | 100), 0, 0, 0, 0};
        for (byte part : head) {
            receive(new byte[] {part});
            passMinutes(40);
        }
        assertFalse(isPinged());
        passMinutes(40);
        assertTrue(isPinged());
        // Only a frame is an answer to that.
        receive("x");
        passMinutes(61);
        assertTrue(sent().contains("heartbeat_timeout"));
    }

    @Test
    void closesTheConnectionWhoseTokensEndIsMetByABugOfOurs() {
        close();
        channel = new NarrowChannel();
        auth = ConfigReader.parse(AuthConfig.class, "keys: [{alg: HS256, secret: " + TokenFixture.SECRET + "}]");
        metrics = new ClientMetrics() {
            @Override
            public void failed(ErrorCode code) {
                throw new IllegalStateException("the test's bug");
            }
        };
        // So good that it is taken, by the leeway, and so old that its end is at once.
        connect("?token=" + TokenFixture.token("", -5));
        channel.runScheduledPendingTasks();
        String sent = sent();
        assertTrue(sent.contains("\"type\":\"welcome\""), sent);
        assertTrue(sent.endsWith("internal"), sent);
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
