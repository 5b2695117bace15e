package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

final class AnswerLinesTest {
    private static final String TAKEN = "{\"line\":1,\"topic\":\"t\",\"key\":\"likes\"}";
    private static final String REFUSED = "{\"line\":2,\"error\":{\"code\":\"overloaded\",\"message\":\"full\"}}";
    private static final String ALL = TAKEN + "\n" + REFUSED + "\n" + TAKEN + "\n";

    private final AnswerLines answers = new AnswerLines();

    private void read(String text) {
        answers.read(Unpooled.copiedBuffer(text, UTF_8));
    }

    @Test
    void tellsTheTakenFromTheRefused() {
        read(ALL);
        assertEquals(2, answers.accepted());
        assertEquals(1, answers.refused());
        assertEquals(REFUSED, answers.firstRefusal());
    }

    @Test
    void countsTheSameHoweverTheBytesAreCut() {
        for (int cut = 1; cut < ALL.length(); cut++) {
            read(ALL.substring(0, cut));
            read(ALL.substring(cut));
            assertEquals(2L * cut, answers.accepted(), "cut at " + cut);
            assertEquals(cut, answers.refused(), "cut at " + cut);
        }
        assertEquals(REFUSED, answers.firstRefusal());
    }

    @Test
    void countsNoLineBeforeItsEnd() {
        read(TAKEN);
        assertEquals(0, answers.accepted());
        read("\n");
        assertEquals(1, answers.accepted());
    }
}
