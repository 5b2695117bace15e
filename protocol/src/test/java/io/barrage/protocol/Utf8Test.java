package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares with the JDK's strict decoder, which reports the first malformed sequence. */
class Utf8Test {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "80", // a continuation alone
                "c0 80", // overlong NUL
                "c1 bf", // overlong
                "c2", // cut off
                "c2 c2",
                "df 7f",
                "e0 80 80", // overlong
                "e0 9f bf", // overlong, the last
                "e1 80",
                "e1 80 c0",
                "ed a0 80", // the first surrogate
                "ed bf bf", // the last surrogate
                "ed a0 bd ed b8 80", // a pair of them
                "f0 80 80 80", // overlong
                "f0 8f bf bf", // overlong, the last
                "f0 90 80",
                "f4 90 80 80", // U+110000
                "f5 80 80 80",
                "f8 88 80 80 80",
                "fe",
                "ff"
            })
    void findsEachKindOfFaultAtEachPlace(String hex) {
        byte[] bad = HexFormat.ofDelimiter(" ").parseHex(hex);
        for (int before = 0; before <= 17; before++) {
            for (int after = 0; after <= 9; after++) {
                byte[] text = new byte[before + bad.length + after];
                Arrays.fill(text, (byte) 'a');
                System.arraycopy(bad, 0, text, before, bad.length);
                assertEquals(before, Utf8.firstInvalid(text, 0, text.length), hex + " behind " + before);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00",
                "7f",
                "c2 80",
                "df bf",
                "e0 a0 80",
                "ed 9f bf",
                "ee 80 80",
                "ef bf bf",
                "f0 90 80 80",
                "f4 8f bf bf"
            })
    void takesTheBordersOfWhatIsAllowed(String hex) {
        byte[] good = HexFormat.ofDelimiter(" ").parseHex(hex);
        for (int before = 0; before <= 17; before++) {
            byte[] text = new byte[before + good.length];
            Arrays.fill(text, (byte) 'a');
            System.arraycopy(good, 0, text, before, good.length);
            assertEquals(-1, Utf8.firstInvalid(text, 0, text.length), hex);
        }
    }

    @Test
    void agreesWithTheJdkOnAllPairsAndTriplesOfInterest() {
        int[] interesting = {
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
            0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff
        };
        byte[] text = new byte[4];
        for (int a = 0; a < 256; a++) {
            for (int b = 0; b < 256; b++) {
                text[0] = (byte) a;
                text[1] = (byte) b;
                check(text, 0, 2);
                for (int c : interesting) {
                    text[2] = (byte) c;
                    check(text, 0, 3);
                }
            }
        }
        for (int a : interesting) {
            for (int b : interesting) {
                for (int c : interesting) {
                    for (int d : interesting) {
                        text[0] = (byte) a;
                        text[1] = (byte) b;
                        text[2] = (byte) c;
                        text[3] = (byte) d;
                        check(text, 0, 4);
                    }
                }
            }
        }
    }

    @Test
    void agreesWithTheJdkOnRandomBytes() {
        long seed = System.nanoTime();
        System.out.println("Utf8Test seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 100_000; round++) {
            byte[] text = random.nextBoolean() ? noise(random) : damagedText(random);
            int from = text.length == 0 ? 0 : random.nextInt(text.length);
            int to = from + random.nextInt(text.length - from + 1);
            check(text, 0, text.length);
            check(text, from, to);
        }
    }

    private static byte[] noise(Random random) {
        byte[] text = new byte[random.nextInt(40)];
        random.nextBytes(text);
        return text;
    }

    private static byte[] damagedText(Random random) {
        StringBuilder characters = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            int c;
            do {
                c = random.nextInt(
                        switch (random.nextInt(4)) {
                            case 0 -> 0x80;
                            case 1 -> 0x800;
                            case 2 -> 0x10000;
                            default -> 0x110000;
                        });
            } while (c >= 0xd800 && c < 0xe000);
            characters.appendCodePoint(c);
        }
        byte[] text = characters.toString().getBytes(UTF_8);
        if (text.length > 0 && random.nextInt(4) > 0) {
            text[random.nextInt(text.length)] = (byte) random.nextInt();
        }
        return text;
    }

    private static void check(byte[] text, int from, int to) {
        assertEquals(
                firstInvalidOfJdk(text, from, to),
                Utf8.firstInvalid(text, from, to),
                () -> HexFormat.ofDelimiter(" ").formatHex(text) + " from " + from + " to " + to);
    }

    private static int firstInvalidOfJdk(byte[] text, int from, int to) {
        ByteBuffer in = ByteBuffer.wrap(text, from, to - from);
        CharBuffer out = CharBuffer.allocate(to - from + 1);
        CoderResult result = UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(in, out, true);
        return result.isError() || in.hasRemaining() ? in.position() : -1;
    }
}
