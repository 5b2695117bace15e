package io.barrage.loadtest.measure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The unit of CPU time in {@code /proc}. Immutable. */
final class ClockTicks {
    private static final long USUAL = 100;

    static final long PER_SECOND = ask();

    private ClockTicks() {}

    private static long ask() {
        try {
            Process getconf = new ProcessBuilder("getconf", "CLK_TCK").start();
            String answer = new String(getconf.getInputStream().readNBytes(32), StandardCharsets.US_ASCII).strip();
            getconf.waitFor(5, TimeUnit.SECONDS);
            return Long.parseLong(answer);
        } catch (IOException | NumberFormatException ignored) {
            return USUAL; // no getconf; every Linux of today says 100 to user space
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return USUAL;
        }
    }
}
