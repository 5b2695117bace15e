package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.MachineUsage;
import io.barrage.loadtest.measure.ProcessUsage;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class GaugesTest {
    private static final long SECOND = 1_000_000_000;

    private static final Gauges START =
            new Gauges(0, new ProcessUsage(10, 0, 0), 20, List.of(SECOND, 2 * SECOND), new MachineUsage(100, 5));
    private static final Gauges END = new Gauges(
            2 * SECOND, new ProcessUsage(12, 0, 0), 21, List.of(2 * SECOND, 2 * SECOND), new MachineUsage(104, 5));

    @Test
    void sumsUpWhatTheGeneratorUsedAndLeft() {
        FanoutResult.Generator generator = END.generatorSince(START, LatencySummary.NONE);
        assertEquals(0.5, generator.cores());
        assertEquals(0.5, generator.busiestLoop());
        assertEquals(0.5, generator.othersCores());
        assertEquals(0, generator.stolenCores());
        assertEquals(1, END.serverCoresSince(START));
    }

    @Test
    void knowsNothingOfOthersWithoutTheServersPid() {
        Gauges end = new Gauges(END.nanos(), null, 21, END.loopCpuNanos(), END.machine());
        assertEquals(-1, end.generatorSince(START, LatencySummary.NONE).othersCores());
        assertEquals(-1, end.serverCoresSince(START));
        assertFalse(end.generatorSince(START, LatencySummary.NONE).disturbed());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void notesChildrenThatAreNotCounted() throws IOException {
        OptionalLong self = OptionalLong.of(ProcessHandle.current().pid());
        Process child = new ProcessBuilder("cat").start();
        try {
            List<String> notes = Gauges.uncounted(self, false);
            assertTrue(notes.size() == 1 && notes.get(0).contains("--pid-children"), notes.toString());
            assertEquals(List.of(), Gauges.uncounted(self, true));
            assertEquals(List.of(), Gauges.uncounted(OptionalLong.of(child.pid()), false));
            assertEquals(List.of(), Gauges.uncounted(OptionalLong.empty(), false));
        } finally {
            child.destroy();
        }
    }
}
