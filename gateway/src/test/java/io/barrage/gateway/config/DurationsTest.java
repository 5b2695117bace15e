package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {

    @ParameterizedTest
    @CsvSource({
        "0s, 0, 0s",
        "0ms, 0, 0s",
        "500ms, 500, 500ms",
        "1500ms, 1500, 1500ms",
        "25s, 25000, 25s",
        "90s, 90000, 90s",
        "60s, 60000, 1m",
        "10m, 600000, 10m",
        "120m, 7200000, 2h",
    })
    void readsAndPrints(String text, long millis, String printed) {
        assertEquals(millis, Durations.parse(text).toMillis());
        assertEquals(printed, Durations.print(Durations.parse(text)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "25", "-1s", "1.5s", "25 s", "1m30s", "1d", "25S", "PT25S", "999999999999h"})
    void refusesWhatIsNoDuration(String text) {
        assertThrows(IllegalArgumentException.class, () -> Durations.parse(text));
    }
}
