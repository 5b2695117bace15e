package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.target.Records;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records within WebSocket frames, as {@link FrameParser} finds them in the bytes of a connection. */
final class RecordSplitterTest {
    private static final InetSocketAddress HERE = InetSocketAddress.createUnresolved("127.0.0.1", 1);
    private static final int TEXT = 0x81;
    private static final int BINARY = 0x82;

    /** Data that looks like the protocol itself, and an empty one. */
    private static final List<String> NATS_RECORDS = List.of(
            "INFO {\"server_id\":\"M\",\"max_payload\":1048576} \r\n",
            "PONG\r\n",
            "MSG bench:r.0 1 12\r\n{\"a\":\"PING\"}\r\n",
            "PING\r\n",
            "MSG bench:r.0 1 21\r\n\r\nMSG bench:r.0 1 1\r\n\r\n",
            "MSG bench:r.0 1 0\r\n\r\n",
            "MSG bench:r.0 1 reply.to 300\r\n" + "x".repeat(300) + "\r\n",
            "-ERR 'Slow Consumer'\r\n");

    private static Records records(TargetKind kind) {
        Target target = kind.at(HERE, HERE);
        Records records = target.records("bench:r.0");
        assertTrue(records != null);
        return records;
    }

    private static final class Recorder implements FrameParser.Sink {
        final List<String> events = new ArrayList<>();

        @Override
        public void onMessage(ByteBuf payload, int index, int length) {
            events.add("message " + payload.toString(index, length, UTF_8));
        }

        @Override
        public void onOther(String text) {
            events.add("other " + text);
        }

        @Override
        public void onPing(byte[] payload) {
            events.add("ping");
        }

        @Override
        public void onClose(int code, String reason) {
            events.add("close " + code);
        }
    }

    private static void frame(ByteBuf out, int firstByte, byte[] payload, int from, int to) {
        int length = to - from;
        out.writeByte(firstByte);
        if (length < 126) {
            out.writeByte(length);
        } else {
            out.writeByte(126).writeShort(length);
        }
        out.writeBytes(payload, from, length);
    }

    /** Feeds the stream in two pieces, the second starting at {@code cut}. */
    private static int read(FrameParser parser, ByteBuf stream, int cut) {
        ByteBuf first = stream.slice(0, cut);
        ByteBuf second = stream.slice(cut, stream.writerIndex() - cut);
        return parser.read(first) + parser.read(second);
    }

    private static List<String> natsEvents() {
        return NATS_RECORDS.stream()
                .map(record -> (record.startsWith("MSG") ? "message " : "other ") + record)
                .toList();
    }

