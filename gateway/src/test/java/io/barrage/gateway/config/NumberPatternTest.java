package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class NumberPatternTest {
    @Test
    void matchesExactlyTheNumbersOfARange() {
        int[] ends = {0, 1, 2, 9, 10, 11, 19, 42, 99, 100, 101, 119, 250, 999, 1000, 1001, 1234};
        for (int least : ends) {
            for (int greatest : ends) {
                if (least > greatest) {
                    assertThrows(IllegalArgumentException.class, () -> NumberPattern.between(least, greatest));
                    continue;
                }
                Pattern pattern = Pattern.compile(NumberPattern.between(least, greatest));
                for (int number = 0; number <= 1300; number++) {
                    assertEquals(
                            number >= least && number <= greatest,
                            pattern.matcher(Integer.toString(number)).matches(),
                            number + " in " + least + ".." + greatest + " by " + pattern);
                }
            }
        }
    }
}
