package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class ChecksTest {
    private static void refuses(String message, Executable check) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, check).getMessage());
    }

    @Test
    void namesTheOptionAndItsValue() {
        refuses("topics: 0 is less than 1", () -> Checks.atLeast("topics", 0, 1));
        refuses("rate: NaN isn't positive", () -> Checks.positive("rate", Double.NaN));
        refuses("rate: 0.0 isn't positive", () -> Checks.positive("rate", OptionalDouble.of(0)));
        refuses("patience: 0 ms isn't positive", () -> Checks.positive("patience", Duration.ZERO));
        refuses("warmup: -5 ms is negative", () -> Checks.notNegative("warmup", Duration.ofMillis(-5)));
        refuses("bytes: 1 is less than " + Stamp.MIN_BYTES, () -> Checks.data(1));
    }

    @Test
    void takesWhatIsLeast() {
        assertDoesNotThrow(() -> {
            Checks.atLeast("topics", 1, 1);
            Checks.positive("rate", OptionalDouble.empty());
            Checks.notNegative("warmup", Duration.ZERO);
            Checks.data(Stamp.MIN_BYTES);
        });
    }
}
