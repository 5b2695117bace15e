package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.target.NatsTarget;
import io.barrage.loadtest.target.TargetKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SubscriberTest {
    private static final InetSocketAddress HERE = InetSocketAddress.createUnresolved("127.0.0.1", 8080);
    private static final String SUBSCRIBED = "{\"type\":\"subscribed\",\"topic\":\"t\"}";

    private final List<String> events = new ArrayList<>();
    private final ReceiveCounters counters = new ReceiveCounters();
    private Subscriber subscriber = subscriber(TargetKind.BARRAGE);
    private EmbeddedChannel channel = new EmbeddedChannel(subscriber);

    private Subscriber subscriber(TargetKind kind) {
        return new Subscriber(kind.at(HERE, HERE), "room:42", false, counters) {
            @Override
            void onDelivered(int messages) {
                events.add("delivered " + messages);
            }

            @Override
            public void onMessage(ByteBuf payload, int index, int length) {
                events.add("message");
            }

            @Override
            void onNotice(String text) {
                events.add("notice " + text);
            }

            @Override
            void onClosed(String why) {
                events.add("closed: " + why);
            }
        };
    }

    /** Goes on with a gateway of another kind. */
    private void insteadTo(TargetKind kind) {
        channel.finishAndReleaseAll();
        subscriber = subscriber(kind);
        channel = new EmbeddedChannel(subscriber);
    }

    /** The payload of the next frame that was sent, which must be masked and of the given kind. */
    private String said(int firstByte) {
        ByteBuf frame = channel.readOutbound();
        assertEquals(firstByte, frame.readUnsignedByte());
        int length = frame.readUnsignedByte() - 0x80;
        length = length == 126 ? frame.readUnsignedShort() : length;
        byte[] mask = new byte[4];
        frame.readBytes(mask);
        byte[] payload = new byte[length];
        frame.readBytes(payload);
        assertFalse(frame.isReadable());
        frame.release();
        for (int i = 0; i < payload.length; i++) {
            payload[i] ^= mask[i % 4];
        }
        return new String(payload, UTF_8);
    }

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
    }

    private String request() {
        ByteBuf request = channel.readOutbound();
        String text = request.toString(ISO_8859_1);
        request.release();
        return text;
    }

    private static String accepting(String request) {
        String key = request.lines()
                .filter(line -> line.startsWith("Sec-WebSocket-Key: "))
                .findFirst()
                .orElseThrow()
                .substring(19);
        return "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nsec-websocket-accept: "
                + Subscriber.acceptOf(key) + "\r\n\r\n";
    }

    private static ByteBuf text(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return Unpooled.buffer().writeByte(0x81).writeByte(bytes.length).writeBytes(bytes);
    }

    private static ByteBuf binary(String text) {
        return text(text).setByte(0, 0x82);
    }

    private static ByteBuf raw(String text) {
        return Unpooled.copiedBuffer(text, ISO_8859_1);
    }

    private void subscribe() {
        channel.writeInbound(raw(accepting(request())), text(SUBSCRIBED));
    }

    @Test
    void computesTheAcceptOfTheStandardsExample() {
        assertEquals("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Subscriber.acceptOf("dGhlIHNhbXBsZSBub25jZQ=="));
    }

    @Test
    void asksForItsTopic() {
        String request = request();
        assertTrue(request.startsWith("GET /ws?topic=room:42 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"), request);
        assertTrue(request.endsWith("\r\n\r\n"));
    }

    @Test
    void isReadyOnlyWithTheFrameThatSaysSo() {
        channel.writeInbound(raw(accepting(request())), text("{\"type\":\"welcome\"}"));
        assertFalse(subscriber.ready().isDone());
        channel.writeInbound(text(SUBSCRIBED));
        assertTrue(subscriber.ready().isDone());
        assertEquals(List.of(), events);
    }

    @Test
    void readsAHandshakeThatComesByteByByteWithFramesBehindIt() {
        ByteBuf all = Unpooled.wrappedBuffer(
                raw(accepting(request())), text(SUBSCRIBED), text("{\"type\":\"message\",\"offset\":1}"));
        while (all.isReadable()) {
            channel.writeInbound(Unpooled.buffer().writeByte(all.readByte()));
        }
        assertTrue(subscriber.ready().isDone());
        assertEquals(List.of("delivered 1"), events);
        assertEquals(1, counters.messages);
    }

    @Test
    void countsReadsBytesAndMessages() {
        subscribe();
        counters.reads = 0;
        counters.bytes = 0;
        ByteBuf three = Unpooled.wrappedBuffer(
                text("{\"type\":\"message\",\"offset\":1}"),
                text("{\"type\":\"message\",\"offset\":2}"),
                text("{\"type\":\"message\",\"offset\":3}"));
        int bytes = three.readableBytes();
        channel.writeInbound(three);
        assertEquals(0, three.refCnt());
        assertEquals(new ReceiveCounters.Snapshot(1, bytes, 3), counters.snapshot());
        assertEquals(List.of("delivered 3"), events);
    }

    @Test
    void failsWithTheStatusOfARefusal() {
        channel.writeInbound(raw("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"));
        CompletionException failure =
                assertThrows(CompletionException.class, () -> subscriber.ready().join());
        assertTrue(failure.getMessage().contains("HTTP/1.1 503"), failure.getMessage());
        assertFalse(channel.isActive());
    }

    @Test
    void failsOnAForeignAccept() {
        channel.writeInbound(raw("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: nonsense\r\n\r\n"));
        CompletionException failure =
                assertThrows(CompletionException.class, () -> subscriber.ready().join());
        assertTrue(failure.getMessage().contains("Sec-WebSocket-Accept"), failure.getMessage());
    }

    @Test
    void failsWithTheGatewaysOwnWords() {
        channel.writeInbound(
                raw(accepting(request())),
                text("{\"type\":\"error\",\"code\":\"not_permitted\"}"),
                Unpooled.wrappedBuffer(new byte[] {(byte) 0x88, 2, 0x11, 0x33}));
        CompletionException failure =
                assertThrows(CompletionException.class, () -> subscriber.ready().join());
        assertTrue(failure.getMessage().contains("4403"), failure.getMessage());
        assertTrue(failure.getMessage().contains("not_permitted"), failure.getMessage());
    }

    @Test
    void answersAPingWithItsPayloadMasked() {
        subscribe();
        channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0x89, 5, 'a', 'b', 'c', 'd', 'e'}));
        assertEquals("abcde", said(0x8a));
    }

    @Test
    void saysWhatCentrifugoWantsToHear() {
        insteadTo(TargetKind.CENTRIFUGO);
        channel.writeInbound(raw(accepting(request())));
        assertEquals("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"room:42\"}}", said(0x81));
        channel.writeInbound(text("{\"id\":1,\"connect\":{\"client\":\"c\",\"ping\":25,\"pong\":true}}"));
        assertFalse(subscriber.ready().isDone());
        channel.writeInbound(
                text("{\"id\":2,\"subscribe\":{}}\n{\"push\":{\"channel\":\"room:42\",\"pub\":{\"data\":1}}}\n{}"));
        assertTrue(subscriber.ready().isDone());
        assertEquals(List.of("delivered 1"), events);
        assertEquals("{}", said(0x81), "the pong");
        channel.writeInbound(text("{}\n{\"push\":{\"channel\":\"room:42\",\"pub\":{\"data\":1}}}"));
        assertEquals("{}", said(0x81), "the pong to a ping that came with a message");
    }

    @Test
    void saysWhatNatsWantsToHear() {
        insteadTo(TargetKind.NATS);
        channel.writeInbound(raw(accepting(request())));
        assertEquals(NatsTarget.CONNECT + "SUB room:42 1\r\nPING\r\n", said(0x82));
        channel.writeInbound(binary("INFO {}\r\nPO"));
        assertFalse(subscriber.ready().isDone());
        channel.writeInbound(binary("NG\r\nMSG room:42 1 2\r\n{}\r\nPING\r\nMSG room:42 1 2\r\n{"));
        assertTrue(subscriber.ready().isDone());
        assertEquals("PONG\r\n", said(0x82));
        channel.writeInbound(binary("}\r\n"));
        assertEquals(List.of("delivered 1", "delivered 1"), events);
    }

    @Test
    void tellsWhyTheGatewayClosed() {
        subscribe();
        channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0x88, 6, 0x11, 0x38, 's', 'l', 'o', 'w'}));
        assertEquals(List.of("closed: the gateway closed with 4408 slow"), events);
    }

    @Test
    void tellsThatTheConnectionBroke() {
        subscribe();
        channel.close().syncUninterruptibly();
        assertEquals(List.of("closed: the connection ended without a close frame"), events);
    }

    @Test
    void saysGoodbyeAndTellsNobody() {
        subscribe();
        subscriber.close();
        ByteBuf goodbye = channel.readOutbound();
        assertEquals(0x88, goodbye.getUnsignedByte(0));
        goodbye.release();
        assertEquals(List.of(), events);
    }
}
