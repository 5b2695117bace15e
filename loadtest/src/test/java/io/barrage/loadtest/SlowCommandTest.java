package io.barrage.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class SlowCommandTest {
    @Test
    void takesANumberOrAPercentage() {
        assertEquals(1000, SlowCommand.stalled("10%", 10_000));
        assertEquals(7, SlowCommand.stalled("7", 10_000));
    }

    @Test
    void namesWhatIsNeither() {
        String message = assertThrows(IllegalArgumentException.class, () -> SlowCommand.stalled("many", 10))
                .getMessage();
        assertTrue(message.contains("'many'"), message);
    }
}
