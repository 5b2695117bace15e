package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FrameParserTest {
    private static final byte[] PREFIX = "{\"type\":\"message\",".getBytes(UTF_8);

    /** Writes down what it is told. */
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
            events.add("ping " + new String(payload, UTF_8));
        }

        @Override
        public void onClose(int code, String reason) {
            events.add("close " + code + " " + reason);
        }
    }

    private static void frame(ByteBuf out, int firstByte, byte[] payload) {
        out.writeByte(firstByte);
        if (payload.length < 126) {
            out.writeByte(payload.length);
        } else if (payload.length < 65536) {
            out.writeByte(126).writeShort(payload.length);
        } else {
            out.writeByte(127).writeLong(payload.length);
        }
        out.writeBytes(payload);
    }

    private static String message(int number, int padding) {
        return "{\"type\":\"message\",\"topic\":\"t\",\"offset\":" + number + ",\"data\":\"" + "x".repeat(padding)
                + "\"}";
    }

    /** Everything that a server may send, short and long, whole and in fragments. */
    private static ByteBuf everything(List<String> events) {
        ByteBuf out = Unpooled.buffer();
        text(out, events, "{\"type\":\"welcome\",\"connection\":\"c\"}", false);
        text(out, events, message(1, 1), true);
        text(out, events, message(2, 200), true);
        frame(out, 0x89, "hi".getBytes(UTF_8));
        events.add("ping hi");
        text(out, events, "{\"type\":\"messages\",\"topic\":\"t\"}", false); // differs at the prefix's last byte only
        text(out, events, "{}", false); // shorter than the prefix
        text(out, events, "", false);
        byte[] third = message(3, 50).getBytes(UTF_8);
        frame(out, 0x01, java.util.Arrays.copyOfRange(third, 0, 5)); // cut inside of the prefix
        frame(out, 0x89, new byte[0]);
        events.add("ping ");
        frame(out, 0x00, java.util.Arrays.copyOfRange(third, 5, 30));
        frame(out, 0x80, java.util.Arrays.copyOfRange(third, 30, third.length));
        events.add("message " + message(3, 50));
        frame(out, 0x8a, "pong".getBytes(UTF_8));
        frame(out, 0x82, message(4, 3).getBytes(UTF_8)); // binary counts too
        events.add("message " + message(4, 3));
        text(out, events, message(5, 0), true);
        frame(out, 0x88, new byte[] {0x11, 0x38, 's', 'l', 'o', 'w'});
        events.add("close 4408 slow");
        return out;
    }

    private static void text(ByteBuf out, List<String> events, String text, boolean delivery) {
        frame(out, 0x81, text.getBytes(UTF_8));
        events.add((delivery ? "message " : "other ") + text);
    }

    private static List<String> withoutMessages(List<String> events) {
        return events.stream().filter(event -> !event.startsWith("message ")).toList();
    }

    private static long messages(List<String> events) {
        return events.stream().filter(event -> event.startsWith("message ")).count();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readsTheSameWhereverTheStreamIsCutInTwo(boolean inspect) {
        List<String> expected = new ArrayList<>();
        ByteBuf stream = everything(expected);
        for (int cut = 0; cut <= stream.readableBytes(); cut++) {
            Recorder recorder = new Recorder();
            FrameParser parser = new FrameParser(PREFIX, inspect, recorder);
            int read = parser.read(stream.slice(0, cut)) + parser.read(stream.slice(cut, stream.readableBytes() - cut));
            assertEquals(messages(expected), read, "cut at " + cut);
            assertEquals(inspect ? expected : withoutMessages(expected), recorder.events, "cut at " + cut);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readsTheSameByteByByte(boolean inspect) {
        List<String> expected = new ArrayList<>();
        ByteBuf stream = everything(expected);
        Recorder recorder = new Recorder();
        FrameParser parser = new FrameParser(PREFIX, inspect, recorder);
        int read = 0;
        for (int i = 0; i < stream.readableBytes(); i++) {
            read += parser.read(stream.slice(i, 1));
        }
        assertEquals(messages(expected), read);
        assertEquals(inspect ? expected : withoutMessages(expected), recorder.events);
    }

    @Test
    void countsWhatWasWrittenForRandomFramesInRandomPieces() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<String> expected = new ArrayList<>();
            ByteBuf stream = Unpooled.buffer();
            for (int frames = 1 + random.nextInt(40); frames > 0; frames--) {
                if (random.nextInt(4) == 0) {
                    text(stream, expected, "{\"type\":\"" + "q".repeat(random.nextInt(150)) + "\"}", false);
                } else {
                    text(
                            stream,
                            expected,
                            message(frames, random.nextInt(20) == 0 ? 70_000 : random.nextInt(300)),
                            true);
                }
            }
            boolean inspect = random.nextBoolean();
            Recorder recorder = new Recorder();
            FrameParser parser = new FrameParser(PREFIX, inspect, recorder);
            int read = 0;
            int at = 0;
            while (at < stream.readableBytes()) {
                int piece = Math.min(stream.readableBytes() - at, 1 + random.nextInt(random.nextBoolean() ? 9 : 5_000));
                read += parser.read(stream.slice(at, piece));
                at += piece;
            }
            assertEquals(messages(expected), read, "seed " + seed);
            assertEquals(inspect ? expected : withoutMessages(expected), recorder.events, "seed " + seed);
        }
    }

    @Test
    void survivesRandomBytesWithNothingWorseThanACorruptedFrame() {
        for (int seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            byte[] noise = new byte[1 + random.nextInt(200)];
            random.nextBytes(noise);
            FrameParser parser = new FrameParser(PREFIX, random.nextBoolean(), new Recorder());
            try {
                parser.read(Unpooled.wrappedBuffer(noise));
            } catch (CorruptedFrameException expected) {
                assertTrue(expected.getMessage().length() > 5);
            }
        }
    }

    @Test
    void countsADeliveryOnlyWhenItsLastByteCame() {
        FrameParser parser = new FrameParser(PREFIX, false, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x81, message(1, 1_000_000).getBytes(UTF_8));
        int all = stream.readableBytes();
        assertEquals(0, parser.read(stream.slice(0, all - 1)));
        assertEquals(1, parser.read(stream.slice(all - 1, 1)));
    }

    @Test
    void countsEveryDataFrameWithoutAPrefix() {
        FrameParser parser = new FrameParser(new byte[0], false, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x81, new byte[0]);
        frame(stream, 0x81, "anything".getBytes(UTF_8));
        frame(stream, 0x82, new byte[300]);
        assertEquals(3, parser.read(stream));
    }

    @Test
    void comparesPrefixesShorterThanAWord() {
        FrameParser parser = new FrameParser("ab".getBytes(UTF_8), false, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x81, "abc".getBytes(UTF_8));
        frame(stream, 0x81, "acb".getBytes(UTF_8));
        assertEquals(1, parser.read(stream));
    }

    @Test
    void leavesTheBufferAsItWas() {
        ByteBuf stream = Unpooled.buffer().writeZero(3).readerIndex(3);
        frame(stream, 0x81, message(1, 9).getBytes(UTF_8));
        int end = stream.writerIndex();
        assertEquals(1, new FrameParser(PREFIX, true, new Recorder()).read(stream));
        assertEquals(3, stream.readerIndex());
        assertEquals(end, stream.writerIndex());
    }

    @Test
    void ignoresWhatFollowsTheCloseFrame() {
        FrameParser parser = new FrameParser(PREFIX, false, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x88, new byte[0]);
        frame(stream, 0x81, message(1, 1).getBytes(UTF_8));
        assertEquals(0, parser.read(stream));
        assertEquals(0, parser.read(stream));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "c10161", // a reserved bit
                "818100000000", // masked
                "8301", // an unknown opcode
                "8b00", // an unknown control opcode
                "0900", // a ping in fragments
                "897e0080", // a ping of 128 bytes
                "8000", // a continuation of nothing
                "01016181016100", // a text within a fragmented text
                "817fffffffffffffffff00" // a negative length
            })
    void refusesWhatBreaksTheProtocol(String hex) {
        ByteBuf stream = Unpooled.wrappedBuffer(java.util.HexFormat.of().parseHex(hex));
        FrameParser parser = new FrameParser(PREFIX, false, new Recorder());
        assertThrows(CorruptedFrameException.class, () -> parser.read(stream));
    }

    @Test
    void refusesToKeepMoreThanItMust() {
        FrameParser parser = new FrameParser(PREFIX, true, new Recorder());
        ByteBuf stream = Unpooled.buffer();
        frame(stream, 0x81, message(1, FrameParser.MAX_KEPT_BYTES).getBytes(UTF_8));
        assertThrows(CorruptedFrameException.class, () -> parser.read(stream));
    }
}
