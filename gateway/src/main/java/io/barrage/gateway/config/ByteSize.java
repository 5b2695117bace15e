package io.barrage.gateway.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes, written {@code 64KiB}, {@code 1MiB}, {@code 2GiB} or as plain bytes. Immutable. */
public record ByteSize(long bytes) implements Comparable<ByteSize> {

    private static final Pattern FORM = Pattern.compile("(\\d{1,19}) ?(KiB|MiB|GiB|B)?");

    private static final long KIB = 1024;
    private static final long MIB = 1024 * KIB;
    private static final long GIB = 1024 * MIB;

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes must not be negative: " + bytes);
        }
    }

    /**
     * Reads what {@link #toString} writes.
     *
     * @throws IllegalArgumentException if the text isn't a size, or more than a long holds
     */
    public static ByteSize parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("not a size in bytes: " + text);
        }
        String unit = form.group(2);
        long factor = unit == null || unit.equals("B") ? 1 : unit.equals("KiB") ? KIB : unit.equals("MiB") ? MIB : GIB;
        try {
            return new ByteSize(Math.multiplyExact(Long.parseLong(form.group(1)), factor));
        } catch (NumberFormatException | ArithmeticException tooLarge) {
            throw new IllegalArgumentException("more bytes than a long holds: " + text, tooLarge);
        }
    }

    /** The bytes, for arrays and buffers. Throws {@code ArithmeticException} beyond 2 GiB. */
    public int toIntExact() {
        return Math.toIntExact(bytes);
    }

    @Override
    public int compareTo(ByteSize other) {
        return Long.compare(bytes, other.bytes);
    }

    /** The largest unit that leaves no remainder: {@code 1MiB}, {@code 1536KiB}, {@code 1000}. */
    @Override
    public String toString() {
        if (bytes == 0 || bytes % KIB != 0) {
            return Long.toString(bytes);
        }
        return bytes % GIB == 0 ? bytes / GIB + "GiB" : bytes % MIB == 0 ? bytes / MIB + "MiB" : bytes / KIB + "KiB";
    }
}
