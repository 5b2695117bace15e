package io.barrage.protocol;

/** Makes text from outside safe to show in an error: short, and without characters that a terminal or a log obeys. */
public final class Printable {
    private static final int MAX = 80;

    private Printable() {}

    /** {@code text} in single quotes, cut after {@value #MAX} characters, other than printable ASCII escaped. */
    public static String of(String text) {
        StringBuilder out = new StringBuilder(Math.min(text.length(), MAX) + 8).append('\'');
        for (int i = 0; i < Math.min(text.length(), MAX); i++) {
            append(out, text.charAt(i));
        }
        return out.append(text.length() > MAX ? "...'" : "'").toString();
    }

    /** One character in single quotes. */
    public static String of(char c) {
        StringBuilder out = new StringBuilder(8).append('\'');
        append(out, c);
        return out.append('\'').toString();
    }

    private static void append(StringBuilder out, char c) {
        if (c >= ' ' && c <= '~') {
            out.append(c);
        } else {
            out.append(String.format("\\u%04x", (int) c));
        }
    }
}
