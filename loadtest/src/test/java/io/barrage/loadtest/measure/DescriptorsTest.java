package io.barrage.loadtest.measure;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class DescriptorsTest {
    @Test
    void saysHowManyConnectionsArePossible() {
        Descriptors limited = new Descriptors(20_000, 50);
        assertDoesNotThrow(() -> limited.require(19_850, "this generator", "use less"));
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class, () -> limited.require(19_851, "this generator", "use less"));
        assertEquals(
                "connections: 19851 are more than this generator can hold: its limit of 20000 open files leaves room for"
                        + " 19850; use less",
                refused.getMessage());
    }

    @Test
    void looksAtThisProcessFromInsideAndOutside() throws IOException {
        Descriptors inside = Descriptors.here();
        Descriptors outside = Descriptors.of(ProcessHandle.current().pid());
        assertEquals(inside.limit(), outside.limit());
        assertTrue(inside.open() > 0 && outside.open() > 0);
    }

    @Test
    void readsTheSoftLimit() {
        assertEquals(
                1024,
                Descriptors.softLimit(List.of(
                        "Limit                     Soft Limit           Hard Limit           Units     ",
                        "Max open files            1024                 524288               files     ")));
        assertEquals(
                Long.MAX_VALUE,
                Descriptors.softLimit(List.of("Max open files            unlimited            unlimited      files ")));
    }

    @Test
    void asksTheServerItsOwnLimit() {
        assertThrows(
                IllegalArgumentException.class,
                () -> Descriptors.require(
                        Integer.MAX_VALUE,
                        OptionalLong.of(ProcessHandle.current().pid())));
    }
}
