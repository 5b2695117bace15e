package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class StampTest {
    @ParameterizedTest
    @ValueSource(ints = {50, 51, 100, 4096})
    void isJsonOfExactlyTheSizeAskedFor(int bytes) {
        byte[] data = new Stamp(bytes).write(0x1234_5678_9abcL, 42);
        assertEquals(bytes, data.length);
        JsonNode json = new JsonMapper().readTree(data);
        assertEquals("0000123456789abc", json.path("due").asString());
        assertEquals("0000002a", json.path("n").asString());
    }

    @Test
    void isFoundInsideOfAnyEnvelope() {
        String data = new String(new Stamp(80).write(987_654_321_012L, 7), UTF_8);
        ByteBuf payload = Unpooled.copiedBuffer("..{\"type\":\"message\",\"offset\":1,\"data\":" + data + "}..", UTF_8);
        int stamp = Stamp.find(payload, 2, payload.readableBytes() - 4);
        assertEquals(987_654_321_012L, Stamp.dueNanos(payload, stamp));
        assertEquals(7, Stamp.number(payload, stamp));
    }

    @Test
    void isNotFoundWhereItIsCutOrMissing() {
        ByteBuf whole = Unpooled.wrappedBuffer(new Stamp(Stamp.MIN_BYTES).write(1, 1));
        assertEquals(-1, Stamp.find(whole, 0, Stamp.MIN_BYTES - 1));
        assertEquals(-1, Stamp.find(Unpooled.copiedBuffer("{\"data\":1}", UTF_8), 0, 10));
    }

    @Test
    void refusesToBeTooSmall() {
        assertThrows(IllegalArgumentException.class, () -> new Stamp(Stamp.MIN_BYTES - 1));
    }
}
