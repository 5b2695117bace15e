package io.barrage.loadtest.measure;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class GaugesTest {
    @Test
    void percentilesAreMicrosecondsOfThreeDigits() {
        Histogram nanos = LatencySummary.histogram();
        for (int i = 1; i <= 1_000; i++) {
            LatencySummary.record(nanos, i * 1_000_000L);
        }
        LatencySummary summary = LatencySummary.of(nanos);
        assertEquals(1_000, summary.count());
        assertEquals(500_000, summary.p50(), 500);
        assertEquals(990_000, summary.p99(), 990);
        assertEquals(1_000_000, summary.max(), 1_000);
        assertEquals(500_500, summary.mean(), 500);
    }

    @Test
    void anEmptyHistogramSaysSo() {
        LatencySummary nothing = LatencySummary.of(LatencySummary.histogram());
        assertEquals(0, nothing.count());
        assertEquals("nothing measured", nothing.inWords());
    }

    @Test
    void recordsWhatNoHistogramHolds() {
        Histogram nanos = LatencySummary.histogram();
        LatencySummary.record(nanos, -5);
        LatencySummary.record(nanos, Long.MAX_VALUE);
        assertEquals(2, nanos.getTotalCount());
        assertEquals(0, nanos.getMinValue());
    }

    @Test
    void writesMillisecondsWithThreeDigitsThatCount() {
        assertEquals("0.12", LatencySummary.millis(123.4));
        assertEquals("1.23", LatencySummary.millis(1_234));
        assertEquals("12.3", LatencySummary.millis(12_345));
        assertEquals("1235", LatencySummary.millis(1_234_567));
    }

    @Test
    void readsCpuTimeBehindANameWithBracketsAndSpaces() {
        String stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 11 12 20 0 8";
        assertEquals(3.0, ProcessUsage.parseCpuSeconds(stat, 100));
    }

    @Test
    void readsMemoryAndTakesNoneOfAZombie() {
        assertEquals(2048, ProcessUsage.kibibytes(List.of("Name:\tx", "VmRSS:\t       2 kB"), "VmRSS:"));
        assertEquals(0, ProcessUsage.kibibytes(List.of("Name:\tx"), "VmRSS:"));
    }

    @Test
    void sumsUpTheMachine() {
        MachineUsage usage = MachineUsage.parse("cpu  100 10 200 9999 888 1 2 50 0 0", 100);
        assertEquals(3.13, usage.busySeconds(), 1e-9);
        assertEquals(0.5, usage.stolenSeconds(), 1e-9);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void seesThisProcessAndItsChildren() throws IOException {
        long self = ProcessHandle.current().pid();
        ProcessUsage alone = ProcessUsage.of(self, false);
        assertTrue(alone.cpuSeconds() > 0);
        assertTrue(alone.peakRssBytes() >= 1 << 20);
        Process child = new ProcessBuilder("cat").start();
        try {
            assertTrue(ProcessUsage.children(self) >= 1);
            assertEquals(0, ProcessUsage.children(child.pid()));
            assertTrue(ProcessUsage.of(self, true).cpuSeconds() >= alone.cpuSeconds());
            assertTrue(ProcessUsage.of(child.pid(), false).rssBytes() > 0);
        } finally {
            child.destroy();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void doesNotInventAProcess() {
        assertThrows(IOException.class, () -> ProcessUsage.of(Integer.MAX_VALUE, false));
    }

    @Test
    void refreshesOneLineOnATerminal() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ProgressLine line = new ProgressLine(new PrintStream(out, true, UTF_8), true);
        line.show(1, "a");
        line.show(2, "too soon");
        line.show(1_000_000_000L, "b");
        line.end();
        assertEquals("\r\u001b[Ka\r\u001b[Kb" + System.lineSeparator(), out.toString(UTF_8));
    }

    @Test
    void printsALinePerSecondElsewhere() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ProgressLine line = new ProgressLine(new PrintStream(out, true, UTF_8), false);
        line.show(1, "a");
        line.show(900_000_000L, "too soon");
        line.show(1_000_000_002L, "b");
        line.end();
        assertEquals(List.of("a", "b"), out.toString(UTF_8).lines().toList());
    }
}
