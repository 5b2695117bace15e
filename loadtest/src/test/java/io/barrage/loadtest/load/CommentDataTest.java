package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.danmaku.DanmakuComment.Mode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

final class CommentDataTest {
    private static final CommentData DATA = new CommentData("k3x9");

    private static String written(String text, int number) {
        return new String(DATA.write(new DanmakuComment(0, Mode.TOP, 0xff8000, text), number), UTF_8);
    }

    private static long number(String payload) {
        ByteBuf bytes = Unpooled.copiedBuffer("??" + payload + "??", UTF_8);
        return DATA.number(bytes, 2, bytes.readableBytes() - 4);
    }

    @Test
    void looksAsPagesExpectIt() {
        assertEquals(
                "{\"text\":\"hi \\\"you\\\" 猫\",\"mode\":\"top\",\"color\":\"#ff8000\",\"kind\":\"comment\",\"run\":\"k3x9\",\"seq\":17}",
                written("hi \"you\" 猫", 17));
    }

    @Test
    void isRecognisedByItsRunAndNumber() {
        assertEquals(0, number("{\"type\":\"message\",\"data\":" + written("x", 0) + "}"));
        assertEquals(999_999, number("{\"type\":\"message\",\"data\":" + written("x", 999_999) + "}"));
    }

    @Test
    void isRecognisedWhereItIsNotLast() {
        assertEquals(5, number("{\"data\":" + written("x", 5) + ",\"more\":\"" + "y".repeat(100) + "\"}"));
    }

    @Test
    void cannotBeForgedByItsText() {
        assertEquals(3, number("{\"data\":" + written("\"run\":\"k3x9\",\"seq\":99", 3) + "}"));
    }

    @Test
    void tellsOtherPublishersApart() {
        String other = new String(new CommentData("zzzz").write(new DanmakuComment(0, Mode.SCROLL, 0, "x"), 3), UTF_8);
        assertEquals(-1, number(other));
        assertEquals(-1, number("{\"data\":{\"text\":\"hello\"}}"));
    }
}
