package io.barrage.gateway.net;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How many files the process may have open, sockets among them, and how many it has. Immutable.
 *
 * @param limit 0 if the system has none, or doesn't say
 */
public record Descriptors(long limit, long open) {
    /** Kept for backends, files, and those who are being told that there is no room: this part, within these bounds. */
    private static final int RESERVED_PART = 64;

    private static final long LEAST_RESERVED = 64;
    private static final long MOST_RESERVED = 1024;

    /** At most this part is kept for calls. */
    private static final int PART_OF_CALLS = 4;

    /** Those of this process now. */
    public static Descriptors ofProcess() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? new Descriptors(Math.max(0, unix.getMaxFileDescriptorCount()), openNow(unix))
                : new Descriptors(0, 0);
    }

    private static long openNow(UnixOperatingSystemMXBean unix) {
        try {
            return unix.getOpenFileDescriptorCount();
        } catch (InternalError e) {
            // It counts what is in /proc/self/fd, which a sandbox may not have.
            return LEAST_RESERVED;
        }
    }

    /**
     * How many clients may be connected, so that enough is left for the rest; 0 if there is no limit.
     *
     * @param calls that may be on their way to others at a time, each with a connection of its own
     */
    public int roomForClients(int calls) {
        if (limit <= 0) {
            return 0;
        }
        long reserved = Math.min(MOST_RESERVED, Math.max(LEAST_RESERVED, limit / RESERVED_PART))
                + Math.min(calls, limit / PART_OF_CALLS);
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, limit - open - reserved));
    }
}
