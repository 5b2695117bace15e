package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0, 0",
        "1000, 1000, 1000",
        "7B, 7, 7",
        "64KiB, 65536, 64KiB",
        "64 KiB, 65536, 64KiB",
        "1024KiB, 1048576, 1MiB",
        "1536KiB, 1572864, 1536KiB",
        "2GiB, 2147483648, 2GiB",
        "9223372036854775807, 9223372036854775807, 9223372036854775807",
    })
    void readsAndPrints(String text, long bytes, String printed) {
        assertEquals(bytes, ByteSize.parse(text).bytes());
        assertEquals(printed, ByteSize.parse(text).toString());
        assertEquals(bytes, ByteSize.parse(printed).bytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "-1", "1.5MiB", "64KB", "64kib", "KiB", "1 TiB", "9223372036854775808", "9007199254740992KiB"
            })
    void refusesWhatIsNoSize(String text) {
        assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
    }

    @Test
    void refusesToBecomeAnIntThatItIsNot() {
        assertEquals(65_536, new ByteSize(65_536).toIntExact());
        assertThrows(ArithmeticException.class, () -> ByteSize.parse("2GiB").toIntExact());
    }
}
