package io.barrage.loadtest;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parts of a whole as people write them: {@code 100} or {@code 10%}. Thread-safe: no state. */
final class Amounts {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})(%?)");

    private Amounts() {}

    /** @throws IllegalArgumentException if it is neither a number nor a percentage */
    static int of(String option, String text, int whole) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    option + " '" + text + "' is neither a number nor a percentage such as 10%");
        }
        int amount = Integer.parseInt(matcher.group(1));
        return matcher.group(2).isEmpty() ? amount : Math.toIntExact((long) whole * amount / 100);
    }
}
