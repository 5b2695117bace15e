package io.barrage.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class AmountsTest {
    @Test
    void takesANumberOrAPercentage() {
        assertEquals(1000, Amounts.of("--stalled", "10%", 10_000));
        assertEquals(7, Amounts.of("--stalled", "7", 10_000));
    }

    @Test
    void refusesMoreThanThereCanBe() {
        assertEquals(
                "--churning '999999999%' of 1000 is too many",
                assertThrows(IllegalArgumentException.class, () -> Amounts.of("--churning", "999999999%", 1000))
                        .getMessage());
    }

    @Test
    void namesWhatIsNeither() {
        String message = assertThrows(IllegalArgumentException.class, () -> Amounts.of("--stalled", "many", 10))
                .getMessage();
        assertTrue(message.contains("'many'"), message);
    }
}
