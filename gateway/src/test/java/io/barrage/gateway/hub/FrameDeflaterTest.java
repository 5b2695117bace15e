package io.barrage.gateway.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDeflaterTest {
    private static final byte[] HELLO = "Hello".getBytes(UTF_8);

    private final FrameDeflater deflater = new FrameDeflater();

    @AfterEach
    void close() {
        deflater.close();
    }

    private byte[] frame() {
        return Arrays.copyOfRange(deflater.frame(), deflater.start(), deflater.start() + deflater.length());
    }

    /** A messages frame's payload with so many comments. */
    private static byte[] comments(int count, long seed) {
        Random random = new Random(seed);
        String[] words = {"合影", "hhhhhhhhh", "高级弹幕", "卡的我手机都不动了", "gg", "first!"};
        StringBuilder json = new StringBuilder("{\"type\":\"messages\",\"topic\":\"room:42\",\"messages\":[");
        for (int i = 0; i < count; i++) {
            json.append(i == 0 ? "" : ",")
                    .append("{\"offset\":")
                    .append(1000 + i)
                    .append(",\"time\":")
                    .append(1_790_000_000_000L + random.nextInt(1000))
                    .append(",\"sender\":\"")
                    .append(Integer.toHexString(random.nextInt()))
                    .append("\",\"data\":\"")
                    .append(words[random.nextInt(words.length)])
                    .append("\"}");
        }
        return json.append("]}").toString().getBytes(UTF_8);
    }

    /** What a client makes of a frame, after a look at its header. */
    private static byte[] read(byte[] frame) throws DataFormatException {
        ByteBuffer in = ByteBuffer.wrap(frame);
        assertEquals((byte) 0xc1, in.get(), "a final text frame with RSV1");
        int length = in.get();
        if (length == 126) {
            length = Short.toUnsignedInt(in.getShort());
            assertTrue(length > 125, "the shortest form of a length");
        } else if (length == 127) {
            length = (int) in.getLong();
            assertTrue(length > 65_535, "the shortest form of a length");
        }
        assertEquals(length, in.remaining());
        byte[] flushed = new byte[length + 4];
        in.get(flushed, 0, length);
        flushed[length + 2] = -1;
        flushed[length + 3] = -1;
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(flushed);
            byte[] message = new byte[1 << 20];
            int count = inflater.inflate(message);
            assertTrue(inflater.needsInput(), "all was inflated");
            return Arrays.copyOf(message, count);
        } finally {
            inflater.end();
        }
    }

    @Test
    void makesTheExampleOfRfc7692() {
        for (int i = 0; i < 3; i++) {
            // The same each time: the second Hello doesn't refer to the first.
            assertTrue(deflater.deflate(HELLO, 0, HELLO.length, 7));
            assertArrayEquals(HexFormat.of().parseHex("c107f248cdc9c90700"), frame());
        }
        assertFalse(deflater.deflate(HELLO, 0, HELLO.length, 6), "it takes 7");
        assertFalse(deflater.deflate(HELLO, 0, HELLO.length), "a payload of 5 bytes never pays");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 5, 10, 50, 500, 5000})
    void clientReadsWhatWasCompressed(int count) throws Exception {
        byte[] payload = comments(count, count);
        byte[] around = new byte[payload.length + 20];
        System.arraycopy(payload, 0, around, 7, payload.length);
        assertTrue(deflater.deflate(around, 7, payload.length));
        assertArrayEquals(payload, read(frame()));
        assertTrue(deflater.length() < payload.length * 7 / 10, () -> deflater.length() + " of " + payload.length);
    }

    @Test
    void eachFrameStandsForItself() throws Exception {
        for (int i = 0; i < 200; i++) {
            byte[] payload = comments(3 + i % 40, i);
            assertTrue(deflater.deflate(payload, 0, payload.length));
            assertArrayEquals(payload, read(frame()));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {256, 1000, 5000, 70_000})
    void saysThatNoiseDoesNotPay(int length) throws Exception {
        byte[] noise = new byte[length];
        new Random(length).nextBytes(noise);
        assertFalse(deflater.deflate(noise, 0, length));
        // And nothing of it is left.
        byte[] payload = comments(10, 1);
        assertTrue(deflater.deflate(payload, 0, payload.length));
        assertArrayEquals(payload, read(frame()));
    }

    @Test
    void saysThatSavingLessThanATenthDoesNotPay() throws Exception {
        // Base64-like noise has 6 bits in 8, which is a saving of a quarter; the more true noise, the less of it.
        int length = 4000;
        boolean paid = true;
        for (int noise = 0; noise <= length; noise += 40) {
            byte[] payload = new byte[length];
            Random random = new Random(1);
            for (int i = 0; i < length; i++) {
                payload[i] = (byte) (i < noise ? random.nextInt() : 'A' + random.nextInt(64));
            }
            boolean pays = deflater.deflate(payload, 0, length);
            if (pays) {
                assertArrayEquals(payload, read(frame()));
                assertTrue(
                        deflater.length() - 4 <= length - length / 10, () -> "saved too little: " + deflater.length());
            }
            assertFalse(pays && !paid, "it doesn't come and go");
            paid = pays;
        }
        assertFalse(paid, "noise only");
    }

    @Test
    void payloadBelowItsLeastIsNotTried() {
        byte[] blanks = new byte[FrameDeflater.MIN_PAYLOAD];
        assertTrue(deflater.deflate(blanks, 0, blanks.length));
        assertFalse(deflater.deflate(blanks, 0, blanks.length - 1));
    }

    @Test
    void bufferIsUsedAgainUnlessItIsHuge() {
        byte[] payload = comments(20, 1);
        assertTrue(deflater.deflate(payload, 0, payload.length));
        byte[] buffer = deflater.frame();
        for (int i = 0; i < 10; i++) {
            assertTrue(deflater.deflate(payload, 0, payload.length));
            assertSame(buffer, deflater.frame());
        }
        assertTrue(deflater.deflate(new byte[1 << 20], 0, 1 << 20));
        assertTrue(deflater.deflate(payload, 0, payload.length));
        assertTrue(deflater.frame().length <= 128 * 1024, () -> "kept " + deflater.frame().length);
    }

    @Test
    void closedOneIsNotUsedAnyMore() {
        FrameDeflater closed = new FrameDeflater(6);
        closed.close();
        assertThrows(RuntimeException.class, () -> closed.deflate(new byte[1000], 0, 1000));
    }
}
