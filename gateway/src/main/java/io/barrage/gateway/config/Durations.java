package io.barrage.gateway.config;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The written form of durations: a whole number and {@code ms}, {@code s}, {@code m} or {@code h}. */
final class Durations {

    private static final Pattern FORM = Pattern.compile("(\\d{1,12})(ms|s|m|h)");

    private Durations() {}

    static Duration parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("not a duration: " + text);
        }
        ChronoUnit unit =
                switch (form.group(2)) {
                    case "ms" -> ChronoUnit.MILLIS;
                    case "s" -> ChronoUnit.SECONDS;
                    case "m" -> ChronoUnit.MINUTES;
                    default -> ChronoUnit.HOURS;
                };
        Duration duration = Duration.of(Long.parseLong(form.group(1)), unit);
        // Timers count in nanoseconds of a long: 292 years. A century is a typing mistake and must not overflow one.
        if (duration.toDays() > 36_500) {
            throw new IllegalArgumentException("longer than a century: " + text);
        }
        return duration;
    }

    /** The largest unit that leaves no remainder. */
    static String print(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds == 0 || seconds % 60 != 0) {
            return seconds + "s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
