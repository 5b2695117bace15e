package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BytesTest {
    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, UTF_8);
    }

    @Test
    void findsWhatStringsFind() {
        Random random = new Random(7);
        for (int i = 0; i < 5_000; i++) {
            String text = random.ints(random.nextInt(40), 'a', 'c' + 1)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            String needle = random.ints(1 + random.nextInt(4), 'a', 'c' + 1)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            assertEquals(text.indexOf(needle), Bytes.indexOf(bytes(text), needle.getBytes(UTF_8)), text + " " + needle);
        }
    }

    @Test
    void findsNothingBeyondItsRange() {
        assertEquals(-1, Bytes.indexOf(bytes("xxabc"), 0, 4, "abc".getBytes(UTF_8)));
        assertEquals(2, Bytes.indexOf(bytes("xxabc"), 0, 5, "abc".getBytes(UTF_8)));
        assertEquals(-1, Bytes.indexOf(bytes("abcxx"), 1, 5, "abc".getBytes(UTF_8)));
    }

    @Test
    void findsTheEndOfJson() {
        String object = "{\"a\":[1,{\"b\":\"}]\\\"\"}]}";
        ByteBuf in = bytes("##" + object + ",{}");
        assertEquals(2 + object.length(), Bytes.endOfJson(in, 2, in.writerIndex()));
        assertEquals(2 + object.length(), Bytes.endOfJson(in, 2, 2 + object.length()));
        assertEquals(-1, Bytes.endOfJson(in, 2, 1 + object.length()));
    }

    @Test
    void readsNumbers() {
        assertEquals(120, Bytes.decimal(bytes("a120}"), 1));
        assertEquals(0, Bytes.decimal(bytes("}"), 0));
        assertEquals(0xbeefL, Bytes.hex(bytes("00beef!"), 0, 6));
        assertEquals(-1, Bytes.hex(bytes("00xx"), 0, 4));
    }
}
