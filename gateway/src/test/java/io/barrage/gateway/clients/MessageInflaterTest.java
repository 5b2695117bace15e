package io.barrage.gateway.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.barrage.gateway.clients.MessageInflater.TooBigException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageInflaterTest {
    private static final int MOST = 70_000;

    private final MessageInflater inflater = new MessageInflater();

    @AfterEach
    void close() {
        inflater.close();
    }

    private static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private static byte[] deflated(byte[] message) {
        Deflater deflater = new Deflater(6, true);
        try {
            deflater.setInput(message);
            byte[] out = new byte[message.length + 100];
            return Arrays.copyOf(out, deflater.deflate(out, 0, out.length, Deflater.SYNC_FLUSH) - 4);
        } finally {
            deflater.end();
        }
    }

    private static byte[] noise(int length) {
        byte[] noise = new byte[length];
        new Random(length).nextBytes(noise);
        return noise;
    }

    @ParameterizedTest
    @CsvSource({
        "f2 48 cd c9 c9 07 00, a message of one block",
        "00 05 00 fa ff 48 65 6c 6c 6f 00, a block without compression",
        "f3 48 cd c9 c9 07 00 00, a final block",
        "f3 48 cd c9 c9 07 00, a final block and nothing behind it",
        "f2 48 05 00 00 00 ff ff ca c9 c9 07 00, two blocks"
    })
    void takesTheExamplesOfRfc7692(String payload, String what) throws Exception {
        assertEquals("Hello", new String(inflater.inflate(hex(payload), MOST), UTF_8), what);
        assertEquals("Hello", new String(inflater.inflate(hex(payload), 5), UTF_8), "within its bound");
        assertThrows(TooBigException.class, () -> inflater.inflate(hex(payload), 4));
    }

    @Test
    void nothingIsAMessageToo() throws Exception {
        assertArrayEquals(new byte[0], inflater.inflate(hex("00"), 0));
        assertArrayEquals(new byte[0], inflater.inflate(hex("02 00"), 0));
    }

    @Test
    void keepsNoWindow() throws Exception {
        inflater.inflate(hex("f2 48 cd c9 c9 07 00"), MOST);
        // RFC 7692's second Hello, which refers to the first.
        assertThrows(DataFormatException.class, () -> inflater.inflate(hex("f2 00 11 00 00"), MOST));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4095, 4096, 4097, 8192, 65_536, MOST - 1, MOST})
    void takesWhatIsWithinItsBoundAndNoByteMore(int length) throws Exception {
        for (byte[] message : new byte[][] {new byte[length], noise(length)}) {
            byte[] payload = deflated(message);
            assertArrayEquals(message, inflater.inflate(payload, length));
            assertArrayEquals(message, inflater.inflate(payload, MOST));
            if (length > 0) {
                assertThrows(TooBigException.class, () -> inflater.inflate(payload, length - 1));
            }
        }
    }

    @Test
    void doesNotInflateABombWhole() throws Exception {
        // 16 MiB of zeros, and then nonsense: whoever inflated it all would find that, and not that it is too big.
        byte[] bomb = deflated(new byte[16 << 20]);
        byte[] andNonsense = Arrays.copyOf(bomb, bomb.length + 8);
        Arrays.fill(andNonsense, bomb.length, andNonsense.length, (byte) 0xff);
        assertThrows(DataFormatException.class, () -> inflater.inflate(andNonsense, 17 << 20));
        assertThrows(TooBigException.class, () -> inflater.inflate(andNonsense, MOST));
        assertEquals("Hello", new String(inflater.inflate(hex("f2 48 cd c9 c9 07 00"), MOST), UTF_8));
    }

    @ParameterizedTest
    @CsvSource({
        "'', no block at all",
        "06, a block of the reserved type",
        "ff ff ff, the same",
        "00 05 00 fa fe 48 65 6c 6c 6f 00, a length without its complement",
        "f3 48 cd c9 c9 07 00 01, a final block and no header of an empty one",
        "f3 48 cd c9 c9 07 f2 48 cd c9 c9 07 00, something behind a final block"
    })
    void refusesWhatIsCorrupt(String payload, String what) {
        assertThrows(DataFormatException.class, () -> inflater.inflate(hex(payload), MOST), what);
    }

    @Test
    void refusesWhatWasCutWithinABlock() throws Exception {
        byte[] message =
                "{\"type\":\"publish\",\"topic\":\"room:42\",\"data\":\"a barrage of a barrage\"}".getBytes(UTF_8);
        byte[] payload = deflated(message);
        assertArrayEquals(message, inflater.inflate(payload, MOST));
        for (int length = 0; length < payload.length - 1; length++) {
            byte[] cut = Arrays.copyOf(payload, length);
            assertThrows(DataFormatException.class, () -> inflater.inflate(cut, MOST), "cut at " + length);
        }
    }

    @Test
    void endsWithAnyBytes() {
        Random random = new Random(7692);
        int whole = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] payload = new byte[random.nextInt(40)];
            random.nextBytes(payload);
            try {
                whole += inflater.inflate(payload, 1000).length > 1000 ? 1 : 0;
            } catch (TooBigException | DataFormatException expected) {
                // Most of them.
            }
        }
        assertEquals(0, whole, "longer than the bound");
    }
}
