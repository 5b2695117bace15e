package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers are read, added and written without rounding, and none from outside is large enough to hurt. */
class ExactNumberTest {
    private static ExactNumber number(String json) {
        ExactNumber number = ExactNumber.parse(json.getBytes(UTF_8));
        assertNotNull(number, json);
        return number;
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "0e999999, 0",
        "-0.000, 0",
        "91234, 91234",
        "-17, -17",
        "999999999999999999, 999999999999999999",
        "9223372036854775807, 9223372036854775807",
        "9223372036854775808, 9223372036854775808",
        "-9223372036854775809, -9223372036854775809",
        "0.1, 0.1",
        "1.50, 1.5",
        "100.00, 100",
        "1e3, 1000",
        "1E+3, 1000",
        "12e-1, 1.2",
        "9e39, 9000000000000000000000000000000000000000",
        "1e-40, 0.0000000000000000000000000000000000000001",
        "0.30000000000000004, 0.30000000000000004",
    })
    void isReadExactlyAndWrittenPlainly(String json, String plain) {
        assertEquals(plain, number(json).toString());
        assertEquals(plain, new String(number(json).json(), UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1e40",
                "-1e40",
                "1e-41",
                "1e999999",
                "1e-999999",
                "1e2147483647",
                "1e-2147483648",
                "1e99999999999",
                "9e-99999999999",
                "12345678901234567890123456789012345678901"
            })
    void isRefusedOutOfBounds(String json) {
        assertNull(ExactNumber.parse(json.getBytes(UTF_8)));
    }

    @Test
    void isRefusedWhenItsTextIsLong() {
        assertNotNull(ExactNumber.parse(("0." + "0".repeat(98)).getBytes(UTF_8)));
        assertNull(ExactNumber.parse(("0." + "0".repeat(99)).getBytes(UTF_8)));
        assertNull(ExactNumber.parse("9".repeat(1_000_000).getBytes(UTF_8)));
    }

    @ParameterizedTest
    @CsvSource({
        "0.1, 0.2, 0.3",
        "1.5, 1.5, 3",
        "9223372036854775807, 1, 9223372036854775808",
        "-9223372036854775808, -1, -9223372036854775809",
        "9223372036854775808, -1, 9223372036854775807",
        "1e39, 1e-40, 1000000000000000000000000000000000000000.0000000000000000000000000000000000000001",
        "5, -5.0, 0",
    })
    void isAddedExactly(String one, String other, String sum) {
        assertEquals(sum, number(one).plus(number(other)).toString());
        assertEquals(sum, number(other).plus(number(one)).toString());
    }

    @Test
    void addsUpAsBigDecimalsDo() {
        Random random = new Random(1);
        ExactNumber sum = ExactNumber.of(0);
        BigDecimal expected = BigDecimal.ZERO;
        for (int i = 0; i < 10_000; i++) {
            BigDecimal addend = BigDecimal.valueOf(random.nextLong() >> random.nextInt(60), random.nextInt(20));
            sum = sum.plus(number(addend.toString()));
            expected = expected.add(addend);
            assertEquals(0, expected.compareTo(new BigDecimal(sum.toString())));
        }
    }

    @Test
    void isCompared() {
        String[] ascending = {
            "-1e39", "-9223372036854775809", "-2", "-0.5", "0", "0.1", "1", "1.5", "9223372036854775808"
        };
        for (int i = 0; i < ascending.length; i++) {
            for (int k = 0; k < ascending.length; k++) {
                assertEquals(i > k, number(ascending[i]).isGreaterThan(number(ascending[k])));
            }
        }
        assertFalse(number("1.0").isGreaterThan(number("1")));
        assertTrue(number("1.0000000000000000001").isGreaterThan(number("1")));
    }
}