    @Test
    void findsTheSameNatsRecordsWhereverAReadCuts() {
        byte[] payload = String.join("", NATS_RECORDS).getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, BINARY, payload, 0, payload.length);
        frame(stream, 0x89, new byte[0], 0, 0);
        for (int cut = 0; cut <= stream.writerIndex(); cut++) {
            Recorder recorder = new Recorder();
            int messages = read(new FrameParser(records(TargetKind.NATS), true, recorder), stream, cut);
            assertEquals(4, messages, "cut at " + cut);
            List<String> expected = new ArrayList<>(natsEvents());
            expected.add("ping");
            assertEquals(expected, recorder.events, "cut at " + cut);
        }
    }

    @Test
    void findsTheSameNatsRecordsWhereverAFrameEnds() {
        byte[] payload = String.join("", NATS_RECORDS).getBytes(UTF_8);
        for (int end = 0; end <= payload.length; end++) {
            ByteBuf stream = Unpooled.buffer();
            frame(stream, BINARY, payload, 0, end);
            frame(stream, 0x89, new byte[0], 0, 0);
            frame(stream, BINARY, payload, end, payload.length);
            Recorder recorder = new Recorder();
            FrameParser parser = new FrameParser(records(TargetKind.NATS), true, recorder);
            assertEquals(4, parser.read(stream), "frame ends at " + end);
            recorder.events.remove("ping");
            assertEquals(natsEvents(), recorder.events, "frame ends at " + end);
        }
    }

    @Test
    void findsTheSameNatsRecordsByteByByte() {
        byte[] payload = String.join("", NATS_RECORDS).getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x02, payload, 0, 50); // fragments of one WebSocket message
        frame(stream, 0x80, payload, 50, payload.length);
        Recorder recorder = new Recorder();
        FrameParser parser = new FrameParser(records(TargetKind.NATS), true, recorder);
        int messages = 0;
        while (stream.isReadable()) {
            messages += parser.read(stream.readSlice(1));
        }
        assertEquals(4, messages);
        assertEquals(natsEvents(), recorder.events);
    }

    @ParameterizedTest
    @ValueSource(strings = {"MSG t 1 \r\n", "MSG t 1 x\r\n", "MSG t 1 5\n12345\r\n", "MSG t 1 99999999999\r\n"})
    void refusesANatsMessageWithoutALength(String line) {
        byte[] payload = line.getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, BINARY, payload, 0, payload.length);
        FrameParser parser = new FrameParser(records(TargetKind.NATS), false, new Recorder());
        assertThrows(CorruptedFrameException.class, () -> parser.read(stream));
    }

    @Test
    void countsCentrifugosPushesWithinOneFrameWhereverAReadCuts() {
        String push = "{\"push\":{\"channel\":\"bench:r.0\",\"pub\":{\"data\":{\"n\":1}}}}";
        String joined = push + "\n{}\n" + push + "\n{\"push\":{\"channel\":\"bench:r.0\",\"join\":{}}}\n"
                + "{\"push\":{\"channel\":\"bench:r.1\",\"pub\":{}}}\n" + push;
        byte[] payload = joined.getBytes(UTF_8);
        byte[] lone = push.getBytes(UTF_8);
        byte[] ended = (push + "\n").getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, TEXT, payload, 0, payload.length);
        frame(stream, TEXT, lone, 0, lone.length);
        frame(stream, TEXT, ended, 0, ended.length);
        List<String> expected = List.of(
                "message " + push + "\n",
                "other {}\n",
                "message " + push + "\n",
                "other {\"push\":{\"channel\":\"bench:r.0\",\"join\":{}}}\n",
                "other {\"push\":{\"channel\":\"bench:r.1\",\"pub\":{}}}\n",
                "message " + push,
                "message " + push,
                "message " + push + "\n");
        for (int cut = 0; cut <= stream.writerIndex(); cut++) {
            Recorder recorder = new Recorder();
            int messages = read(new FrameParser(records(TargetKind.CENTRIFUGO), true, recorder), stream, cut);
            assertEquals(5, messages, "cut at " + cut);
            assertEquals(expected, recorder.events, "cut at " + cut);
        }
    }

    /** Elements of one length and of others, and data that looks like the frame around it. */
    private static final List<String> ELEMENTS = List.of(
            "{\"offset\":8,\"time\":1,\"data\":{\"a\":1}}",
            "{\"offset\":9,\"time\":1,\"data\":{\"a\":2}}",
            "{\"offset\":10,\"time\":1,\"data\":{\"a\":3}}",
            "{\"offset\":11,\"hidden\":2,\"time\":1,\"data\":[{},{\"offset\":3}]}",
            "{\"offset\":12,\"time\":1,\"data\":\"}]},{\\\"\"}",
            "{\"offset\":13,\"time\":1,\"data\":\"}]},{\\\\\"}");

    private static ByteBuf batchStream() {
        String head = "{\"type\":\"messages\",\"topic\":\"bench:r.0\",\"messages\":[";
        ByteBuf stream = Unpooled.buffer();
        for (String text : List.of(
                "{\"type\":\"subscribed\",\"topic\":\"bench:r.0\",\"offset\":7}",
                head + String.join(",", ELEMENTS) + "]}",
                "{\"type\":\"gap\",\"topic\":\"bench:r.0\",\"from\":14,\"to\":14,\"count\":1,\"reason\":\"behind\"}",
                "{\"type\":\"message\",\"topic\":\"bench:r.0\",\"offset\":15,\"time\":1,\"data\":[{\"type\":\"messages\"}]}",
                head + ELEMENTS.get(0) + "]}")) {
            byte[] payload = text.getBytes(UTF_8);
            frame(stream, TEXT, payload, 0, payload.length);
        }
        return stream;
    }

    private static List<String> offsets(List<String> events) {
        return events.stream()
                .map(event ->
                        event.replaceFirst("(?s)\"offset\":(\\d+).*", "$1").replaceFirst(".*\\D", ""))
                .toList();
    }

    @Test
    void countsTheElementsOfBatchesWhereverAReadCuts() {
        ByteBuf stream = batchStream();
        for (int cut = 0; cut <= stream.writerIndex(); cut++) {
            Recorder recorder = new Recorder();
            int messages = read(new FrameParser(records(TargetKind.BARRAGE_BATCH), true, recorder), stream, cut);
            assertEquals(8, messages, "cut at " + cut);
            assertEquals(10, recorder.events.size(), "cut at " + cut);
            assertTrue(recorder.events.get(0).startsWith("other {\"type\":\"subscribed\""), recorder.events.get(0));
            assertTrue(recorder.events.get(7).startsWith("other {\"type\":\"gap\""), recorder.events.get(7));
            List<String> deliveries = recorder.events.stream()
                    .filter(event -> event.startsWith("message "))
                    .toList();
            assertEquals(List.of("8", "9", "10", "11", "12", "13", "15", "8"), offsets(deliveries), "cut at " + cut);
        }
    }

    @Test
    void countsTheElementsOfBatchesByteByByte() {
        ByteBuf stream = batchStream();
        FrameParser parser = new FrameParser(records(TargetKind.BARRAGE_BATCH), false, new Recorder());
        int messages = 0;
        while (stream.isReadable()) {
            messages += parser.read(stream.readSlice(1));
        }
        assertEquals(8, messages);
    }

    @Test
    void refusesABatchOfSomethingElse() {
        byte[] payload = "{\"type\":\"messages\",\"topic\":\"t\",\"messages\":[7]}".getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, TEXT, payload, 0, payload.length);
        FrameParser parser = new FrameParser(records(TargetKind.BARRAGE_BATCH), false, new Recorder());
        assertThrows(CorruptedFrameException.class, () -> parser.read(stream));
    }

    @Test
    void showsNoDeliveryToThoseWhoOnlyCount() {
        byte[] payload = "MSG t 1 2\r\n{}\r\nMSG t 1 2\r\n{}\r\n".getBytes(UTF_8);
        ByteBuf stream = Unpooled.buffer();
        frame(stream, BINARY, payload, 0, payload.length);
        Recorder recorder = new Recorder();
        assertEquals(2, new FrameParser(records(TargetKind.NATS), false, recorder).read(stream));
        assertEquals(List.of(), recorder.events);
    }

    @Test
    void refusesARecordThatNeverEnds() {
        FrameParser parser = new FrameParser(records(TargetKind.CENTRIFUGO), false, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        byte[] piece = "x".repeat(60_000).getBytes(UTF_8);
        frame(stream, 0x01, piece, 0, piece.length);
        for (int i = 0; i < FrameParser.MAX_KEPT_BYTES / piece.length; i++) {
            frame(stream, 0x00, piece, 0, piece.length);
        }
        assertThrows(CorruptedFrameException.class, () -> parser.read(stream));
    }
}
