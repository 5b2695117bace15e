package io.barrage.loadtest.target;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HostPortTest {
    @Test
    void readsBothFamilies() {
        assertEquals("127.0.0.1:8080", HostPort.format(HostPort.parse("127.0.0.1:8080")));
        assertTrue(HostPort.parse("[::1]:80").getAddress().isLoopbackAddress());
        assertTrue(HostPort.format(HostPort.parse("[::1]:80")).startsWith("["));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:65536"})
    void refusesTheRest(String text) {
        assertThrows(IllegalArgumentException.class, () -> HostPort.parse(text));
    }
}
