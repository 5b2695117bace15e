package io.barrage.loadtest;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parts of a whole as people write them: {@code 100} or {@code 10%}. Thread-safe: no state. */
final class Amounts {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})(%?)");

    private Amounts() {}

    /** @throws IllegalArgumentException if it is neither a number nor a percentage, or too many */
    static int of(String option, String text, int whole) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    option + " '" + text + "' is neither a number nor a percentage such as 10%");
        }
        long amount = Long.parseLong(matcher.group(1));
        long parts = matcher.group(2).isEmpty() ? amount : whole * amount / 100;
        if (parts > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(option + " '" + text + "' of " + whole + " is too many");
        }
        return (int) parts;
    }
}
