package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OffsetFramesTest {
    private static List<Long> offsets(String frame) {
        List<Long> offsets = new ArrayList<>();
        ByteBuf buffer = Unpooled.copiedBuffer("##" + frame + "{\"offset\":99}", UTF_8);
        OffsetFrames.read(buffer, 2, frame.getBytes(UTF_8).length, offsets::add);
        return offsets;
    }

    @Test
    void readsAMessage() {
        assertEquals(
                List.of(20L),
                offsets("{\"type\":\"message\",\"topic\":\"t\",\"offset\":20,\"time\":1,\"data\":{\"offset\":7}}"));
    }

    @Test
    void findsNoneInALineThatComesBackToItsSender() {
        assertEquals(List.of(), offsets("{\"type\":\"message\",\"topic\":\"t\",\"time\":1,\"data\":{\"offset\":7}}"));
    }

    @Test
    void readsMessagesInTheirOrder() {
        assertEquals(
                List.of(18L, 19L),
                offsets("{\"type\":\"messages\",\"topic\":\"t\",\"messages\":[{\"offset\":18,\"time\":1,"
                        + "\"data\":[{\"offset\":5},\"]}\\\"{\"]},{\"offset\":19,\"hidden\":2,\"data\":{}}]}"));
    }

    @Test
    void readsNumbersByName() {
        assertEquals(19, OffsetFrames.number("{\"type\":\"subscribed\",\"offset\":19,\"online\":2}", "offset"));
        assertEquals(-1, OffsetFrames.number("{\"type\":\"subscribed\"}", "offset"));
    }
}
